"""A case is open for a step exactly as long as it is held, takes one answer, and says who must do what."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from engine.acceptance import Acceptance
from engine.errors import AnswerNotPossible, CaseAnswered, CaseChanged, CaseClosed, CaseTaken, Conflict, UnknownCase
from engine.fallout.case import Answer, Case, CaseState
from engine.fallout.desk import Desk
from engine.model import StepState
from engine.states import OrderState
from engine.steps.wanted import work_of
from engine.store import cases
from engine.store.cases import Filter
from engine.store.schema import events
from engine.store.store import Unit
from engine.tree import Tree
from engine.views import document
from tests.null_world import NullWorld, refused, superfibre
from tests.unit.engine.conftest import Work, worked_until

SWITCH = "ASW-EAST-07"


def listed(world: NullWorld, **wanted: str | bool) -> list[Case]:
    with world.at.store.database.read() as tx:
        return cases.listed(tx, Filter(**wanted))  # type: ignore[arg-type]


@pytest.fixture
def desk(world: NullWorld) -> Desk:
    return Desk(world.at.store)


Stuck = Callable[[], Case]


@pytest.fixture
def refused_case(world: NullWorld, acceptance: Acceptance, work: Work) -> Case:
    """An order that the access switch refuses."""
    world.targets.fail = lambda push: refused("forwarding table is full") if push.target == SWITCH else None
    work(acceptance.submit(superfibre(1)).id)
    (case,) = listed(world)
    return case


@pytest.fixture
def exhausted_case(world: NullWorld, acceptance: Acceptance) -> Case:
    """An order for which there is no port, also when the watch of the pools, which knows nothing yet, lets it ask once more."""
    world.inventory.left["olt-port"] = 0
    order = acceptance.submit(superfibre(1)).id

    def has_asked_twice(tree: Tree) -> bool:
        return world.inventory.calls >= 2 and StepState.HELD in {step.state for step in tree.steps.values()}

    worked_until(world, order, has_asked_twice)
    (case,) = listed(world)
    return case


def consistent(world: NullWorld, root: str) -> None:
    """There is one case that nobody has answered for each step that is held, and no other."""
    tree = world.at.store.tree(root)
    held = {step.key: step.case for step in tree.steps.values() if step.state is StepState.HELD}
    assert {case.step: case.id for case in listed(world, root=root)} == held
    assert not [step.key for step in tree.steps.values() if step.case and step.state is not StepState.HELD]


# -- opened and closed ---------------------------------------------------------------------------------------------------


def test_what_a_case_says(world: NullWorld, refused_case: Case) -> None:
    case = refused_case
    assert (case.id, case.state, case.queue, case.type) == ("FC-00001", CaseState.OPEN, "provisioning", "refused")
    assert (case.item, case.specification, case.step, case.target) == ("ROI-002", "RFS:VLAN-Service", "ROI-002/configure/1", SWITCH)
    assert case.trouble is not None
    assert "forwarding table is full" in case.trouble.message
    assert [choice.answer for choice in case.answers][:3] == [Answer.RETRY, Answer.DONE, Answer.UNDO]  # and cancel, before it was shipped
    assert case.assignee is None
    consistent(world, case.root)


def test_an_exhausted_pool_is_for_network_planning(exhausted_case: Case) -> None:
    case = exhausted_case
    assert (case.queue, case.type, case.waits_for, case.kind) == ("network-planning", "exhausted", "olt-port:EAST-07", "reserve")
    retry = case.answers[0]
    assert retry.answer is Answer.RETRY
    assert retry.values["port"] == "DEVICE:PORT"
    assert "ont" not in retry.values  # it has one


def test_the_history_of_the_order_tells_of_its_cases(world: NullWorld, desk: Desk, refused_case: Case) -> None:
    desk.take(refused_case.id, "jane")
    desk.answer(refused_case.id, Answer.RETRY, "jane")
    with world.at.store.database.read() as tx:
        told = tx.execute(sa.select(events.c.type, events.c.data).where(events.c.type.like("case%")).order_by(events.c.number)).all()
    assert [(kind, data.get("state")) for kind, data in told] == [
        ("caseCreate", None),
        ("caseStateChange", "taken"),
        ("caseStateChange", "answered"),
    ]


def test_a_case_closes_when_the_step_goes_on_by_itself(world: NullWorld, refused_case: Case, work: Work) -> None:
    world.targets.fail = lambda _: None
    store = world.at.store

    def resume(unit: Unit) -> None:
        tree = unit.trees([refused_case.root])[refused_case.root]
        assert tree.resume(tree.steps[refused_case.step], world.clock.now(), world.clock.real(), "there is room again")
        tree.roll(world.clock.now())

    store.change(resume)
    assert listed(world) == []
    (case,) = listed(world, also_ended=True)
    assert (case.state, case.outcome, case.answer) == (CaseState.CLOSED, "it goes on by itself", None)
    assert case.ended is not None
    assert work(refused_case.root).root.state is OrderState.COMPLETED


def test_a_step_that_stands_still_again_has_a_new_case_that_follows(world: NullWorld, desk: Desk, refused_case: Case, work: Work) -> None:
    desk.answer(refused_case.id, Answer.RETRY, "jane")
    work(refused_case.root)
    (case,) = listed(world)
    assert (case.id, case.follows, case.state, case.assignee) == ("FC-00002", "FC-00001", CaseState.TAKEN, "jane")
    consistent(world, case.root)
    with world.at.store.database.read() as tx:
        assert [each.id for each in cases.of_step(tx, case.root, case.step)] == ["FC-00001", "FC-00002"]


def test_due_is_what_the_failure_rule_says(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    world.inventory.left["olt-port"] = 0
    work(acceptance.submit(superfibre(1)).id)
    (case,) = listed(world)
    rule = next(rule for rule in world.catalogue.failure_policy if rule.error == "exhausted")
    assert rule.due is not None
    assert case.due is not None
    assert (case.due - case.opened).total_seconds() == rule.due * 3600


def test_a_case_costs_one_row_also_when_thousands_are_held_at_once(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    world.inventory.left["olt-port"] = 0
    roots = [acceptance.submit(superfibre(number)).id for number in range(20)]
    for root in roots:
        work(root)
        consistent(world, root)
    assert sorted(case.root for case in listed(world, queue="network-planning")) == sorted(roots)


# -- what people do ------------------------------------------------------------------------------------------------------


def test_retry_when_the_device_takes_it(world: NullWorld, desk: Desk, refused_case: Case, work: Work) -> None:
    world.targets.fail = lambda _: None
    case = desk.answer(refused_case.id, Answer.RETRY, "jane")
    assert (case.state, case.answered_by, case.answer) == (CaseState.ANSWERED, "jane", Answer.RETRY)
    assert work(refused_case.root).root.state is OrderState.COMPLETED
    assert listed(world) == []


def test_retry_with_another_port(world: NullWorld, desk: Desk, exhausted_case: Case, work: Work) -> None:
    world.inventory.spare = {"OLT-EAST-07:LC3/P14"}
    desk.answer(exhausted_case.id, Answer.RETRY, "paul", {"port": "OLT-EAST-07:LC3/P14"})
    tree = work(exhausted_case.root)
    assert tree.root.state is OrderState.COMPLETED
    assert {a.attributes["name"] for a in tree.allocations.values() if a.kind == "olt-port"} == {"OLT-EAST-07:LC3/P14"}


def test_retry_with_a_port_that_is_taken(world: NullWorld, desk: Desk, exhausted_case: Case, work: Work) -> None:
    desk.answer(exhausted_case.id, Answer.RETRY, "paul", {"port": "OLT-EAST-07:LC3/P1"})
    tree = work(exhausted_case.root)
    (case,) = listed(world)
    assert case.trouble is not None
    assert (case.trouble.code, case.queue, case.assignee) == ("RESOURCE_NOT_FREE", "network-planning", "paul")
    assert tree.steps[case.step].given == {}  # asked for once: the next retry takes any


def test_skip_where_the_catalogue_allows_it(world: NullWorld, acceptance: Acceptance, desk: Desk, work: Work) -> None:
    world.targets.fail = lambda push: refused("no such controller") if push.target == "cloudwifi" else None
    order = acceptance.submit(superfibre(1)).id
    work(order)
    (case,) = listed(world)
    assert Answer.SKIP in [choice.answer for choice in case.answers]
    desk.answer(case.id, Answer.SKIP, "jane")
    tree = work(order)
    assert tree.root.state is OrderState.COMPLETED
    assert tree.steps[case.step].evidence == "skipped: jane answered FC-00001: skip"


def test_what_is_not_possible_is_refused_and_nothing_happens(world: NullWorld, desk: Desk, refused_case: Case) -> None:
    with pytest.raises(AnswerNotPossible, match=r"FC-00001 cannot be answered skip: possible is retry, done"):
        desk.answer(refused_case.id, Answer.SKIP, "jane")
    with pytest.raises(AnswerNotPossible, match="retry takes no value port"):
        desk.answer(refused_case.id, Answer.RETRY, "jane", {"port": "x"})
    with pytest.raises(UnknownCase, match="FC-9"):
        desk.answer("FC-9", Answer.RETRY, "jane")
    assert listed(world) == [refused_case]


def test_a_reservation_is_only_done_with_what_was_found(desk: Desk, exhausted_case: Case) -> None:
    with pytest.raises(AnswerNotPossible, match="what was found"):
        desk.answer(exhausted_case.id, Answer.DONE, "jane")
    with pytest.raises(AnswerNotPossible, match="no value is given for port"):
        desk.answer(exhausted_case.id, Answer.DONE, "jane", {"port": " "})


def test_an_answer_given_twice_is_refused_and_says_who_was_first(desk: Desk, refused_case: Case) -> None:
    desk.answer(refused_case.id, Answer.RETRY, "jane")
    with pytest.raises(CaseAnswered, match=r"FC-00001 was answered by jane at 2024-03-11 \d\d:\d\d:\d\d: retry") as refusal:
        desk.answer(refused_case.id, Answer.DONE, "paul")
    assert (refusal.value.http_status, refusal.value.exit_code) == (409, 2)


def test_who_took_a_case_is_not_disturbed(desk: Desk, refused_case: Case) -> None:
    assert desk.take(refused_case.id, "jane").assignee == "jane"
    assert desk.take(refused_case.id, "jane").assignee == "jane"
    with pytest.raises(CaseTaken, match="jane is at FC-00001"):
        desk.take(refused_case.id, "paul")
    with pytest.raises(CaseTaken, match="jane is at FC-00001"):
        desk.answer(refused_case.id, Answer.RETRY, "paul")
    assert desk.take(refused_case.id, "paul", over=True).assignee == "paul"
    assert desk.answer(refused_case.id, Answer.RETRY, "paul").answered_by == "paul"


def test_a_closed_case_takes_no_answer(world: NullWorld, desk: Desk, exhausted_case: Case, work: Work) -> None:
    def cancel(unit: Unit) -> None:
        step = unit.trees([exhausted_case.root])[exhausted_case.root].steps[exhausted_case.step]
        step.state = StepState.CANCELLED

    world.at.store.change(cancel)
    with pytest.raises(CaseClosed, match=r"FC-00001 was closed at .*: the step is cancelled"):
        desk.answer(exhausted_case.id, Answer.RETRY, "jane")


def test_an_answer_to_what_was_changed_meanwhile(desk: Desk, refused_case: Case) -> None:
    desk.note(refused_case.id, "paul", "the vendor looks at it")
    with pytest.raises(CaseChanged, match="it has version 2, not 1"):
        desk.answer(refused_case.id, Answer.RETRY, "jane", version=refused_case.version)


def test_an_answer_while_it_is_tried_again_would_be_lost(world: NullWorld, desk: Desk, exhausted_case: Case) -> None:
    def ask(unit: Unit) -> None:
        tree = unit.trees([exhausted_case.root])[exhausted_case.root]
        tree.claim(tree.steps[exhausted_case.step], world.clock.now())

    world.at.store.change(ask)
    assert listed(world) == [exhausted_case]  # it stands still until there is something
    with pytest.raises(CaseChanged, match="is tried again at this moment"):
        desk.answer(exhausted_case.id, Answer.RETRY, "jane", {"port": "OLT-EAST-07:LC3/P14"})


def test_notes_are_kept_with_who_and_when(world: NullWorld, desk: Desk, refused_case: Case) -> None:
    desk.note(refused_case.id, "paul", "the vendor looks at it")
    desk.answer(refused_case.id, Answer.RETRY, "jane")
    case = desk.note(refused_case.id, "jane", "it was the license")
    assert [(note.by, note.text) for note in case.notes] == [("paul", "the vendor looks at it"), ("jane", "it was the license")]


@pytest.mark.parametrize("people", [8])
def test_of_many_who_answer_at_once_one_is_heard(world: NullWorld, desk: Desk, refused_case: Case, work: Work, people: int) -> None:
    world.targets.fail = lambda _: None

    def answer(number: int) -> str:
        try:
            desk.answer(refused_case.id, Answer.RETRY if number % 2 else Answer.DONE, f"person-{number}")
        except Conflict as refusal:
            return refusal.code
        return f"person-{number}"

    with ThreadPoolExecutor(people) as pool:
        told = sorted(pool.map(answer, range(people)))
    (winner,) = [name for name in told if name.startswith("person-")]
    assert told.count(CaseAnswered.code) == people - 1
    with world.at.store.database.read() as tx:
        assert cases.get(tx, refused_case.id).answered_by == winner


# -- done by hand --------------------------------------------------------------------------------------------------------


def by_hand(world: NullWorld, tree: Tree, case: Case) -> list[str]:
    """What the target should hold for the step of a case."""
    step = tree.steps[case.step]
    work = work_of(world.at.scope(tree), step, world.targets)
    return [line for fragment in work.fragments for line in fragment.text.splitlines()]


def test_what_was_done_by_hand_is_believed_when_it_is_so(world: NullWorld, desk: Desk, refused_case: Case, work: Work) -> None:
    lines = by_hand(world, world.at.store.tree(refused_case.root), refused_case)
    world.targets.lines.setdefault(SWITCH, set()).update(lines)
    sent = len(world.targets.pushes)
    desk.answer(refused_case.id, Answer.DONE, "jane")
    tree = work(refused_case.root)
    assert tree.root.state is OrderState.COMPLETED
    assert SWITCH not in {push.target for push in world.targets.pushes[sent:]}
    assert tree.steps[refused_case.step].evidence == "done by hand, read back as wanted"
    with world.at.store.database.read() as tx:
        applied = world.at.configurations.applied(tx, SWITCH, ["SI-INT-1/RFS:VLAN-Service"])
    assert [text for fragment in applied.values() for text in fragment.text.splitlines()] == lines


def test_what_was_not_done_by_hand_is_not_believed(world: NullWorld, desk: Desk, refused_case: Case, work: Work) -> None:
    sent = len([push for push in world.targets.pushes if push.target == SWITCH])
    desk.answer(refused_case.id, Answer.DONE, "jane")
    tree = work(refused_case.root)
    (case,) = listed(world)
    assert case.trouble is not None
    assert (case.trouble.code, case.follows, tree.steps[case.step].by_hand) == ("NOT_AS_SAID", refused_case.id, False)
    assert f"{SWITCH} does not hold what is wanted: + " in case.trouble.message
    assert len([push for push in world.targets.pushes if push.target == SWITCH]) == sent
    world.targets.fail = lambda _: None
    desk.answer(case.id, Answer.RETRY, "jane")
    assert work(refused_case.root).root.state is OrderState.COMPLETED


def test_values_that_only_the_target_tells_are_asked_for_and_looked_up(
    world: NullWorld, acceptance: Acceptance, desk: Desk, work: Work
) -> None:
    world.targets.fail = lambda push: refused("no more registrations") if push.target == "cloudwifi" else None
    order = acceptance.submit(superfibre(1)).id
    tree = work(order)
    (case,) = listed(world)
    world.targets.lines["cloudwifi"] = {*by_hand(world, tree, case), "id CW-89012"}
    with pytest.raises(AnswerNotPossible, match=r"what was found\? done \[--with id=VALUE\]"):
        desk.answer(case.id, Answer.DONE, "jane")
    desk.answer(case.id, Answer.DONE, "jane", {"id": "CW-1"})
    work(order)
    (again,) = listed(world)
    assert again.trouble is not None
    assert again.trouble.message == "cloudwifi tells of no id CW-1"
    desk.answer(again.id, Answer.DONE, "jane", {"id": "CW-89012"})
    tree = work(order)
    assert tree.root.state is OrderState.COMPLETED
    assert [line.value for line in document(world.at, tree).allocations if line.resource == "Platform Registration"] == [
        "CloudWiFi device ID: CW-89012"
    ]


# -- shown ---------------------------------------------------------------------------------------------------------------


def test_an_order_shows_its_cases(world: NullWorld, refused_case: Case) -> None:
    tree: Tree = world.at.store.tree(refused_case.root)
    (shown,) = document(world.at, tree).cases
    assert (shown.id, shown.queue, [each.answer for each in shown.answers]) == ("FC-00001", "provisioning", ["retry", "done", "undo"])
