"""Taking an order back while it is under way: what was not begun never is, what was done is undone in the reverse order.

Nothing is undone before all that runs has ended, so that it is known what there is to undo. Each target gets back what it held under the
order's keys before the order touched them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from engine.model import PUSHES, Action, Instance, Item, Step, StepKind, StepState
from engine.states import Level, OrderState, ProductState, ServiceState, legal

if TYPE_CHECKING:
    from engine.tree import Tree

UNDO = "/undo"
"""Ends the keys of steps that take back what another did."""
RETURNING = "returning"
"""In the body of an order: the targets that say when something is back that the customer was sent, by item."""


def takes_back(step: Step) -> bool:
    """Whether the step takes back what another did."""
    return step.key.endswith(UNDO)


def roll(tree: Tree, now: datetime) -> None:
    """Bring an order that is being taken back one step further: `Tree.roll` calls it."""
    for step in tree.steps.values():
        # one whose worker died is done once more: its transaction may be open, and only its target knows
        if not takes_back(step) and not step.state.final and step.state is not StepState.RUNNING and not step.crashes:
            step.state, step.ended = StepState.CANCELLED, now
    running = any(not step.state.final for step in tree.steps.values() if not takes_back(step))
    if not running:
        for step in _undoing(tree):
            tree.steps[step.key] = step
    ended = not running and all(step.state is StepState.DONE for step in tree.steps.values() if takes_back(step) and step.gates)
    for level in (Level.RESOURCE, Level.SERVICE, Level.PRODUCT):
        order = tree.order_of(level)
        if order is None:
            continue
        for item in tree.items_of(order.id):
            item.trouble = next((s.trouble for s in tree.steps_of(order.id, item.id) if s.trouble and takes_back(s)), None)
            tree.go_item(item, path(level, item.state, ended=ended), now)
        tree.go_order(order, path(level, order.state, ended=ended), now)
    if ended:
        for item in tree.items.values():
            instance = tree.instances.get(item.instance or "")
            if instance is not None:
                state, characteristics = instance.state, instance.characteristics
                _as_before(instance, item, now, turn=tree.root.decomposed)
                _tell(tree, item, instance, now, state=instance.state != state, attributes=instance.characteristics != characteristics)


def path(level: Level, state: OrderState, *, ended: bool) -> tuple[OrderState, ...]:
    """The states to go through: what has ended stays as it is."""
    if state.final:
        return ()
    way: list[OrderState] = []
    if state not in (OrderState.ASSESSING_CANCELLATION, OrderState.PENDING_CANCELLATION):
        way += [] if legal(level, state, OrderState.ASSESSING_CANCELLATION) else [OrderState.IN_PROGRESS]
        way.append(OrderState.ASSESSING_CANCELLATION)
    if state is not OrderState.PENDING_CANCELLATION:
        way.append(OrderState.PENDING_CANCELLATION)
    return (*way, OrderState.CANCELLED) if ended else tuple(way)


def _undoing(tree: Tree) -> list[Step]:
    """The steps that undo what was done, each after those that undo what was built upon it; then what was taken is given back."""
    done = [step for step in tree.steps.values() if step.kind in PUSHES and step.state is StepState.DONE and not takes_back(step)]
    found = []
    for step in done:
        later = tuple(f"{other.key}{UNDO}" for other in done if step.key in _before(tree, other))
        found.append(_made(tree, step, f"{step.key}{UNDO}", StepKind.RESTORE, later, target=step.target))
    reserve = next((step for step in tree.steps.values() if step.kind is StepKind.RESERVE), None)
    if reserve is None:
        return [step for step in found if step.key not in tree.steps]
    found.append(_made(tree, reserve, f"release{UNDO}", StepKind.RELEASE, tuple(step.key for step in found), gates=False))
    for step in done:
        target = tree.root.body.get(RETURNING, {}).get(step.item)
        if target is not None:
            back = f"{step.item}/returned{UNDO}"
            found.append(_made(tree, step, back, StepKind.WAIT, (f"{step.key}{UNDO}",), target=target, gates=False, outside=True))
            release = _made(tree, reserve, f"{step.item}/release{UNDO}", StepKind.RELEASE, (back,), gates=False)
            release.item = step.item
            found.append(release)
    return [step for step in found if step.key not in tree.steps]


def _made(
    tree: Tree,
    like: Step,
    key: str,
    kind: StepKind,
    needs: tuple[str, ...],
    *,
    target: str | None = None,
    gates: bool = True,
    outside: bool = False,
) -> Step:
    free = all(need in tree.steps and tree.steps[need].state is StepState.DONE for need in needs)
    state = StepState.READY if free else StepState.BLOCKED
    item = like.item if target is not None else None
    step = Step(0, tree.root.id, like.order, key, kind, state, item=item, part=like.part, needs=needs, gates=gates, outside=outside)
    step.target, step.lane, step.priority = target, target or like.lane, tree.root.priority
    return step


def _before(tree: Tree, step: Step) -> set[str]:
    """All that a step needs, directly or not."""
    found: set[str] = set()
    todo = list(step.needs)
    while todo:
        key = todo.pop()
        if key not in found and key in tree.steps:
            found.add(key)
            todo += tree.steps[key].needs
    return found


def _as_before(instance: Instance, item: Item, now: datetime, *, turn: bool) -> None:
    """What the order made is no more; what it changed or ended is as it was. `turn`: whether it ever had its turn to change anything."""
    if item.action is Action.ADD:
        if instance.lives:
            instance.state = ProductState.CANCELLED if item.level is Level.PRODUCT else ServiceState.TERMINATED
            instance.ended = now
    elif item.action in (Action.MODIFY, Action.DELETE) and item.formerly is not None and turn:
        order, _, name = item.replaces.partition("/")
        instance.characteristics, instance.order, instance.item = item.formerly, order, name
        instance.state, instance.ended = item.was or instance.state, None


def _tell(tree: Tree, item: Item, instance: Instance, now: datetime, *, state: bool, attributes: bool) -> None:
    if instance.level is not Level.RESOURCE and attributes:
        tree.emit(item.order, item.id, f"{item.level}AttributeValueChange", now, id=instance.id)
    if instance.level is not Level.RESOURCE and state:
        tree.emit(item.order, item.id, f"{item.level}StateChange", now, id=instance.id, state=instance.state)
