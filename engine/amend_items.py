"""Amended characteristics: which items of which level they change, and whether these may still be changed.

The order is decomposed as it is and as it is to be, by the catalogue it was accepted with: the items whose characteristics differ are those
that the amendment touches. Other items than it has, or other resources than it holds, would be another plan: that is another order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.acceptance import Acceptance
from engine.batch import Workplace
from engine.catalogue.characteristics import offered
from engine.catalogue.models import Scalar
from engine.context import Scope, order_facts, remembered_site
from engine.decomposition import Line, complete, specification
from engine.errors import AmendDenied, BadInput
from engine.expressions import render
from engine.lines import lines_below, opened, sealed
from engine.model import PUSHES, Action, Item, Order, StepKind, StepState
from engine.plan import RESERVE
from engine.states import Level, OrderState
from engine.steps.needs import needs_of
from engine.tree import Tree
from engine.vault import MASK

ItemKey = tuple[str, str]
"""Order and item."""
_AT_IT = {StepKind.DECOMPOSE: "it is being decomposed", StepKind.RESERVE: "its resources are being reserved"}


@dataclass(frozen=True)
class Amended:
    """The new characteristics of the items that an amendment touches, with secrets sealed; and of those it names, to be shown."""

    items: Mapping[ItemKey, dict[str, Any]] = field(default_factory=dict)
    shown: Mapping[str, Scalar] = field(default_factory=dict)


def amended(at: Workplace, acceptance: Acceptance, tree: Tree, wish: Mapping[str, Scalar], name: str | None) -> Amended:
    """See what an order becomes with these characteristics of one of its items. The tree stays as it is.

    Raises BadInput, CharacteristicInvalid, TemplateFailed; AmendDenied with the reason.
    """
    item = _meant(tree, name)
    _must_be_amendable(tree, item)
    seen = tree.copy()
    found = {(item.order, item.id): _wished(at, tree, item, wish)}
    if found[item.order, item.id] == item.characteristics:
        return Amended()
    _put(seen, found)
    for order in [order for order in tree.orders.values() if order.decomposed]:
        below = _below(at, tree, seen, order)
        _put(seen, below)
        found |= below
    if not tree.root.decomposed:
        acceptance.rehearse(seen.copy())
    for key in found:
        _may_change(tree, tree.items[key])
    _same_resources(at, tree, seen)
    secret = {each for each, c in specification(at.catalogue(tree), item.level, item.specification).characteristics.items() if c.secret}
    return Amended(found, {each: MASK if each in secret else value for each, value in wish.items()})


def keep(tree: Tree, found: Amended, now: datetime, why: str) -> None:
    """Take the new characteristics over."""
    _put(tree, found.items)
    for order, name in found.items:
        tree.emit(order, name, "itemAttributeValueChange", now, reason=why)


def _put(tree: Tree, found: Mapping[ItemKey, dict[str, Any]]) -> None:
    for key, characteristics in found.items():
        item = tree.items[key]
        item.characteristics = characteristics
        instance = tree.instances.get(item.instance or "")
        if item.action is Action.ADD and instance is not None:
            instance.characteristics = characteristics


def _meant(tree: Tree, name: str | None) -> Item:
    items = tree.items_of(tree.root.id)
    found = [item for item in items if name in (None, item.id)]
    if len(found) == 1:
        return found[0]
    raise BadInput(f"which item of {tree.root.id}? It has {', '.join(item.id for item in items)}", remedy="Say so with --item.")


def _must_be_amendable(tree: Tree, item: Item) -> None:
    wishes = [line.get("action", "add") for line in tree.root.body.get("items") or [tree.root.body]]
    wish = wishes[item.ordinal]
    if wish not in ("add", "modify"):
        raise AmendDenied(f"{item.id} is to {wish} {item.instance}: that takes no characteristics")
    if tree.root.undoes:
        raise AmendDenied(f"{tree.root.id} makes things as they were before {tree.root.undoes}, and takes no other characteristics")
    if tree.root.checksum:
        raise AmendDenied(f"{tree.root.id} was ordered with a checksum: only what was shown may be sent")
    busy = next((_AT_IT[step.kind] for step in tree.steps.values() if step.state is StepState.RUNNING and step.kind in _AT_IT), None)
    if busy is not None:
        raise AmendDenied(f"{tree.root.id}: {busy} at this moment", remedy="Say it again.")


def _wished(at: Workplace, tree: Tree, item: Item, wish: Mapping[str, Scalar]) -> dict[str, Any]:
    """All characteristics of a submitted item as the order would have had them from the beginning."""
    catalogue, vault = at.catalogue(tree), at.store.vault
    instance = tree.instances.get(item.instance or "")
    name = item.specification or (instance.specification if instance else "")
    found = specification(catalogue, item.level, name)
    given = {each: value for each, value in opened(vault, item.characteristics).items() if value is not None} | dict(wish)
    if item.action is not Action.ADD and not tree.root.decomposed:  # it is completed when its turn comes
        return sealed(vault, found, given, instance.characteristics if instance else None)
    if item.offering in catalogue.offerings:
        given = offered(catalogue.offering(item.offering or ""), given)
    values = complete(catalogue, item.level, name, given, order_facts(tree.root.body))
    return sealed(vault, found, values, item.characteristics)


def _below(at: Workplace, tree: Tree, seen: Tree, order: Order) -> dict[ItemKey, dict[str, Any]]:
    """The items below an order that become different. What counts only once, when an item is made, changes none that has begun."""
    catalogue, vault = at.catalogue(tree), at.store.vault
    before, after = (_by_specification(lines_below(catalogue, vault, each, each.orders[order.id])) for each in (tree, seen))
    other = before.keys() ^ after.keys() | {name for name in before.keys() & after.keys() if _asks_more(before[name], after[name])}
    if other:
        raise AmendDenied(f"{tree.root.id} is planned already, and would need another plan: for {', '.join(sorted(other))}")
    child = next(each for each in tree.orders.values() if each.parent == order.id)
    items = {item.specification: item for item in tree.items_of(child.id)}
    found = {}
    for name, line in after.items():
        item, declared = items[name], specification(catalogue, child.level, name)
        differing = {each for each, value in line.characteristics.items() if value != before[name].characteristics.get(each)}
        once = all(declared.characteristics[each].once for each in differing)
        if differing and not (once and _has_begun(tree, item)):
            found[child.id, item.id] = sealed(vault, declared, line.characteristics, item.characteristics)
    return found


def _asks_more(before: Line, after: Line) -> bool:
    """What is as it was after all is looked at, and nothing is sent; but where nothing, or something else, is planned it is not changed."""
    return after.action not in (before.action, Action.NO_CHANGE)


def _by_specification(lines: list[tuple[str, Line]]) -> dict[str, Line]:
    return {line.specification: line for _, line in lines}


def _may_change(tree: Tree, item: Item) -> None:
    """Raises AmendDenied when an item cannot become different any more."""
    if _has_begun(tree, item):
        raise AmendDenied(f"{item.id} {item.specification} has begun: it is {item.state}")
    if item.level is not Level.RESOURCE and item.state.final:
        raise AmendDenied(f"{item.id} {item.specification} is {item.state}")


def _has_begun(tree: Tree, item: Item) -> bool:
    """Whether a target holds, or may hold, something of an item."""
    if item.level is not Level.RESOURCE:
        return False
    pushes = [step for step in tree.steps_of(item.order, item.id) if step.kind in PUSHES]
    at_it = (StepState.RUNNING, StepState.DONE)
    return item.state is OrderState.COMPLETED or any(step.state in at_it or step.crashes for step in pushes)


def _same_resources(at: Workplace, tree: Tree, seen: Tree) -> None:
    """Raises AmendDenied when what is reserved, or where it is configured, would no longer be the right one."""
    if not any(step.key == RESERVE and step.state is StepState.DONE for step in tree.steps.values()):
        return  # nothing is reserved, and nothing is known of where
    before, after = (
        Scope(each, at.catalogue(tree), remembered_site(tree), lambda _, text: at.store.vault.secret(text)) for each in (tree, seen)
    )
    pools = {need.mark: need.pool for need in needs_of(after)}
    for need in needs_of(before):
        if pools.get(need.mark) != need.pool:
            raise AmendDenied(f"{tree.root.id}: its {need.mark.name} is reserved already, and would be from another pool")
    for step in tree.steps.values():
        item = seen.item_of(step)
        if step.target and step.target_expression and item and render(step.target_expression, after.of_item(item)) != step.target:
            raise AmendDenied(f"{step.key} is planned for {step.target} already")
