"""Cancelling an order that is under way, and taking back one that has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.acceptance import Acceptance, Accepted
from engine.batch import Workplace
from engine.context import FORMERLY
from engine.errors import CancelDenied, OrderEnded, UndoImpossible
from engine.lines import opened, replaced
from engine.model import Action, Item
from engine.recall import past_return, take_back
from engine.requests import OrderRequest
from engine.states import Level, OrderState
from engine.store.store import Subscription
from engine.tree import Tree
from engine.withdrawal import path

_NOTHING_DONE = (OrderState.CANCELLED, OrderState.REJECTED)


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
    denied = "" if recall else "; ".join(past_return(at.catalogue(tree), tree))
    if denied:
        before = root.state
        tree.go_order(root, path(root.level, root.state, ended=False)[:-1], now)
        tree.go_order(root, (before,), now)
        tree.emit(root.id, None, "cancelDenied", now, reason=denied)
        return Cancelled(root.id, root.state, denied)
    take_back(at.catalogue(tree), tree, reason, now)
    return Cancelled(root.id, root.state)


def undo(at: Workplace, acceptance: Acceptance, order: str, reason: str) -> Cancelled | Accepted:
    """Take back what an order did: one that is under way is cancelled, past its point of no return, too; for one that has ended a new
    order is accepted that is linked to it.

    Raises UnknownOrder, UndoImpossible (a later order built upon it, or it ended or exchanged something).
    """
    tree = at.store.tree(order)
    root = tree.root
    if not root.state.final:
        return cancel(at, root.id, reason, recall=True)
    if root.state in _NOTHING_DONE:
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
    names = [order.id for order in subscription.orders if order.state not in _NOTHING_DONE or order.id == root.id]
    before = names[: names.index(root.id)]
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
    if exchanged := replaced(tree):
        raise UndoImpossible(f"{tree.root.id} exchanged {', '.join(sorted(exchanged))}: what was given back may be anybody's")
    if item.outcome and item.was != item.outcome:
        return {"action": "resume"}
    was, changed = opened(at.store.vault, item.formerly), {n for n, v in item.characteristics.items() if v != item.formerly.get(n)}
    given = {name: was[name] for name in sorted(changed) if was.get(name) is not None}
    return {"action": "modify", "characteristics": given, **({"offering": offering} if item.level is Level.PRODUCT and offering else {})}
