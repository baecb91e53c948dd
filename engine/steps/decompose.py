"""Decompose an order into the order of the level below, and plan the resource order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from engine import decomposition
from engine.batch import Batch, Settlement, StepRef, Workplace, exchange, ref
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import ProductSpecification, ServiceSpecification, Specification
from engine.context import SEALED, order_facts
from engine.decomposition import Line
from engine.errors import TurnupError
from engine.expressions import render
from engine.failpoints import Failpoint, reached
from engine.model import Instance, Item, Order, Step, StepKind, StepResult, StepState
from engine.plan import PlannedStep, dependencies, plan
from engine.policy import after_trouble
from engine.ports import Trouble
from engine.states import Level, OrderState, ProductState, ServiceState
from engine.store.instance_ids import InstanceIds
from engine.tree import Tree
from engine.vault import Vault, generate

ORDERS_LANE = "orders"


def carry_out(batch: Batch, at: Workplace) -> Iterator[Settlement]:
    """The orders below are written in the transaction that settles the steps. One order that cannot be decomposed harms no other."""
    results: dict[StepRef, StepResult] = {}
    found: dict[StepRef, list[tuple[str, Line]]] = {}
    for step in batch.steps:
        tree, catalogue = batch.tree(step), at.catalogue(batch.tree(step))
        try:
            found[ref(step)] = lines_below(catalogue, at.store.vault, tree, tree.orders[step.order])
            results[ref(step)] = StepResult(StepState.DONE)
        except TurnupError as error:
            results[ref(step)] = after_trouble(catalogue, tree, step, Trouble.of(error), at.clock.real())

    reached(Failpoint.DECOMPOSED)

    def write(tx: sa.Connection, trees: Mapping[str, Tree]) -> None:
        ids = InstanceIds(tx)
        for (root, key), lines in found.items():
            _write_below(tx, at, ids, trees[root], trees[root].steps[key], lines)

    yield Settlement(results, write)


def lines_below(catalogue: Catalogue, vault: Vault, tree: Tree, order: Order) -> list[tuple[str, Line]]:
    """What the items of an order decompose into. Secrets are open in the lines."""
    products = tree.order_of(Level.PRODUCT)
    offered = tree.items_of(products.id) if products else []
    context = {
        **order_facts(tree.root.body),
        "exchange": {"name": exchange(tree)},
        "p": open_characteristics(vault, offered[0]) if offered else {},
    }
    own = [(i.id, Line(i.specification, open_characteristics(vault, i), i.serves, i.offering)) for i in tree.items_of(order.id)]
    return decomposition.decompose(catalogue, order.level, own, context)


def open_characteristics(vault: Vault, item: Item) -> dict[str, Any]:
    """Characteristics with secrets opened."""
    return {name: vault.open(value[SEALED]) if isinstance(value, dict) else value for name, value in item.characteristics.items()}


def seal_characteristics(vault: Vault, found: Specification, values: Mapping[str, Any]) -> dict[str, Any]:
    """Characteristics as they are stored: what is secret sealed, and generated when none was given."""
    kept = dict(values)
    for name, characteristic in found.characteristics.items():
        if characteristic.secret:
            value = kept.get(name)
            if value is None and characteristic.generate:
                value = generate(characteristic.generate)
            kept[name] = None if value is None else {SEALED: vault.seal(str(value))}
    return kept


def new_items(catalogue: Catalogue, vault: Vault, order: Order, lines: list[tuple[str, Line]]) -> list[Item]:
    """The items of a new order."""
    ids = {line.specification: name for name, line in lines}
    needs = dependencies(catalogue, ids) if order.level is Level.RESOURCE else {}
    return [
        Item(
            order=order.id,
            id=name,
            root=order.root,
            level=order.level,
            specification=line.specification,
            state=OrderState.ACKNOWLEDGED,
            ordinal=number,
            offering=line.offering,
            parent=line.serves[0] if line.serves else None,
            serves=line.serves,
            depends_on=tuple(ids[n] for n in needs.get(line.specification, ())),
            characteristics=seal_characteristics(
                vault, decomposition.specification(catalogue, order.level, line.specification), line.characteristics
            ),
        )
        for number, (name, line) in enumerate(lines)
    ]


def _write_below(tx: sa.Connection, at: Workplace, ids: InstanceIds, tree: Tree, step: Step, lines: list[tuple[str, Line]]) -> None:
    above, catalogue, now, real = tree.orders[step.order], at.catalogue(tree), at.clock.now(), at.clock.real()
    level = above.level.below
    if level is None:
        raise LookupError(f"{above.id} has no level below")
    tree.decomposed(above, now)
    below = Order(
        id=at.store.next_id(tx, level),
        root=above.root,
        level=level,
        state=OrderState.ACKNOWLEDGED,
        created=now,
        catalogue=above.catalogue,
        parent=above.id,
        priority=above.priority,
    )
    tree.add(below, new_items(catalogue, at.store.vault, below, lines), now)
    begin(ids, at.store.vault, catalogue, tree, below)
    tree.plan(steps_of(catalogue, tree, below), real)
    at.store.ensure_lanes(tx, {s.lane for s in tree.steps.values() if s.lane})


def begin(ids: InstanceIds, vault: Vault, catalogue: Catalogue, tree: Tree, order: Order) -> None:
    """Product and service instances exist from the moment their order does."""
    states = {Level.PRODUCT: ProductState.CREATED, Level.SERVICE: ServiceState.RESERVED}
    for item in tree.items_of(order.id) if order.level in states else ():
        found = decomposition.specification(catalogue, item.level, item.specification)
        if not isinstance(found, ProductSpecification | ServiceSpecification):
            raise LookupError(f"{item.specification} makes no instance")
        context = {**order_facts(tree.root.body), "c": open_characteristics(vault, item)}
        item.instance = ids.give(render(found.instance, context))
        tree.instances[item.instance] = Instance(
            id=item.instance,
            level=item.level,
            specification=item.specification,
            state=states[order.level],
            customer=tree.root.body["customer"]["id"],
            root=item.root,
            order=item.order,
            item=item.id,
            catalogue=order.catalogue,
            offering=item.offering,
            characteristics=item.characteristics,
        )


def steps_of(catalogue: Catalogue, tree: Tree, order: Order) -> list[Step]:
    """The steps of a new order: its decomposition, or the plan of a resource order."""
    if order.level is not Level.RESOURCE:
        return [_step(order, PlannedStep(f"{order.id}/decompose", StepKind.DECOMPOSE, None), ORDERS_LANE, order.id)]
    services = tree.order_of(Level.SERVICE)
    products = tree.order_of(Level.PRODUCT)
    offerings = [catalogue.offering(i.offering) for i in tree.items_of(products.id) if i.offering] if products else []
    planned = plan(
        catalogue,
        tree.items_of(order.id),
        tree.items_of(services.id) if services else [],
        online_gates=any(offering.online_gates for offering in offerings),
    )
    lane = inventory_lane(tree)
    own = {StepKind.RESERVE, StepKind.ACTIVATE}
    return [_step(order, p, lane if p.kind in own else None, services.id if p.service and services else order.id) for p in planned]


def inventory_lane(tree: Tree) -> str:
    """NetBox is a system with one lane per exchange."""
    return f"netbox/{exchange(tree)}"


def _step(order: Order, planned: PlannedStep, lane: str | None, owner: str) -> Step:
    return Step(
        id=0,
        root=order.root,
        order=owner,
        key=planned.key,
        kind=planned.kind,
        state=StepState.BLOCKED,
        item=planned.item,
        part=planned.part,
        needs=planned.needs,
        target_expression=planned.target,
        lane=lane,
        gates=planned.gates,
        outside=planned.outside,
        priority=order.priority,
    )
