"""What is waited for too long: from when, until when, and what becomes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from engine.acceptance import Acceptance
from engine.errors import ErrorClass, TargetUnreachable
from engine.executor import LocalExecutor
from engine.model import Step, StepState
from engine.ports import Answer, Look, Question, Trouble
from engine.resuming import happened
from engine.states import OrderState
from engine.tree import Tree
from engine.views import document
from tests.null_world import NullWorld, superfibre

HOURS = 120
HOUR = 3600.0


class Carrier:
    """Asked whether the parcel was delivered, it says what it is told to say. All else has happened."""

    def __init__(self, world: NullWorld) -> None:
        self.delivered, self.deaf, self.looks = False, 0, 0
        self._ask = world.targets.ask
        world.targets.ask = self.ask  # type: ignore[method-assign]

    def ask(self, questions: list[Question]) -> dict[int, Answer]:
        return {question.step: self._answer(question) for question in questions}

    def _answer(self, question: Question) -> Answer:
        if question.until != "delivered" or self.delivered:
            return Answer(Look.DONE, "seen")
        self.looks += 1
        if self.deaf:
            self.deaf -= 1
            return Answer(Look.NOT_YET, trouble=Trouble.of(TargetUnreachable("logistics is down", target="logistics")))
        return Answer(Look.NOT_YET, "parcel LP1 is inTransit", awaits="delivered:x")


@pytest.fixture
def carrier(world: NullWorld) -> Carrier:
    return Carrier(world)


@pytest.fixture
def order(world: NullWorld, acceptance: Acceptance, carrier: Carrier) -> Iterator[str]:
    """An order whose parcel is waited for, and workers that go on."""
    executor = LocalExecutor(world.at)
    number = acceptance.submit(superfibre(4821)).id
    executor.start()
    yield number
    executor.stop()


def wait_of(tree: Tree) -> Step:
    return next(step for step in tree.steps.values() if step.target == "logistics" and step.kind == "wait")


def until(world: NullWorld, order: str, condition: Callable[[Tree], bool]) -> Tree:
    deadline = time.monotonic() + 30
    while not condition(tree := world.at.store.tree(order)):
        assert time.monotonic() < deadline, wait_of(tree)
        time.sleep(0.01)
    return tree


def waiting(tree: Tree) -> bool:
    return any(step.target == "logistics" and step.kind == "wait" and step.state is StepState.WAITING for step in tree.steps.values())


def look_again(world: NullWorld, order: str, carrier: Carrier, hours: float) -> Tree:
    """So many hours later, after it was looked again."""
    looks, attempt = carrier.looks, wait_of(world.at.store.tree(order)).attempt
    world.clock.skipped += hours * HOUR

    def looked(tree: Tree) -> bool:
        step = wait_of(tree)  # read before the carrier may have been asked, so its own attempt counts
        return carrier.looks > looks and step.attempt > attempt and step.state is not StepState.RUNNING

    return until(world, order, looked)


def test_it_is_waited_for_as_long_as_the_catalogue_says_and_then_held(world: NullWorld, order: str, carrier: Carrier) -> None:
    before = world.clock.now()
    step = wait_of(until(world, order, waiting))
    assert step.overdue is not None
    assert timedelta(0) <= step.overdue - before.replace(microsecond=0) - timedelta(hours=HOURS) < timedelta(minutes=5)
    in_time = wait_of(look_again(world, order, carrier, HOURS - 1))
    assert (in_time.state, in_time.overdue) == (StepState.WAITING, step.overdue), "looking does not give it more time"
    tree = look_again(world, order, carrier, 1.1)
    late = wait_of(tree)
    assert late.state is StepState.HELD
    assert late.trouble is not None
    assert (late.trouble.code, late.trouble.error_class) == ("OVERDUE", ErrorClass.OVERDUE)
    assert late.trouble.message == "logistics: `delivered` has been waited for 120 hours: parcel LP1 is inTransit"
    assert tree.root.state is OrderState.HELD
    assert "waited for 120 hours" in tree.root.reason
    rule = world.catalogue.failure_rule(
        specification="RFS:CPE-Provisioning", step="wait", target="logistics", code="OVERDUE", error_class="overdue"
    )
    assert (rule.then, rule.queue) == ("fallout", "logistics")


def test_what_happened_in_time_is_not_overdue_because_nobody_looked(world: NullWorld, order: str, carrier: Carrier) -> None:
    until(world, order, waiting)
    carrier.delivered = True
    world.clock.skipped += 2 * HOURS * HOUR
    until(world, order, lambda tree: tree.root.state is OrderState.COMPLETED)


def test_a_carrier_that_does_not_answer_gives_it_no_more_time(world: NullWorld, order: str, carrier: Carrier) -> None:
    until(world, order, waiting)
    carrier.deaf = 1
    look_again(world, order, carrier, HOURS + 1)
    tree = until(world, order, lambda tree: wait_of(tree).state is StepState.HELD)
    trouble = wait_of(tree).trouble
    assert (carrier.deaf, trouble.code if trouble else None) == (0, "OVERDUE")


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_what_happens_late_is_taken_up_when_it_is_told(world: NullWorld, order: str, carrier: Carrier, told: bool) -> None:
    until(world, order, waiting)
    look_again(world, order, carrier, HOURS + 1)
    tree = until(world, order, lambda tree: wait_of(tree).state is StepState.HELD)
    held = wait_of(tree)
    assert held.awaits == "delivered:x"
    case = held.case
    carrier.delivered = True
    assert happened(world.at.store, {"delivered:x"} if told else {"delivered:y"}) == ({"logistics"} if told else set())
    if not told:
        assert wait_of(world.at.store.tree(order)).state is StepState.HELD
        return
    tree = until(world, order, lambda tree: tree.root.state is OrderState.COMPLETED)
    shown = document(world.at, tree)
    assert shown.cases == []
    closed = [event.data for event in shown.history if event.type == "caseStateChange" and event.data["id"] == case]
    assert [data["state"] for data in closed] == ["closed"]
    assert [event.data["reason"] for event in shown.history if event.type == "resume"] == ["delivered:x was told"]


def test_a_router_that_never_calls_in_is_a_case_too(world: NullWorld) -> None:
    (wait,) = world.catalogue.resource("RFS:Cloud-Controller").wait_before
    assert (wait.until, wait.overdue) == ("inform", 720)


def test_taken_up_again_it_has_its_whole_time_again(world: NullWorld, order: str, carrier: Carrier) -> None:
    until(world, order, waiting)
    look_again(world, order, carrier, HOURS + 1)
    with world.at.store.unit() as unit:
        held = unit.trees([order])[order]
        assert held.resume(wait_of(held), world.clock.now(), world.clock.real(), "the carrier found it")
        held.roll(world.clock.now())
    step = wait_of(until(world, order, waiting))
    assert step.overdue is not None
    assert step.overdue > world.clock.now() + timedelta(hours=HOURS - 1)
    shown = {step.key: step for item in document(world.at, world.at.store.tree(order)).items for step in item.steps}
    assert shown[step.key].overdue == step.overdue
    carrier.delivered = True
    world.clock.skipped += HOUR
    until(world, order, lambda tree: tree.root.state is OrderState.COMPLETED)
