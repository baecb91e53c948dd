"""Orders that change, end, suspend or resume what is there: what they ask for, seen from what there is when their turn comes.

Orders of one subscription have their turn one after the other, as they were accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.characteristics import offered
from engine.catalogue.models import ProductSpecification, Scalar, ServiceSpecification
from engine.context import FORMERLY, order_facts
from engine.decomposition import Line, complete, specification
from engine.errors import InstanceEnded
from engine.lines import opened, outcome_of, replaced, sealed
from engine.model import Action, Instance, Item, Order
from engine.states import Level, OrderState
from engine.store.store import Subscription
from engine.tree import Tree
from engine.vault import Vault

INHERITED = "inherited"
"""In the body of an order: what it did not say itself of customer and address."""


def facts(subscription: Subscription, before: str = "") -> dict[str, Any]:
    """Customer and address as the orders of a subscription left them. `before`: only orders whose turn was before this one's count."""
    known: dict[str, Any] = {}
    for order in subscription.orders:
        if order.id == before:
            break
        if not known or order.state in (OrderState.COMPLETED, OrderState.PARTIAL):
            known = {name: order.body[name] for name in ("customer", "address") if name in order.body}
    return known


def waits_for(subscription: Subscription, order: str) -> Order | None:
    """The order of the same subscription that has its turn before this one, and has not ended."""
    for other in subscription.orders:
        if other.id == order:
            return None
        if not other.state.final:
            return other
    return None


def prepare(catalogue: Catalogue, vault: Vault, tree: Tree, subscription: Subscription) -> None:
    """Complete an order that changes something by what it changes. Raises InstanceEnded, CharacteristicInvalid, UnknownSpecification."""
    tree.instances = {instance.id: instance for instance in subscription.instances}
    tree.allocations = {held.mark: held for held in subscription.allocations}
    root, was = tree.root, facts(subscription, tree.root.id)
    root.body = {**root.body, **{name: was[name] for name in root.body.get(INHERITED, ())}, FORMERLY: was}
    wishes = [line.get("action", "add") for line in root.body.get("items") or [root.body]]
    for item, wish in zip(tree.items_of(root.id), wishes, strict=True):
        instance = tree.instances[item.instance or ""]
        if not instance.lives:
            raise InstanceEnded(f"{instance.id} ended at {instance.ended}")
        item.specification, item.formerly = instance.specification, instance.characteristics
        item.replaces, item.was = f"{instance.order}/{instance.item}", instance.state
        if item.action is Action.DELETE:
            item.characteristics = instance.characteristics
            continue
        line = Line(instance.specification, _wanted(catalogue, vault, tree, item, instance, wish))
        found = specification(catalogue, item.level, instance.specification)
        item.characteristics = sealed(vault, found, line.characteristics, instance.characteristics)
        item.offering = item.offering or instance.offering
        same = item.characteristics == {**dict.fromkeys(item.characteristics), **instance.characteristics}
        moved = root.body["address"] != was["address"]
        unchanged = same and not moved and not replaced(tree) and item.offering == instance.offering
        item.action = Action.NO_CHANGE if unchanged else Action.MODIFY
        item.outcome = outcome_of(catalogue, item.level, line, item.action)


def _wanted(catalogue: Catalogue, vault: Vault, tree: Tree, item: Item, instance: Instance, wish: str) -> Mapping[str, Scalar | None]:
    """All characteristics as the order wants them: those of now, with what it says."""
    found = specification(catalogue, item.level, instance.specification)
    held = {name: value for name, value in opened(vault, instance.characteristics).items() if name in found.characteristics}
    given = {name: value for name, value in opened(vault, item.characteristics).items() if value is not None}
    suspended = found.suspended if isinstance(found, ProductSpecification | ServiceSpecification) else {}
    if wish == "suspend":
        given |= suspended
    elif wish == "resume":
        held = {name: value for name, value in held.items() if name not in suspended}
    if item.level is Level.PRODUCT and (item.offering or instance.offering) in catalogue.offerings:
        offering = catalogue.offering(item.offering or instance.offering or "")
        fixed = offered(offering, given)
        given |= {name: value for name, value in fixed.items() if name in offering.characteristics}
    return complete(catalogue, item.level, instance.specification, {**held, **given}, order_facts(tree.root.body))
