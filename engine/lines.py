"""The lines of the order below: what its items are decomposed into, or, for what is there already, what changes of it.

An order that changes something is decomposed twice by the same catalogue, as it was and as it shall be: the difference is what flows
down. So a newer catalogue never changes what nobody ordered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from engine import decomposition
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import ProductSpecification, ResourceSpecification, ServiceSpecification, Specification
from engine.catalogue.names import usable
from engine.context import FORMERLY, SEALED, order_facts
from engine.decomposition import Line
from engine.errors import TurnupError
from engine.expressions import render
from engine.model import Action, Instance, Item, Order
from engine.plan import dependencies
from engine.requests import Address
from engine.states import Level, OrderState, ProductState, ServiceState
from engine.tree import Tree
from engine.vault import Vault, generate

Numbered: TypeAlias = list[tuple[str, Line]]
Characteristics: TypeAlias = Mapping[str, Any]


def opened(vault: Vault, characteristics: Characteristics) -> dict[str, Any]:
    """Characteristics with secrets opened."""
    return {name: vault.secret(value[SEALED]) if isinstance(value, dict) else value for name, value in characteristics.items()}


def sealed(vault: Vault, found: Specification, values: Characteristics, formerly: Characteristics | None = None) -> dict[str, Any]:
    """Characteristics as they are stored: what is secret sealed, and generated when none was given and none was there before."""
    kept, before = dict(values), formerly or {}
    for name, characteristic in found.characteristics.items():
        if not characteristic.secret:
            continue
        value = kept.get(name)
        if before.get(name) is not None and (value is None or value == vault.open(before[name][SEALED])):
            kept[name] = before[name]
            continue
        if value is None and characteristic.generate:
            value = generate(characteristic.generate)
        kept[name] = None if value is None else {SEALED: vault.seal(str(value))}
    return kept


def new_items(catalogue: Catalogue, vault: Vault, tree: Tree, order: Order, lines: Numbered) -> list[Item]:
    """The items of a new order."""
    ids = {line.specification: name for name, line in lines}
    needs = dependencies(catalogue, ids) if order.level is Level.RESOURCE else {}
    made = []
    for number, (name, line) in enumerate(lines):
        instance = tree.instances[line.instance] if line.instance else None
        specification = instance.specification if instance else line.specification
        found = decomposition.specification(catalogue, order.level, specification)
        formerly = instance.characteristics if instance else None
        untouched = line.action is Action.NO_CHANGE and formerly is not None
        made.append(
            Item(
                order=order.id,
                id=name,
                root=order.root,
                level=order.level,
                specification=specification,
                state=OrderState.ACKNOWLEDGED,
                ordinal=number,
                action=line.action,
                offering=line.offering,
                parent=line.serves[0] if line.serves else None,
                serves=line.serves,
                depends_on=tuple(ids[n] for n in needs.get(line.specification, ())),
                instance=line.instance,
                characteristics=dict(formerly or {}) if untouched else sealed(vault, found, line.characteristics, formerly),
                formerly=dict(formerly) if formerly is not None else None,
                replaces=f"{instance.order}/{instance.item}" if instance else "",
                was=instance.state if instance else "",
                outcome=line.outcome,
            )
        )
    return made


def lines_below(catalogue: Catalogue, vault: Vault, tree: Tree, order: Order, *, whole: bool = False) -> Numbered:
    """What the items of an order decompose into. Secrets are open in the lines. `whole`: also of an order that changes something all that
    it is to be, as if nothing were there."""
    after = _decomposed(catalogue, vault, tree, order, former=False)
    if whole or not tree.changes_something:
        return after
    return list(_difference(catalogue, tree, order, dict(_decomposed(catalogue, vault, tree, order, former=True)), after))


def _decomposed(catalogue: Catalogue, vault: Vault, tree: Tree, order: Order, *, former: bool) -> Numbered:
    """The lines below an order, as its items are to be, or as they were."""
    products = tree.order_of(Level.PRODUCT)
    body = tree.root.body
    facts = body.get(FORMERLY, body) if former else body
    offered = [found for item in tree.items_of(products.id) if (found := _side(item, former=former)) is not None] if products else []
    context = {
        **order_facts(facts),
        "exchange": {"name": Address.model_validate(facts["address"]).exchange},
        "p": opened(vault, offered[0]) if offered else {},
    }
    own = [
        (item.id, Line(item.specification, opened(vault, found), item.serves, item.offering))
        for item in tree.items_of(order.id)
        if (found := _side(item, former=former)) is not None
    ]
    return decomposition.decompose(catalogue, order.level, own, context)


def _side(item: Item, *, former: bool) -> Characteristics | None:
    """An item's characteristics before or after the order; None where it is not there."""
    if former:
        return None if item.action is Action.ADD else item.formerly or {}
    return None if item.action is Action.DELETE else item.characteristics


def _difference(catalogue: Catalogue, tree: Tree, order: Order, before: Mapping[str, Line], after: Numbered) -> Iterator[tuple[str, Line]]:
    """The lines below with what each asks for. What the catalogue would make today and is not there is not made by the way."""
    level = order.level.below
    if level is None:
        raise LookupError(f"{order.id} has no level below")
    was = {line.specification: line for line in before.values()}
    live = {instance.specification: instance for instance in tree.instances.values() if instance.level is level and instance.lives}
    touched = _touched(catalogue, tree, was, {line.specification: line for _, line in after}) if level is Level.RESOURCE else set()
    found: list[Line] = []
    for _, line in after:
        old, instance = was.pop(line.specification, None), live.get(line.specification)
        if instance is None:
            found += [] if old else [line]
            continue
        changed = old is None or line.specification in touched or _differ(catalogue, level, old, line)
        found.append(_asking(catalogue, line, Action.MODIFY if changed else Action.NO_CHANGE, instance))
    found += [_asking(catalogue, line, Action.DELETE, live[name]) for name, line in was.items() if name in live]
    return ((f"{level.item_prefix}-{number:03d}", line) for number, line in enumerate(found, start=1))


def _asking(catalogue: Catalogue, line: Line, action: Action, instance: Instance) -> Line:
    return replace(line, action=action, instance=instance.id, outcome=outcome_of(catalogue, instance.level, line, action))


def outcome_of(catalogue: Catalogue, level: Level, line: Line, action: Action) -> str:
    """The state that an instance has with these characteristics, where it is not the usual one: while it is suspended."""
    if action is Action.DELETE or level is Level.RESOURCE:
        return ""
    found = decomposition.specification(catalogue, level, line.specification)
    suspended = found.suspended if isinstance(found, ProductSpecification | ServiceSpecification) else {}
    if not suspended or any(line.characteristics.get(name) != value for name, value in suspended.items()):
        return ""
    return ProductState.SUSPENDED if level is Level.PRODUCT else ServiceState.INACTIVE


def _differ(catalogue: Catalogue, level: Level, old: Line, new: Line) -> bool:
    declared = decomposition.specification(catalogue, level, new.specification).characteristics
    return any(old.characteristics.get(name) != new.characteristics.get(name) for name, c in declared.items() if not c.once)


def _touched(catalogue: Catalogue, tree: Tree, before: Mapping[str, Line], after: Mapping[str, Line]) -> set[str]:
    """RFS that read a resource which this order exchanges for another, or whose exchange is another, though nothing else of them is new."""
    names = replaced(tree)
    moved = False
    if FORMERLY in tree.root.body:
        old_exchange, new_exchange = (Address.model_validate(b["address"]).exchange for b in (tree.root.body[FORMERLY], tree.root.body))
        moved = old_exchange != new_exchange
        for specification in before.keys() & after.keys():
            pairs = [(before[specification], old_exchange), (after[specification], new_exchange)]
            for name, reservation in catalogue.resource(specification).reserve.items():
                pools = [_pool(reservation.pool, line.characteristics, exchange) for line, exchange in pairs]
                names |= {name} if pools[0] != pools[1] else set()
    found = {name for name in after if names & usable(catalogue, catalogue.resource(name))}
    return found | {name for name in after if moved and _is_local(catalogue.resource(name))}


def replaced(tree: Tree) -> set[str]:
    """The allocations that the order asks to exchange for others: a broken ONT, a bad port."""
    return set(tree.root.body.get("replace", ()))


def _pool(pool: Mapping[str, str], characteristics: Characteristics, exchange: str) -> object:
    try:
        return {key: render(text, {"c": dict(characteristics), "exchange": {"name": exchange}}) for key, text in pool.items()}
    except TurnupError:
        return object()  # it depends on something else: taken for another


def _is_local(found: ResourceSpecification) -> bool:
    """Whether something of it is at the exchange."""
    return any("exchange." in configuration.target for configuration in found.configure)
