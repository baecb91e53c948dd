"""Cancelling an order that is under way, and taking back one that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.acceptance import Acceptance, Accepted
from engine.batch import Workplace
from engine.catalogue.catalogue import Catalogue
from engine.context import FORMERLY
from engine.errors import CancelDenied, OrderEnded, UndoImpossible
from engine.lines import opened
from engine.model import PUSHES, Action, Item, StepState
from engine.requests import OrderRequest
from engine.states import Level, OrderState
from engine.store.store import Subscription
from engine.tree import Tree
from engine.withdrawal import RETURNING, path

_BEGUN = (StepState.RUNNING, StepState.DONE)


@dataclass(frozen=True)
class Cancelled:
    """What became of a cancellation. `denied`: why the order goes on."""

    order: str
    state: OrderState
    denied: str = ""


def cancel(at: Workplace, order: str, reason: str, *, recall: bool = False) -> Cancelled:
    """Cancel an order: nothing more of it is begun, what was done is undone, its resources are given back. To say it again does no harm.

    `recall`: also what is past its point of no return. Raises UnknownOrder, OrderEnded, CancelDenied (the order goes on as before).
    """
    root = at.store.tree(order).root.id
    outcome = at.store.change(lambda unit: _cancel(at, unit.trees([root])[root], reason, recall=recall))
    if outcome.denied:
        raise CancelDenied(f"{outcome.order} goes on: {outcome.denied}")
    return outcome


def _cancel(at: Workplace, tree: Tree, reason: str, *, recall: bool) -> Cancelled:
    root, now = tree.root, at.clock.now()
    if root.withdrawn:
        return Cancelled(root.id, root.state)
    if root.state.final:
        raise OrderEnded(f"{root.id} is {root.state}")
    denied = "" if recall else "; ".join(_past_return(at.catalogue(tree), tree))
    if denied:
        before = root.state
        tree.go_order(root, path(root.level, root.state, ended=False)[:-1], now)
        tree.go_order(root, (before,), now)
        tree.emit(root.id, None, "cancelDenied", now, reason=denied)
        return Cancelled(root.id, root.state, denied)
    root.body = {**root.body, RETURNING: dict(_returning(at.catalogue(tree), tree))}
    tree.withdraw(reason, now)
    return Cancelled(root.id, root.state)


def _past_return(catalogue: Catalogue, tree: Tree) -> Iterator[str]:
    """The items past their point of no return that are not recalled."""
    order = tree.order_of(Level.RESOURCE)
    for item in tree.items_of(order.id) if order else ():
        if item.action not in (Action.ADD, Action.MODIFY):
            continue
        found = catalogue.resource(item.specification)
        begun = [step for step in tree.steps_of(item.order, item.id) if step.kind in PUSHES and step.state in _BEGUN]
        passed = {
            "start": bool(begun),
            "configured": any(step.state is StepState.DONE for step in begun),
            "complete": item.state is OrderState.COMPLETED and bool(begun),
            "never": False,
        }[found.point_of_no_return]
        complete = item.state is OrderState.COMPLETED
        if passed and (found.recall == "never" or (found.recall == "until-complete" and complete)):
            yield f"{item.id} {found.name} is {item.state} and past its point of no return"


def _returning(catalogue: Catalogue, tree: Tree) -> Iterator[tuple[str, str]]:
    """The items that sent something to the customer, and the target that says when it is back."""
    order = tree.order_of(Level.RESOURCE)
    for item in tree.items_of(order.id) if order else ():
        if catalogue.resource(item.specification).returned is not None and item.action is not Action.NO_CHANGE:
            for step in tree.steps_of(item.order, item.id):
                if step.kind in PUSHES and step.target:
                    yield item.id, step.target


def undo(at: Workplace, acceptance: Acceptance, order: str, reason: str) -> Cancelled | Accepted:
    """Take back what an order did: one that is under way is cancelled, past its point of no return, too; for one that has ended a new
    order is accepted that is linked to it.

    Raises UnknownOrder, UndoImpossible (a later order built upon it; what was ended can only be ordered anew).
    """
    tree = at.store.tree(order)
    root = tree.root
    if not root.state.final:
        return cancel(at, root.id, reason, recall=True)
    if root.state in (OrderState.CANCELLED, OrderState.REJECTED):
        raise UndoImpossible(f"{root.id} is {root.state}: there is nothing to take back")
    subscription = at.store.database.look(lambda tx: at.store.subscription(tx, root.subscription or ""))
    names = [other.id for other in subscription.orders]
    later = [o.id for o in subscription.orders[names.index(root.id) + 1 :] if o.state is not OrderState.CANCELLED and o.undoes != root.id]
    if later:
        raise UndoImpossible(f"{', '.join(later)} came after {root.id}: take back the last one first")
    return acceptance.submit(_reverse(at, tree, subscription))


def _reverse(at: Workplace, tree: Tree, subscription: Subscription) -> OrderRequest:
    """The order that takes this one back."""
    root, subject = tree.root, "product" if tree.root.level is Level.PRODUCT else "service"
    before = [order.id for order in subscription.orders if order.id < root.id]
    earlier = at.store.tree(before[-1]) if before else None
    offering = next((item.offering for item in earlier.items_of(earlier.root.id)), None) if earlier else None
    return OrderRequest.model_validate(
        {
            "externalId": f"undo-{root.id}",
            "undoes": root.id,
            "level": root.level,
            "priority": root.priority,
            "items": [{subject: item.instance, **_wish(at, tree, item, offering)} for item in tree.items_of(root.id)],
            **({"address": root.body[FORMERLY]["address"]} if FORMERLY in root.body else {}),
        }
    )


def _wish(at: Workplace, tree: Tree, item: Item, offering: str | None) -> dict[str, Any]:
    """What makes of an item's instance what it was."""
    if item.action is Action.ADD:
        return {"action": "delete"}
    if item.action is Action.DELETE or item.formerly is None:
        raise UndoImpossible(f"{tree.root.id} ended {item.instance}: it can only be ordered anew")
    if item.outcome and item.was != item.outcome:
        return {"action": "resume"}
    was, changed = opened(at.store.vault, item.formerly), {n for n, v in item.characteristics.items() if v != item.formerly.get(n)}
    given = {name: was[name] for name in sorted(changed) if was.get(name) is not None}
    return {"action": "modify", "characteristics": given, **({"offering": offering} if item.level is Level.PRODUCT and offering else {})}
