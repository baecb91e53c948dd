"""A held step is answered with another resource than the order has: the old one is free again and nothing stands there."""

from __future__ import annotations

import pytest

from engine.acceptance import Acceptance
from engine.cancel import cancel
from engine.dryrun import dry_run
from engine.errors import AnswerNotPossible
from engine.fallout.case import Answer, Case
from engine.fallout.desk import Desk
from engine.fallout.views import file_of
from engine.ports import Allocation, Outcome, Push
from engine.states import OrderState
from engine.store import waiting
from engine.store.store import Unit
from engine.views import document
from tests.null_world import NullWorld, refused, superfibre
from tests.unit.engine.conftest import Work
from tests.unit.engine.test_fallout_cases import consistent, listed

OLT, OTHER = "OLT-EAST-07", "OLT-EAST-07:LC3/P14"


@pytest.fixture
def desk(world: NullWorld) -> Desk:
    return Desk(world.at.store)


@pytest.fixture
def bad_port(world: NullWorld, acceptance: Acceptance, work: Work) -> Case:
    """The OLT refuses what is sent for the port that the order has."""
    broken: set[str] = set()

    def fail(push: Push) -> Outcome | None:
        names = {str(held.attributes["name"]) for held in world.inventory.given.values() if held.kind == "olt-port"}
        broken.update(names - {OTHER} if not broken else ())
        return refused("the transceiver is dead") if push.target == OLT and names & broken else None

    world.targets.fail = fail
    assert work(acceptance.submit(superfibre(4821)).id).root.state is OrderState.HELD
    (case,) = listed(world)
    return case


def ports(world: NullWorld) -> list[Allocation]:
    return [held for held in world.inventory.given.values() if held.kind == "olt-port"]


def test_the_wanted_port_takes_the_place_of_the_bad_one(world: NullWorld, desk: Desk, bad_port: Case, work: Work) -> None:
    assert (bad_port.item, bad_port.answers[0].values["port"]) == ("ROI-001", "DEVICE:PORT")
    (old,) = ports(world)
    world.inventory.spare = {OTHER}
    desk.answer(bad_port.id, Answer.RETRY, "jane", {"port": OTHER})
    tree = work(bad_port.root)
    assert tree.root.state is OrderState.COMPLETED
    (new,) = ports(world)
    assert new.attributes["name"] == OTHER
    assert new.mark == old.mark
    assert tree.allocations[new.mark].attributes["name"] == OTHER
    assert listed(world) == []
    told = [event.type for event in document(world.at, tree).history if event.data.get("name") == "port"]
    assert told == ["allocation", "release", "allocation"]


def test_what_was_shipped_is_not_exchanged(world: NullWorld, desk: Desk, bad_port: Case) -> None:
    assert "ont" not in file_of(world.at.store, bad_port.id).case.answers[0].values  # the router is with the customer by now
    with pytest.raises(AnswerNotPossible, match="retry takes no value ont"):
        desk.answer(bad_port.id, Answer.RETRY, "jane", {"ont": "HWT1"})


def test_a_port_that_is_taken_is_said_and_any_will_do_then(world: NullWorld, desk: Desk, bad_port: Case, work: Work) -> None:
    desk.answer(bad_port.id, Answer.RETRY, "jane", {"port": "OLT-EAST-07:LC1/P1"})
    tree = work(bad_port.root)
    assert tree.root.state is OrderState.HELD
    (case,) = listed(world)
    assert case.trouble is not None
    assert (case.kind, case.trouble.code, case.assignee) == ("reserve", "RESOURCE_NOT_FREE", None)
    assert ports(world) == []
    consistent(world, case.root)
    woken = world.at.store.change(lambda unit: capacity(world, unit))
    assert woken == [], "no other port is what was asked for"
    desk.answer(case.id, Answer.RETRY, "jane")
    assert work(bad_port.root).root.state is OrderState.COMPLETED
    assert len(ports(world)) == 1


def capacity(world: NullWorld, unit: Unit) -> list[tuple[int, str]]:
    """Whom it brings to ask that there are ports."""
    waiting.capacity(unit.tx, {"olt-port:EAST-07"}, world.at.clock.real())
    return waiting.next_in_line(unit.tx, "olt-port:EAST-07", world.at.clock.real(), world.at.clock.real(), 10)


def test_cancelled_instead_everything_is_given_back(world: NullWorld, desk: Desk, bad_port: Case, work: Work) -> None:
    world.inventory.spare = {OTHER}
    desk.answer(bad_port.id, Answer.RETRY, "jane", {"port": OTHER})
    cancel(world.at, bad_port.root, "no", recall=True)
    tree = work(bad_port.root)
    assert tree.root.state is OrderState.CANCELLED
    assert world.inventory.given == {}


def test_what_others_of_the_order_use_already_is_not_exchanged(world: NullWorld, acceptance: Acceptance, desk: Desk, work: Work) -> None:
    world.targets.fail = lambda push: refused("table full") if push.target == "ASW-EAST-07" else None
    order = acceptance.submit(superfibre(1)).id
    work(order)
    (case,) = listed(world)
    assert case.item == "ROI-002"
    assert case.answers[0].values == {}  # the OLT forwards this VLAN already


def test_what_was_shown_with_a_checksum_is_not_exchanged(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    found = dry_run(world.at, world.catalogue, superfibre(1))
    world.targets.fail = lambda push: refused("no") if push.target == OLT else None
    order = acceptance.submit(superfibre(1), checksum=found.preview.checksum).id
    work(order)
    (case,) = listed(world)
    assert case.answers[0].values == {}
