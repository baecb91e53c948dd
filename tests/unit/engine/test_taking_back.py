"""Orders that are cancelled in mid-way, undone when they are complete, or taken back by a rule or a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from engine.acceptance import Acceptance, Accepted
from engine.cancel import cancel, undo
from engine.catalogue.models import FailureRule
from engine.errors import (
    BeyondRecall,
    CancelDenied,
    CaseAnswered,
    OrderEnded,
    UndoImpossible,
)
from engine.fallout.case import Answer
from engine.fallout.desk import Desk
from engine.ports import Outcome, TransactionState, Trouble
from engine.requests import OrderRequest
from engine.resuming import resume
from engine.states import Level, OrderState
from engine.store import lanes, schema
from engine.tree import Tree
from tests.null_world import LaneByLane, NullWorld, refused, superfibre
from tests.unit.engine.conftest import Work
from tests.unit.engine.the_line import PRODUCT, change, holds, ordered


def cancelled(world: NullWorld, order: str, work: Work, *, recall: bool = False) -> Tree:
    cancel(world.at, order, "changed my mind", recall=recall)
    tree = work(order)
    assert tree.root.state is OrderState.CANCELLED, {key: (str(s.state), s.trouble) for key, s in tree.steps.items()}
    assert {str(i.state) for i in tree.items.values()} <= {"cancelled", "completed"}
    return tree


def test_an_order_that_was_not_begun_is_just_cancelled(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    tree = cancelled(world, acceptance.submit(superfibre(4821)).id, work)
    assert world.targets.pushes == []
    assert tree.instances[PRODUCT].state == "cancelled"
    assert told(world, PRODUCT) == ["cancelled"]
    acceptance.submit(superfibre(4821).model_copy(update={"external_id": "again"}))


@pytest.mark.parametrize("fails", ["OLT-EAST-07", "BNG-EAST-01", "RADIUS-EAST-01", "ASW-EAST-07", "DHCP-EAST-01"])
def test_what_was_done_of_a_held_order_is_undone(world: NullWorld, acceptance: Acceptance, work: Work, fails: str) -> None:
    world.targets.done = lambda question: question.until != "delivered"
    world.targets.fail = lambda push: refused("no") if push.target == fails else None
    order = acceptance.submit(superfibre(4821)).id
    tree = world.at.store.tree(order)
    while tree.root.state is not OrderState.HELD or any(s.state in ("ready", "running") for s in tree.steps.values()):
        tree = work_a_little(world, order)
    world.targets.fail = lambda _: None
    tree = cancelled(world, order, work)
    assert holds(world) == {}
    assert world.inventory.given == {}
    assert tree.instances[PRODUCT].state == "cancelled"
    assert {i.state for i in tree.instances.values() if i.level is not Level.PRODUCT} == {"terminated"}
    assert told(world, PRODUCT)[-1] == "cancelled"
    assert told(world, "SI-INT-4821")[-1] == "terminated"


def told(world: NullWorld, instance: str) -> list[str]:
    """The states that events tell of a product or service."""
    with world.at.store.database.read() as tx:
        data = tx.execute(sa.select(schema.events.c.data).order_by(schema.events.c.number)).scalars().all()
    return [one["state"] for one in data if one.get("id") == instance and "state" in one]


def work_a_little(world: NullWorld, order: str) -> Tree:
    worker = LaneByLane(world.at)
    with world.at.store.database.read() as tx:
        found = lanes.with_work(tx, world.at.clock.real())
    for lane in sorted(found):
        worker.drain(lane)
    return world.at.store.tree(order)


def test_a_delivered_router_is_a_denial_unless_it_is_recalled(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    world.targets.done = lambda question: question.until != "inform"
    order = acceptance.submit(superfibre(4821)).id
    while world.at.store.tree(order).root.state is not OrderState.PENDING:
        work_a_little(world, order)
    with pytest.raises(CancelDenied, match="ROI-007 CPE-Provisioning is completed and past its point of no return"):
        cancel(world.at, order, "too late")
    tree = world.at.store.tree(order)
    assert tree.root.state is OrderState.PENDING
    assert not tree.root.withdrawn
    world.targets.done = lambda question: question.until == "returned"
    tree = cancelled(world, order, work, recall=True)
    assert set(holds(world)) == {"logistics"}
    assert any("cpe-return" in text for text in world.targets.lines["logistics"])
    assert world.inventory.given == {}


def test_a_router_that_arrives_while_it_is_called_back_is_sent_back(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    """When the order was cancelled it was still on the road."""
    world.targets.done = lambda question: question.until != "delivered"
    order = acceptance.submit(superfibre(4821)).id
    while not any(step.state == "waiting" for step in world.at.store.tree(order).steps.values()):
        work_a_little(world, order)
    arrived = Outcome(TransactionState.REFUSED, Trouble.of(BeyondRecall("it was delivered", target="logistics")))
    world.targets.fail = lambda push: arrived if push.target == "logistics" and "cpe-return" not in push.change.forward else None
    world.targets.done = lambda question: question.until == "returned"
    cancelled(world, order, work, recall=True)
    assert set(holds(world)) == {"logistics"}
    assert any("cpe-return" in text for text in world.targets.lines["logistics"])
    assert world.inventory.given == {}


def test_a_change_that_is_cancelled_leaves_everything_as_it_was(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    before, given = holds(world), dict(world.inventory.given)
    world.targets.fail = lambda push: refused("no") if push.target == "BNG-EAST-01" else None
    request = change("modify", offering="PO-SF500", characteristics={"staticIp": True, "ssid": "Nest"})
    order = acceptance.submit(request).id
    assert work(order).root.state is OrderState.HELD
    assert holds(world) != before
    world.targets.fail = lambda _: None
    tree = cancelled(world, order, work)
    assert holds(world) == before
    assert {mark: held.attributes for mark, held in world.inventory.given.items()} == {m: h.attributes for m, h in given.items()}
    assert tree.instances[PRODUCT].state == "active"
    assert tree.instances[PRODUCT].characteristics == line.instances[PRODUCT].characteristics
    assert {i.state for i in tree.instances.values() if i.id != "SI-SIP-4821"} == {"active"}


def test_a_cease_that_is_cancelled_brings_everything_back(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    before, given = holds(world), dict(world.inventory.given)
    world.targets.fail = lambda push: refused("no") if push.target == "OLT-EAST-07" else None
    order = acceptance.submit(change("delete")).id
    assert work(order).root.state is OrderState.HELD
    world.targets.fail = lambda _: None
    tree = cancelled(world, order, work)
    assert holds(world) == before
    assert world.inventory.given == given
    assert {i.state for i in tree.instances.values()} == {"active"}


def test_an_undo_that_fails_stands_still_and_nothing_is_forgotten(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    world.targets.done = lambda question: question.until != "delivered"
    world.targets.fail = lambda push: refused("no") if push.target == "RADIUS-EAST-01" else None
    order = acceptance.submit(superfibre(4821)).id
    while world.at.store.tree(order).root.state is not OrderState.HELD:
        work_a_little(world, order)
    world.targets.fail = lambda push: refused("still no") if push.target == "OLT-EAST-07" else None
    cancel(world.at, order, "no")
    tree = work(order)
    assert tree.root.state is OrderState.PENDING_CANCELLATION
    stuck = [step for step in tree.steps.values() if step.state == "held"]
    assert {step.target for step in stuck} == {"OLT-EAST-07"}
    world.targets.fail = lambda _: None
    resume(world.at.store, order, "somebody", None)
    tree = work(order)
    assert tree.root.state is OrderState.CANCELLED
    assert holds(world) == {}
    assert world.inventory.given == {}


def test_cancelling_races_with_completing_and_one_of_them_wins(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    with pytest.raises(OrderEnded, match="PO-2024-00847 is completed"):
        cancel(world.at, line.root.id, "too late")
    world.targets.done = lambda _: False  # nobody is online before it is cancelled
    order = acceptance.submit(superfibre(4822)).id
    work_a_little(world, order)
    cancel(world.at, order, "in time", recall=True)
    world.targets.done = lambda _: True
    assert cancel(world.at, order, "again").state is not OrderState.COMPLETED
    assert work(order).root.state is OrderState.CANCELLED


@pytest.mark.parametrize(
    "request_",
    [
        change("modify", offering="PO-SF500"),
        change("modify", characteristics={"ssid": "Nest"}),
        change("suspend"),
        change("modify", characteristics={"staticIp": True}),
    ],
    ids=["upgrade", "ssid", "suspend", "static"],
)
def test_undoing_a_completed_order_is_an_order_that_is_linked_to_it(
    world: NullWorld, acceptance: Acceptance, work: Work, line: Tree, request_: OrderRequest
) -> None:
    before = {target: {text for text in lines if "IP-Profile" not in text} for target, lines in holds(world).items()}
    changed = ordered(acceptance, work, request_)
    accepted = undo(world.at, acceptance, changed.root.id, "no")
    assert isinstance(accepted, Accepted)
    tree = work(accepted.id)
    assert tree.root.state is OrderState.COMPLETED
    assert tree.root.undoes == changed.root.id
    assert {target: {text for text in lines if "IP-Profile" not in text} for target, lines in holds(world).items()} == before
    assert tree.instances[PRODUCT].characteristics == line.instances[PRODUCT].characteristics
    assert tree.instances[PRODUCT].offering == "PO-SF200H"
    again = undo(world.at, acceptance, changed.root.id, "no")
    assert isinstance(again, Accepted)
    assert again.repeated


def test_an_order_that_others_built_upon_is_not_undone(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    ordered(acceptance, work, change("modify", characteristics={"ssid": "Nest"}))
    with pytest.raises(UndoImpossible, match="PO-2024-00848 came after PO-2024-00847"):
        undo(world.at, acceptance, line.root.id, "no")
    ended = ordered(acceptance, work, change("delete"))
    with pytest.raises(UndoImpossible, match="can only be ordered anew"):
        undo(world.at, acceptance, ended.root.id, "no")


def test_what_was_exchanged_is_not_brought_back(acceptance: Acceptance, work: Work, world: NullWorld, line: Tree) -> None:
    swap = ordered(acceptance, work, change("modify", replace=["ont"]))
    with pytest.raises(UndoImpossible, match="exchanged ont: what was given back may be anybody's"):
        undo(world.at, acceptance, swap.root.id, "no")


def test_a_new_line_is_undone_as_if_it_had_not_been(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    accepted = undo(world.at, acceptance, line.root.id, "no")
    assert isinstance(accepted, Accepted)
    assert work(accepted.id).root.state is OrderState.COMPLETED
    assert set(holds(world)) == {"logistics"}
    assert world.inventory.given == {}


def test_the_failure_policy_may_take_an_order_back(world: NullWorld, work: Work) -> None:
    rule = FailureRule(error="refused", target="RADIUS-*", then="undo")
    catalogue = replace(world.catalogue, failure_policy=(rule, *world.catalogue.failure_policy))
    world.targets.done = lambda question: question.until != "delivered"
    world.targets.fail = lambda push: refused("no") if push.target == "RADIUS-EAST-01" else None
    order = Acceptance(world.at, catalogue).submit(superfibre(4821)).id
    tree = work(order)
    assert tree.root.state is OrderState.CANCELLED
    assert tree.root.withdrawn.endswith("failed")
    assert holds(world) == {}
    assert world.inventory.given == {}


@pytest.mark.parametrize("answer", [Answer.UNDO, Answer.CANCEL])
def test_a_case_may_be_answered_by_taking_the_order_back(world: NullWorld, acceptance: Acceptance, work: Work, answer: Answer) -> None:
    world.targets.done = lambda question: question.until != "delivered"
    world.targets.fail = lambda push: refused("no") if push.target == "RADIUS-EAST-01" else None
    order = acceptance.submit(superfibre(4821)).id
    while world.at.store.tree(order).root.state is not OrderState.HELD:
        work_a_little(world, order)
    case = next(step.case for step in world.at.store.tree(order).steps.values() if step.case)
    Desk(world.at.store).answer(case, answer, "jane")
    assert work(order).root.state is OrderState.CANCELLED
    assert holds(world) == {}
    with pytest.raises(CaseAnswered):
        Desk(world.at.store).answer(case, answer, "joe")


def test_what_is_left_of_an_older_order_changes_nothing_that_later_ones_made(
    world: NullWorld, acceptance: Acceptance, work: Work, line: Tree
) -> None:
    world.targets.done = lambda question: question.until != "returned"
    swap = ordered(acceptance, work, change("modify", replace=["ont"]))
    assert swap.steps["ROI-007/returned"].state == "waiting"
    ordered(acceptance, work, change("suspend"))
    world.targets.done = lambda _: True
    world.clock.skipped += 7200
    while not world.at.store.tree(swap.root.id).steps["ROI-007/release"].state.final:
        work_a_little(world, swap.root.id)
    assert world.at.store.tree(swap.root.id).instances[PRODUCT].state == "suspended"
    assert [mark.name for mark in world.inventory.given].count("ont") == 1


def test_an_order_whose_line_ended_before_its_turn_fails_and_changes_nothing(
    world: NullWorld, acceptance: Acceptance, work: Work, line: Tree
) -> None:
    acceptance.submit(change("delete", "first"))
    vain = [acceptance.submit(change("delete", "second")), acceptance.submit(change("modify", "third", characteristics={"ssid": "Late"}))]
    for order in vain:
        tree = work(order.id)
        assert tree.root.state is OrderState.FAILED
        assert f"{PRODUCT} ended at" in tree.root.reason
        assert tree.instances[PRODUCT].state == "terminated"
    assert told(world, PRODUCT)[-2:] == ["pendingTerminate", "terminated"]


def test_cancelling_an_order_that_waits_brings_nothing_back(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    line = acceptance.submit(superfibre(4821)).id
    waits = acceptance.submit(change("modify", characteristics={"ssid": "Nest"})).id
    cancel(world.at, line, "no")
    cancel(world.at, waits, "nor that")
    tree = work(waits)
    assert tree.root.state is OrderState.CANCELLED
    assert tree.instances[PRODUCT].state == "cancelled"
    assert tree.instances[PRODUCT].ended is not None
