"""How results of steps change states, in memory: what random orders (tests/property) once found wrong."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import ResourceSpecification
from engine.errors import TargetRefused
from engine.model import Item, Order, Step, StepKind, StepResult, StepState
from engine.plan import plan
from engine.ports import Trouble
from engine.states import Level, OrderState
from engine.tree import Tree

NOW, REAL = datetime(2024, 3, 11, 9, tzinfo=UTC), 1000.0
RO, SO = "RO-1", "SO-1"
DONE = StepResult(StepState.DONE)
REFUSED = Trouble.of(TargetRefused("no"))
FAILED, HELD = StepResult(StepState.FAILED, REFUSED), StepResult(StepState.HELD, REFUSED)


def tree_of(steps: dict[str, tuple[str, ...]], **more: Step) -> Tree:
    """A service order with one item, and the resource order below it; `steps`: key (`ROI-001/a`) -> needs."""
    orders = [
        Order(SO, SO, Level.SERVICE, OrderState.ACKNOWLEDGED, NOW, "c"),
        Order(RO, SO, Level.RESOURCE, OrderState.ACKNOWLEDGED, NOW, "c", parent=SO),
    ]
    names = sorted({key.partition("/")[0] for key in steps})
    items = [Item(SO, "SOI-001", SO, Level.SERVICE, "CFS:A", OrderState.ACKNOWLEDGED, 0)]
    items += [Item(RO, name, SO, Level.RESOURCE, "RFS:A", OrderState.ACKNOWLEDGED, n, serves=("SOI-001",)) for n, name in enumerate(names)]
    made = [Step(0, SO, RO, "reserve", StepKind.RESERVE, StepState.DONE)]
    made += [
        Step(n, SO, RO, key, StepKind.CONFIGURE, StepState.BLOCKED, item=key.partition("/")[0], needs=needs)
        for n, (key, needs) in enumerate(steps.items(), start=1)
    ]
    tree = Tree(orders, items, [*made, *more.values()])
    tree.plan([], REAL)
    return tree


def settle(tree: Tree, key: str, result: StepResult) -> None:
    """A worker did this step."""
    tree.claim(tree.steps[key], NOW)
    tree.roll(NOW)
    tree.settle(tree.steps[key], result, NOW, REAL)
    tree.roll(NOW)


def states(tree: Tree) -> dict[str, str]:
    return {item.id: str(item.state) for item in tree.items.values()} | {order.id: str(order.state) for order in tree.orders.values()}


def test_an_item_ends_when_all_its_steps_have() -> None:
    """A failed step does not hide that another is held, for which others wait: an order that stands still says so."""
    tree = tree_of({"ROI-001/a": (), "ROI-001/b": (), "ROI-002/a": ("ROI-001/b",)})
    settle(tree, "ROI-001/a", FAILED)
    assert states(tree)["ROI-001"] == "inProgress"
    settle(tree, "ROI-001/b", HELD)
    assert states(tree) == {"SOI-001": "held", "ROI-001": "held", "ROI-002": "acknowledged", SO: "held", RO: "held"}
    tree.resume(tree.steps["ROI-001/b"], NOW, REAL, "looked at")
    tree.roll(NOW)
    settle(tree, "ROI-001/b", DONE)
    assert states(tree)["ROI-001"] == "failed"
    settle(tree, "ROI-002/a", DONE)
    assert states(tree) == {"SOI-001": "partial", "ROI-001": "failed", "ROI-002": "completed", SO: "partial", RO: "partial"}


def test_what_ends_in_part_after_it_was_held_is_partial() -> None:
    tree = tree_of({"ROI-001/a": (), "ROI-002/a": ()})
    settle(tree, "ROI-001/a", DONE)
    settle(tree, "ROI-002/a", HELD)
    assert states(tree)["SOI-001"] == "held"
    step = tree.steps["ROI-002/a"]
    tree.resume(step, NOW, REAL, "looked at")
    tree.claim(step, NOW)
    tree.settle(step, FAILED, NOW, REAL)
    tree.roll(NOW)  # once, as a worker does for all of a batch
    assert (states(tree)["SOI-001"], states(tree)[SO]) == ("partial", "partial")


def test_a_service_whose_parts_wait_for_others_is_pending_though_its_own_step_is_still_to_come() -> None:
    online = Step(9, SO, SO, "SOI-001/online", StepKind.ONLINE, StepState.BLOCKED, item="SOI-001", needs=("ROI-001/a",), outside=True)
    tree = tree_of({"ROI-001/a": ()}, online=online)
    tree.steps["ROI-001/a"].outside = True
    settle(tree, "ROI-001/a", StepResult(StepState.WAITING, awaits="parcel"))
    assert states(tree) == {"SOI-001": "pending", "ROI-001": "pending", SO: "pending", RO: "pending"}
    settle(tree, "ROI-001/a", DONE)
    assert states(tree) == {"SOI-001": "inProgress", "ROI-001": "completed", SO: "inProgress", RO: "completed"}
    settle(tree, "SOI-001/online", DONE)
    assert states(tree)[SO] == "completed"


def test_work_that_was_left_running_does_not_wait_for_a_time_of_a_clock_that_was_set_back() -> None:
    tree = tree_of({"ROI-001/a": (), "ROI-002/a": ("ROI-001/a",)})
    step, later = tree.steps["ROI-001/a"], tree.steps["ROI-002/a"]
    tree.claim(step, NOW)
    later.due = later.noted = REAL  # it was ready once
    earlier = REAL - 3600
    tree.orphaned(step, NOW, earlier)
    assert (step.state, step.due) == (StepState.READY, earlier)
    tree.claim(step, NOW)
    tree.settle(step, DONE, NOW, earlier)
    assert (later.state, later.due) == (StepState.READY, earlier)


def test_what_was_done_together_with_something_that_failed_is_cancelled_also_when_its_worker_died_in_between() -> None:
    tree = tree_of({"ROI-001/a": (), "ROI-002/a": ("ROI-001/a",)})
    for step in (tree.steps["ROI-001/a"], tree.steps["ROI-002/a"]):
        tree.claim(step, NOW)  # in one batch
    tree.settle(tree.steps["ROI-001/a"], FAILED, NOW, REAL)
    tree.orphaned(tree.steps["ROI-002/a"], NOW, REAL)
    tree.roll(NOW)
    assert tree.steps["ROI-002/a"].state is StepState.CANCELLED
    assert states(tree)[SO] == "failed"


def test_what_fails_while_what_it_needs_is_not_done_waits_for_that() -> None:
    """Of a batch one is settled before the other: its template is wrong, and a device has yet to say what it says of what it needs."""
    tree = tree_of({"ROI-001/a": (), "ROI-002/a": ("ROI-001/a",)})
    first, second = tree.steps["ROI-001/a"], tree.steps["ROI-002/a"]
    for step in (first, second):
        tree.claim(step, NOW)
    tree.settle(second, HELD, NOW, REAL)
    tree.roll(NOW)
    assert (second.state, states(tree)["ROI-002"]) == (StepState.BLOCKED, "acknowledged")
    tree.settle(first, DONE, NOW, REAL)
    assert second.state is StepState.READY
    settle(tree, "ROI-002/a", HELD)
    assert (second.state, states(tree)[SO]) == (StepState.HELD, "held")


def test_nothing_begins_of_an_item_that_is_rejected() -> None:
    tree = tree_of({"ROI-001/a": (), "ROI-001/b": ()})
    tree.settle(tree.steps["ROI-001/a"], StepResult(StepState.FAILED, REFUSED, rejected=True), NOW, REAL)
    tree.roll(NOW)
    assert tree.steps["ROI-001/b"].state is StepState.CANCELLED
    assert states(tree)["ROI-001"] == "rejected"


def test_what_is_only_reserved_completes_when_it_is_put_to_use() -> None:
    """A resource that nothing is configured for has a step to complete with; others wait for it."""
    only = ResourceSpecification.model_validate({"id": "RFS:A", "name": "A", "reserve": {"ipv4": {"kind": "ipv4", "pool": {}}}})
    after = ResourceSpecification.model_validate(
        {"id": "RFS:B", "name": "B", "depends_on": ["RFS:A"], "configure": [{"target": "OLT", "template": "t"}]}
    )
    items = [Item(RO, "ROI-001", RO, Level.RESOURCE, "RFS:A", OrderState.ACKNOWLEDGED, 0)]
    items += [Item(RO, "ROI-002", RO, Level.RESOURCE, "RFS:B", OrderState.ACKNOWLEDGED, 1, depends_on=("ROI-001",))]
    steps = {step.key: step for step in plan(Catalogue(resources={"RFS:A": only, "RFS:B": after}), items, [], online_gates=False)}
    assert list(steps) == ["reserve", "ROI-001/activate", "ROI-002/configure/0"]
    assert steps["ROI-001/activate"].gates
    assert steps["ROI-001/activate"].needs == ("reserve",)
    assert steps["ROI-002/configure/0"].needs == ("ROI-001/activate",)
