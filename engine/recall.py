"""Whether an order may still be taken back, and taking it back: of its tree alone, inside somebody's transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from engine.catalogue.catalogue import Catalogue
from engine.model import PUSHES, Action, StepState
from engine.states import Level, OrderState
from engine.tree import Tree
from engine.withdrawal import RETURNING

_BEGUN = (StepState.RUNNING, StepState.DONE)


def may_go(tree: Tree) -> bool:
    """Whether there is anything to take back: the order has not ended, and is not being taken back."""
    return not tree.root.state.final and not tree.root.withdrawn


def past_return(catalogue: Catalogue, tree: Tree) -> list[str]:
    """The items past their point of no return that are not recalled: why an order cannot be cancelled any more."""
    order, found = tree.order_of(Level.RESOURCE), []
    for item in tree.items_of(order.id) if order else ():
        if item.action not in (Action.ADD, Action.MODIFY):
            continue
        resource = catalogue.resource(item.specification)
        begun = [step for step in tree.steps_of(item.order, item.id) if step.kind in PUSHES and step.state in _BEGUN]
        complete = item.state is OrderState.COMPLETED and bool(begun)
        passed = {
            "start": bool(begun),
            "configured": any(step.state is StepState.DONE for step in begun),
            "complete": complete,
            "never": False,
        }[resource.point_of_no_return]
        if passed and (resource.recall == "never" or (resource.recall == "until-complete" and complete)):
            found.append(f"{item.id} {resource.name} is {item.state} and past its point of no return")
    return found


def take_back(catalogue: Catalogue, tree: Tree, reason: str, now: datetime) -> None:
    """Take the order back, whatever it is past."""
    tree.root.body = {**tree.root.body, RETURNING: dict(_returning(catalogue, tree))}
    tree.withdraw(reason, now)


def _returning(catalogue: Catalogue, tree: Tree) -> Iterator[tuple[str, str]]:
    """The items that sent something to the customer, and the target that says when it is back."""
    order = tree.order_of(Level.RESOURCE)
    for item in tree.items_of(order.id) if order else ():
        if catalogue.resource(item.specification).returned is not None and item.action is not Action.NO_CHANGE:
            for step in tree.steps_of(item.order, item.id):
                if step.kind in PUSHES and step.target:
                    yield item.id, step.target
