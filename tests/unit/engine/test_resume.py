"""What stood still is taken up again: the tree's part of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.acceptance import Acceptance
from engine.errors import TargetRefused
from engine.model import Item, Order, Step, StepKind, StepResult, StepState
from engine.ports import Trouble
from engine.states import Level, OrderState
from engine.tree import POISONOUS, Tree
from tests.null_world import NullWorld, refused, superfibre
from tests.unit.engine.conftest import Work

NOW, REAL = datetime(2024, 3, 11, 9, tzinfo=UTC), 1000.0
TROUBLE = Trouble.of(TargetRefused("bad-element"))


def tree_of(*keys: str) -> Tree:
    """A resource order whose one item has these steps, each needing the one before."""
    order = Order("RO-1", "RO-1", Level.RESOURCE, OrderState.ACKNOWLEDGED, NOW, "")
    item = Item("RO-1", "ROI-001", "RO-1", Level.RESOURCE, "RFS:X", OrderState.ACKNOWLEDGED, 1)
    made = Tree([order], [item], [])
    needs = [(), *((key,) for key in keys)]
    steps = [
        Step(n, "RO-1", "RO-1", key, StepKind.CONFIGURE, StepState.BLOCKED, item="ROI-001", needs=needs[n]) for n, key in enumerate(keys)
    ]
    made.plan(steps, REAL)
    return made


def hold(tree: Tree, key: str) -> Step:
    """The step is begun, and held."""
    step = tree.steps[key]
    tree.claim(step, NOW)
    tree.settle(step, StepResult(StepState.HELD, TROUBLE, awaits="vlan:EAST-07-RES"), NOW, REAL)
    tree.roll(NOW)
    return step


def test_held_ends_through_in_progress_and_an_event_says_why() -> None:
    tree = tree_of("a", "b")
    step = hold(tree, "a")
    assert (tree.root.state, tree.root.reason) == (OrderState.HELD, "bad-element")
    tree.events.clear()
    assert tree.resume(step, NOW, REAL + 60, "asked for by anna")
    tree.roll(NOW)
    item = tree.items["RO-1", "ROI-001"]
    assert (tree.root.state, tree.root.reason) == (OrderState.IN_PROGRESS, "")
    assert (item.state, item.reason, item.trouble) == (OrderState.IN_PROGRESS, "", None)
    assert (step.state, step.trouble, step.awaits, step.due) == (StepState.READY, None, "vlan:EAST-07-RES", REAL + 60)
    assert [(event.type, event.data.get("reason")) for event in tree.events] == [
        ("resume", "asked for by anna"),
        ("itemStateChange", None),
        ("orderStateChange", None),
    ]


def test_it_has_all_its_tries_before_it() -> None:
    tree = tree_of("a")
    step = tree.steps["a"]
    for _ in range(POISONOUS):
        tree.claim(step, NOW)
        tree.orphaned(step, NOW, REAL)
    assert step.state is StepState.HELD
    attempt = step.attempt
    assert tree.resume(step, NOW, REAL, "")
    assert (step.failures, step.crashes, step.attempt) == (0, 0, attempt)  # an answer of an earlier attempt is still refused


def test_who_still_needs_something_waits_for_it() -> None:
    tree = tree_of("a", "b")
    hold(tree, "a")
    second = hold(tree, "b")  # begun together with what it needs, and neither came through
    assert second.state is StepState.BLOCKED
    assert not tree.resume(second, NOW, REAL, "")
    assert tree.root.state is OrderState.HELD  # the other one still holds it


@pytest.mark.parametrize("state", [state for state in StepState if state is not StepState.HELD])
def test_what_is_not_held_is_left_as_it_is(state: StepState) -> None:
    tree = tree_of("a")
    step = tree.steps["a"]
    step.state, step.trouble = state, TROUBLE
    tree.events.clear()
    assert not tree.resume(step, NOW, REAL, "")
    assert (step.state, step.trouble, tree.events) == (state, TROUBLE, [])


def test_an_order_that_could_not_be_decomposed_is_in_progress_again() -> None:
    order = Order("PO-1", "PO-1", Level.PRODUCT, OrderState.ACKNOWLEDGED, NOW, "")
    item = Item("PO-1", "POI-001", "PO-1", Level.PRODUCT, "PS", OrderState.ACKNOWLEDGED, 1)
    tree = Tree([order], [item], [])
    tree.plan([Step(1, "PO-1", "PO-1", "decompose/product", StepKind.DECOMPOSE, StepState.BLOCKED)], REAL)
    step = hold(tree, "decompose/product")
    assert item.state is OrderState.HELD
    tree.resume(step, NOW, REAL, "")
    tree.roll(NOW)
    assert (item.state, item.trouble, order.state) == (OrderState.IN_PROGRESS, None, OrderState.IN_PROGRESS)


def test_an_order_that_a_device_held_completes(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    world.targets.fail = lambda push: refused("bad-element: vlan-id 5000") if push.target == "ASW-EAST-07" else None
    order = acceptance.submit(superfibre(1)).id
    held = [step.key for step in work(order).steps.values() if step.state is StepState.HELD]
    world.targets.fail = lambda _: None
    with world.at.store.unit() as unit:
        tree = unit.trees([order])[order]
        for key in held:
            assert tree.resume(tree.steps[key], world.clock.now(), world.clock.real(), "the switch was mended")
        tree.roll(world.clock.now())
        assert tree.root.state is OrderState.IN_PROGRESS
    assert work(order).root.state is OrderState.COMPLETED
