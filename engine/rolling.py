"""The states of items and orders, from the bottom up: what follows from steps, and from what an item was decomposed into."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from engine.model import Action, Item, Order, Step, StepKind, StepState
from engine.ports import Trouble
from engine.states import Level, OrderState, roll_up

if TYPE_CHECKING:
    from engine.tree import Tree


def roll(tree: Tree, now: datetime, *, whole: bool) -> None:
    """`whole`: look at everything. What changed is the same either way."""
    # that a step is being done moves nothing by itself: `claim` has moved what begins with it
    touched = {(step.order, step.item) for step in tree.steps.values() if step.changes and step.state is not StepState.RUNNING}
    if not (whole or touched or any(value.changes for part in (tree.orders, tree.items) for value in part.values())):
        return
    below: list[Item] = []
    for level in (Level.RESOURCE, Level.SERVICE, Level.PRODUCT):
        order = tree.order_of(level)
        if order is None:
            continue
        items = tree.items_of(order.id)
        above = {name for child in below if whole or child.changes for name in child.serves}
        every = whole or (order.id, None) in touched
        hanging = [item for item in items if every or item.changes or item.id in above or (order.id, item.id) in touched]
        if hanging or order.changes:
            _roll_order(tree, order, items, hanging, below, now)
        below = items


def _roll_order(tree: Tree, order: Order, items: list[Item], hanging: list[Item], below: list[Item], now: datetime) -> None:
    gating: dict[str | None, list[Step]] = {}
    for step in tree.steps.values():
        if step.gates and step.order == order.id:
            gating.setdefault(step.item, []).append(step)
    stopped = [step for step in gating.get(None, ()) if step.state in (StepState.HELD, StepState.FAILED)]
    for item in hanging:
        children = [child for child in below if item.id in child.serves]
        _roll_item(tree, order, item, gating.get(item.id, []), children, stopped, now)
    state = roll_up((item.state for item in _that_count(items)), tree.roll_up)
    if state is not OrderState.ACKNOWLEDGED:
        tree.move_order(order, state, now)


def _roll_item(tree: Tree, order: Order, item: Item, own: list[Step], children: list[Item], stopped: list[Step], now: datetime) -> None:
    """`own`: the item's gating steps; `children`: what it was decomposed into; `stopped`: steps of the order itself (decomposition,
    reservation) that stand still, without which none of its items goes on."""
    if not own and not children and item.level is Level.RESOURCE and item.action in (Action.NO_CHANGE, Action.DELETE):
        if order.state is not OrderState.ACKNOWLEDGED:  # there is nothing to do for it
            tree.move_item(item, OrderState.COMPLETED, now)
        return
    if not own and not children and not stopped and not _planned(tree, order):
        if item.state is OrderState.HELD:  # it was resumed, and what will make its parts has yet to do so
            item.trouble = None
            tree.move_item(item, OrderState.IN_PROGRESS, now)
        return
    begun = item.state is not OrderState.ACKNOWLEDGED and not children
    states = [roll_up((child.state for child in _that_count(children)), tree.roll_up)] if children else []
    states += [_of_steps(own, item, begun=begun)] if own else []
    states += [OrderState.HELD if step.state is StepState.HELD else OrderState.FAILED for step in stopped if not own]
    if any(step.state is StepState.HELD for step in stopped):
        states.append(OrderState.HELD)
    state = roll_up(states) if states else OrderState.COMPLETED
    trouble = next((step.trouble for step in own if step.trouble and step.state is not StepState.DONE), None)
    trouble = trouble or _why_cancelled(tree, own) or _of_children(children, state)
    trouble = trouble or next((step.trouble for step in stopped), None)
    if trouble != item.trouble:
        item.trouble = trouble
    if state is not OrderState.ACKNOWLEDGED:
        tree.move_item(item, state, now)


def _why_cancelled(tree: Tree, own: list[Step]) -> Trouble | None:
    """What went wrong with the step that these waited for in vain."""
    todo = [step for step in own if step.state is StepState.CANCELLED]
    seen: set[str] = set()
    while todo:
        needed = [tree.steps[key] for key in todo.pop(0).needs if key not in seen]
        seen |= {step.key for step in needed}
        failed = next((step.trouble for step in needed if step.state is StepState.FAILED and step.trouble), None)
        if failed is not None:
            return failed
        todo += [step for step in needed if step.state is StepState.CANCELLED]
    return None


def _planned(tree: Tree, order: Order) -> bool:
    """Whether all that will ever belong to the items of this order is there."""
    return any(step.kind is StepKind.RESERVE for step in tree.steps.values()) and order.level is not Level.RESOURCE


def _that_count(items: list[Item]) -> list[Item]:
    """What is not to change is complete at once, and says nothing of how the rest ends."""
    return [item for item in items if item.action is not Action.NO_CHANGE] or items


def _of_children(children: list[Item], state: OrderState) -> Trouble | None:
    """Why an item is in the state that follows from what it was decomposed into: also when only a part of that failed."""
    alike = {OrderState.FAILED, OrderState.PARTIAL, OrderState.REJECTED} if state in (OrderState.FAILED, OrderState.PARTIAL) else {state}
    return next((child.trouble for child in children if child.trouble and child.state in alike), None)


def _of_steps(steps: list[Step], item: Item, *, begun: bool) -> OrderState:
    """State of an item that follows from its own steps. It ends when all of them have. `begun`: it is not acknowledged again."""
    states = {StepState.HELD if step.held else step.state for step in steps}
    if StepState.HELD in states:
        return OrderState.HELD
    if all(state.final for state in states):
        if states == {StepState.DONE}:
            return OrderState.COMPLETED
        never_begun = states == {StepState.CANCELLED} and item.state is OrderState.ACKNOWLEDGED
        return OrderState.REJECTED if never_begun else OrderState.FAILED
    # who looks again whether something has happened has not begun anything: the item stays pending
    looking = item.state is OrderState.PENDING and StepState.RUNNING in states
    if looking or any(step.outside and step.state is StepState.WAITING for step in steps):
        return OrderState.PENDING
    begun = begun or bool(states & {StepState.DONE, StepState.WAITING, StepState.FAILED})
    return OrderState.IN_PROGRESS if begun else OrderState.ACKNOWLEDGED
