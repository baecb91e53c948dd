"""Decompose an order into the order of the level below, and plan the resource order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType

import sqlalchemy as sa

from engine import decomposition
from engine.batch import Batch, Settlement, StepRef, Workplace, exchange, ref
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import ProductSpecification, ServiceSpecification
from engine.changing import prepare, waits_for
from engine.context import order_facts
from engine.errors import TurnupError
from engine.expressions import render
from engine.failpoints import Failpoint, reached
from engine.lines import Numbered, lines_below, new_items, opened
from engine.model import Action, Instance, Item, Order, Step, StepKind, StepResult, StepState
from engine.plan import PlannedStep, plan
from engine.policy import after_trouble
from engine.ports import Trouble
from engine.schedule import START, start_date
from engine.states import Level, OrderState, ProductState, ServiceState
from engine.store.instance_ids import InstanceIds
from engine.tree import Tree
from engine.vault import Vault

ORDERS_LANE = "orders"
_LOOK_AGAIN = 30.0
"""Seconds until an order looks again whether it is its turn, when nobody told it."""


_TURN = "turn:"


def turn_of(subscription: str) -> str:
    """What an order waits for whose turn has not come."""
    return f"{_TURN}{subscription}"


def turns_that_came(tx: sa.Connection, at: Workplace, trees: Mapping[str, Tree], results: Mapping[StepRef, StepResult]) -> set[str]:
    """What may be told to those who wait for their turn, once these results are written: an order that had it until now has ended; or
    who was ahead ended while it was looked whether he had."""
    subscriptions = {tree.root.subscription for tree in trees.values() if tree.root.state.final} - {None}
    turns = {turn_of(str(name)) for name in subscriptions}
    early = {key.root: result.awaits for key, result in results.items() if result.awaits and result.awaits.startswith(_TURN)}
    return turns | {turn for root, turn in early.items() if turn not in turns and _waits_for(tx, at, trees[root]) is None}


def _waits_for(tx: sa.Connection, at: Workplace, tree: Tree) -> Order | None:
    return waits_for(at.store.subscription(tx, tree.root.subscription or ""), tree.root.id)


def carry_out(batch: Batch, at: Workplace) -> Iterator[Settlement]:
    """The orders below are written in the transaction that settles the steps. One order that cannot be decomposed harms no other."""
    results: dict[StepRef, StepResult] = {}
    found: dict[StepRef, Numbered] = {}
    prepared: dict[str, Tree] = {}
    for step in batch.steps:
        tree, catalogue = batch.tree(step), at.catalogue(batch.tree(step))
        try:
            if step.order == step.root and (early := _too_early(at, tree)) is not None:
                results[ref(step)] = early
                continue
            if step.order == step.root and tree.changes_something:
                tree = prepared[step.root] = tree.copy()
                if (wait := _turn(at, catalogue, tree)) is not None:
                    results[ref(step)] = wait
                    continue
            found[ref(step)] = lines_below(catalogue, at.store.vault, tree, tree.orders[step.order])
            results[ref(step)] = StepResult(StepState.DONE)
        except TurnupError as error:
            results[ref(step)] = after_trouble(catalogue, tree, step, Trouble.of(error), at.clock.real())

    reached(Failpoint.DECOMPOSED)

    def write(tx: sa.Connection, trees: Mapping[str, Tree]) -> None:
        ids = InstanceIds(tx)
        for (root, key), lines in found.items():
            if root in prepared:
                _complete(trees[root], prepared[root])
            below = _write_below(tx, at, ids, trees[root], trees[root].steps[key], lines)
            _write_further(tx, at, ids, trees[root], below)
        at.store.ensure_lanes(tx, {step.lane for root, _ in found for step in trees[root].steps.values() if step.lane})

    yield Settlement(results, write)


def _too_early(at: Workplace, tree: Tree) -> StepResult | None:
    """An order that is scheduled begins when it is time: people's time, which need not have gone by as fast as it could."""
    start = start_date(tree.root)
    if start is None or start <= at.clock.now():
        return None
    evidence = f"scheduled for {start.isoformat(timespec='seconds')}"
    return StepResult(StepState.WAITING, evidence=evidence, awaits=START, due=at.clock.earliest(start))


def _turn(at: Workplace, catalogue: Catalogue, tree: Tree) -> StepResult | None:
    """See an order that changes something as what it changes is now; or that it is not its turn yet."""
    subscription = at.store.database.look(partial(at.store.subscription, name=tree.root.subscription or ""))
    ahead = waits_for(subscription, tree.root.id)
    if ahead is not None:
        evidence = f"waits for {ahead.id}, which is under way on {subscription.name}"
        due = at.clock.real() + _LOOK_AGAIN
        return StepResult(StepState.WAITING, evidence=evidence, awaits=turn_of(subscription.name), due=due)
    prepare(catalogue, at.store.vault, tree, subscription)
    return None


def _complete(tree: Tree, seen: Tree) -> None:
    """Keep how the order was seen when its turn came."""
    tree.root.body = seen.root.body
    for key, item in seen.items.items():
        mine = tree.items[key]
        for name in ("action", "specification", "offering", "characteristics", "formerly", "replaces", "was", "outcome"):
            setattr(mine, name, getattr(item, name))


def _write_below(tx: sa.Connection, at: Workplace, ids: InstanceIds, tree: Tree, step: Step, lines: Numbered) -> Order:
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
    tree.add(below, new_items(catalogue, at.store.vault, tree, below, lines), now)
    begin(ids, at.store.vault, catalogue, tree, below)
    tree.plan(steps_of(catalogue, tree, below, holders(tx, at, tree, below)), real)
    return below


def _write_further(tx: sa.Connection, at: Workplace, ids: InstanceIds, tree: Tree, order: Order) -> None:
    """What was just written is decomposed at once. When that cannot be, its step is left for a batch of its own, which says why."""
    step = tree.steps.get(_key(order))
    if step is None:
        return
    try:
        lines = lines_below(at.catalogue(tree), at.store.vault, tree, order)
    except TurnupError:
        return
    now = at.clock.now()
    tree.claim(step, now)
    tree.settle(step, StepResult(StepState.DONE), now, at.clock.real())
    _write_below(tx, at, ids, tree, step, lines)


def _key(order: Order) -> str:
    """Key of the step that decomposes an order."""
    return f"{order.id}/decompose"


def begin(ids: InstanceIds, vault: Vault, catalogue: Catalogue, tree: Tree, order: Order) -> None:
    """Products and services exist from the moment their order does. What an order changes exists already."""
    for item in tree.items_of(order.id):
        if item.action is Action.ADD:
            item.instance = _instance_id(ids, vault, catalogue, tree, item)
            tree.root.subscription = tree.root.subscription or item.instance
            tree.instances[item.instance] = Instance(
                id=item.instance,
                level=item.level,
                specification=item.specification,
                state=ProductState.CREATED if item.level is Level.PRODUCT else ServiceState.RESERVED,
                customer=tree.root.body["customer"]["id"],
                root=item.root,
                order=item.order,
                item=item.id,
                catalogue=order.catalogue,
                subscription=tree.root.subscription,
                offering=item.offering,
                characteristics=item.characteristics,
            )


def _instance_id(ids: InstanceIds, vault: Vault, catalogue: Catalogue, tree: Tree, item: Item) -> str:
    """Of a product or service as the catalogue says; of an RFS the key of its configuration: `<service id>/<RFS>`."""
    found = decomposition.specification(catalogue, item.level, item.specification)
    if isinstance(found, ProductSpecification | ServiceSpecification):
        return ids.give(render(found.instance, {**order_facts(tree.root.body), "c": opened(vault, item.characteristics)}))
    service = tree.service_of(item)
    return f"{service.instance if service and service.instance else item.order}/{item.specification}"


def holders(tx: sa.Connection, at: Workplace, tree: Tree, order: Order) -> dict[str, tuple[str, ...]]:
    """The targets that hold configuration of what the order's items end, by item."""
    items = [item for item in tree.items_of(order.id) if item.action is Action.DELETE]
    ending = {key: item.id for item in items for key in (item.instance, f"{item.instance}/{item.replaces}") if key}
    if order.level is not Level.RESOURCE or not ending:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for key, targets in at.configurations.holders(tx, ending).items():
        found[ending[key]] = (*found.get(ending[key], ()), *targets)
    return found


def steps_of(catalogue: Catalogue, tree: Tree, order: Order, held_by: Mapping[str, tuple[str, ...]] = MappingProxyType({})) -> list[Step]:
    """The steps of a new order: its decomposition, or the plan of a resource order. `held_by`: see `holders`."""
    if order.level is not Level.RESOURCE:
        return [_step(order, PlannedStep(_key(order), StepKind.DECOMPOSE, None), ORDERS_LANE, order.id)]
    services = tree.order_of(Level.SERVICE)
    products = tree.order_of(Level.PRODUCT)
    offerings = [catalogue.offering(i.offering) for i in tree.items_of(products.id) if i.offering] if products else []
    planned = plan(
        catalogue,
        tree.items_of(order.id),
        tree.items_of(services.id) if services else [],
        online_gates=any(offering.online_gates for offering in offerings),
        held_by=held_by,
    )
    lane = inventory_lane(tree)
    own = {StepKind.RESERVE, StepKind.ACTIVATE, StepKind.RELEASE}
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
