"""What becomes of a product or service when the item that makes, changes or ends it moves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from engine.model import PUSHES, Action, Instance, Item, StepState
from engine.states import Level, OrderState, ProductState, ServiceState

if TYPE_CHECKING:
    from engine.tree import Tree


def follow(tree: Tree, item: Item, now: datetime) -> None:
    """Bring the instance of an item to the state that follows from the item's."""
    instance = tree.instances.get(item.instance or "")
    if instance is None or not instance.lives:  # it ended before the order had its turn
        return
    if item.state is OrderState.COMPLETED and item.action in (Action.ADD, Action.MODIFY):
        _take_over(tree, instance, item, now)
    state = item.outcome if item.outcome and item.state is OrderState.COMPLETED else _instance_state(item)
    in_vain = item.state.final and item.state is not OrderState.COMPLETED
    if state in _ENDED and instance.lives and not (in_vain and _leaves_something(tree, item)):
        instance.ended = now
    if state is None or instance.state == state:
        return
    instance.state = state
    if state == ServiceState.ACTIVE:  # products spell it alike
        instance.started = instance.started or now
    if instance.level is not Level.RESOURCE:
        tree.emit(item.order, item.id, f"{item.level}StateChange", now, id=instance.id, state=state)


def _leaves_something(tree: Tree, item: Item) -> bool:
    """Whether an item that came to nothing holds resources, or configuration: it is there to be taken back."""
    resources = [each for each in tree.items.values() if each.level is Level.RESOURCE]
    parts = {(r.order, r.id) for r in resources if item.level is Level.PRODUCT or r is item or item.id in r.serves}
    if any((mark.order, mark.item) in parts for mark in tree.allocations):
        return True
    return any(s.kind in PUSHES and s.state is StepState.DONE and (s.order, s.item) in parts for s in tree.steps.values())


def _take_over(tree: Tree, instance: Instance, item: Item, now: datetime) -> None:
    """From now on the instance is as this item made it."""
    learned = {name: value for step in tree.steps_of(item.order, item.id) for name, value in step.learned.items()}
    instance.learned = {**instance.learned, **learned}
    instance.order, instance.item, instance.catalogue = item.order, item.id, tree.orders[item.order].catalogue
    instance.offering = item.offering or instance.offering
    if instance.characteristics != item.characteristics:
        instance.characteristics = item.characteristics
        if instance.level is not Level.RESOURCE:
            tree.emit(item.order, item.id, f"{item.level}AttributeValueChange", now, id=instance.id)


_IN_VAIN = (OrderState.FAILED, OrderState.REJECTED)
_INSTANCE_STATES: Mapping[tuple[Action, Level, OrderState], str] = {
    (Action.ADD, Level.RESOURCE, OrderState.IN_PROGRESS): ServiceState.INACTIVE,
    (Action.ADD, Level.RESOURCE, OrderState.COMPLETED): ServiceState.ACTIVE,
    **{(Action.ADD, level, state): ServiceState.TERMINATED for level in (Level.RESOURCE, Level.SERVICE) for state in _IN_VAIN},
    (Action.ADD, Level.SERVICE, OrderState.IN_PROGRESS): ServiceState.INACTIVE,
    (Action.ADD, Level.SERVICE, OrderState.COMPLETED): ServiceState.ACTIVE,
    (Action.ADD, Level.PRODUCT, OrderState.IN_PROGRESS): ProductState.PENDING_ACTIVE,
    (Action.ADD, Level.PRODUCT, OrderState.COMPLETED): ProductState.ACTIVE,
    **{(Action.ADD, Level.PRODUCT, state): ProductState.ABORTED for state in _IN_VAIN},
    (Action.MODIFY, Level.RESOURCE, OrderState.COMPLETED): ServiceState.ACTIVE,
    (Action.MODIFY, Level.SERVICE, OrderState.COMPLETED): ServiceState.ACTIVE,
    (Action.MODIFY, Level.PRODUCT, OrderState.COMPLETED): ProductState.ACTIVE,
    (Action.DELETE, Level.RESOURCE, OrderState.COMPLETED): ServiceState.TERMINATED,
    (Action.DELETE, Level.SERVICE, OrderState.COMPLETED): ServiceState.TERMINATED,
    (Action.DELETE, Level.PRODUCT, OrderState.IN_PROGRESS): ProductState.PENDING_TERMINATE,
    (Action.DELETE, Level.PRODUCT, OrderState.COMPLETED): ProductState.TERMINATED,
}
_ENDED = {ServiceState.TERMINATED, ProductState.TERMINATED, ProductState.CANCELLED, ProductState.ABORTED}


def _instance_state(item: Item) -> str | None:
    """State of an instance that follows from that of its item; None: it stays."""
    return _INSTANCE_STATES.get((item.action, item.level, item.state))
