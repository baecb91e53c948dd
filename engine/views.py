"""What people and programs are shown of an order: one document, the same for the command line, `--json` and later pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from engine.context import SEALED, Scope, remembered_site, secret_values
from engine.decided import decided
from engine.documents import (
    AllocationView,
    EventView,
    InstanceView,
    ItemView,
    OrderDocument,
    OrderHead,
    OwnedView,
    StepView,
    TargetView,
    TransactionView,
    TroubleView,
)
from engine.errors import TemplateFailed, UnknownInstance
from engine.expressions import names, render
from engine.fallout.views import cases_of
from engine.model import PUSHES, Item, Order, Step, StepKind, StepState
from engine.ports import Allocation, Change, ItemState, TransactionState, Trouble
from engine.schedule import completion_date, is_overdue, is_scheduled, start_date
from engine.silence import explained, explained_targets
from engine.states import Level, OrderState
from engine.store import lanes, rows
from engine.store.configurations import Configurations
from engine.store.schema import allocations as allocated
from engine.store.schema import events, instances, orders
from engine.store.store import Store
from engine.store.transactions import Transactions
from engine.tree import Tree
from engine.vault import MASK, mask

LATER = "(its target tells later)"
"""Stands in a dry run for what only a target can tell, later."""


class Shows(Protocol):
    """Writes a change for people."""

    def show(self, target: str, change: Change) -> str:
        """The change as text (engine.ports.Targets)."""


class Records(Protocol):
    """What it takes to show an order: the store, and a way to write changes. No NetBox and no device; a Workplace is one, too."""

    @property
    def store(self) -> Store:
        """Where the orders are."""

    @property
    def targets(self) -> Shows:
        """What writes their changes."""


# ------------------------------------------------------------------------------------------------------------------ making


def document(at: Records, tree: Tree, *, history: bool = True) -> OrderDocument:
    """The document of a tree. `history`: with transactions and events."""
    catalogue = at.store.catalogue(tree.root.catalogue)
    scope = Scope(tree, catalogue, remembered_site(tree), lambda _, __: MASK)
    hidden = secret_values(at.store.vault, [tree])
    transactions = _transactions(at, tree, hidden) if history else []
    silent, now = at.store.database.look(lanes.left_alone), at.store.clock.now()
    return OrderDocument(
        order=head(tree.root, now),
        orders=[head(order, now) for order in in_levels(tree)],
        items=explained(tree, decided(catalogue, tree, items(tree)), silent),
        allocations=allocations(scope),
        services=_instances(tree, Level.SERVICE),
        products=_instances(tree, Level.PRODUCT),
        targets=explained_targets(_targets(at, tree), silent),
        cases=cases_of(at.store, tree),
        transactions=transactions,
        history=_history(at, tree) if history else [],
    )


def listed(at: Records, state: OrderState | None = None, *, ids: Sequence[str] | None = None, last: int | None = None) -> list[OrderHead]:
    """The orders that were submitted, newest last. `ids`: of these (of few); `last`: no more than the newest of them."""
    statement = sa.select(orders).where(orders.c.id == orders.c.root).order_by(orders.c.created.desc(), orders.c.id.desc()).limit(last)
    if state is not None:
        statement = statement.where(orders.c.state == state)
    if ids is not None:
        statement = statement.where(orders.c.id.in_(ids))
    with at.store.database.read() as tx:
        return [head(rows.read(Order, row), at.store.clock.now()) for row in tx.execute(statement).mappings()][::-1]


def in_levels(tree: Tree) -> list[Order]:
    """The orders of a tree from the top down."""
    found = [tree.order_of(level) for level in Level]
    return [order for order in found if order is not None]


def items(tree: Tree) -> list[ItemView]:
    """The items of all levels from the top down, with their steps."""
    return [_item(tree, item) for order in in_levels(tree) for item in tree.items_of(order.id)]


def head(order: Order, now: datetime) -> OrderHead:
    """An order in short, as it is now."""
    return OrderHead(
        id=order.id,
        external_id=order.external_id,
        level=order.level,
        state=order.state,
        customer=order.body.get("customer", {}).get("id", ""),
        description=order.body.get("description", ""),
        reason=order.reason,
        created=order.created,
        requested_start_date=start_date(order),
        requested_completion_date=completion_date(order),
        scheduled=is_scheduled(order, now),
        overdue=is_overdue(order, now),
        ended=order.ended,
    )


def allocations(scope: Scope, *, expected: bool = False) -> list[AllocationView]:
    """The allocation table: what the catalogue reports of each item, as far as it is known. `expected`: as a dry run would have it."""
    order = scope.tree.order_of(Level.RESOURCE)
    found: list[AllocationView] = []
    for item in _report_order(scope, order):
        reserves = scope.catalogue.resource(item.specification).reserve
        if not reserves and not expected and item.state is not OrderState.COMPLETED:
            continue
        context = scope.of_item(item)
        for line in scope.catalogue.resource(item.specification).report:
            if expected:
                context["learned"] = {name.partition(".")[2]: LATER for name in names(line.value) if name.startswith("learned.")}
            try:
                value = render(line.value, context)
            except TemplateFailed:
                continue  # not allocated (yet)
            found.append(AllocationView(rfs=item.specification.partition(":")[2], resource=line.resource, type=line.type, value=value))
    return found


def _report_order(scope: Scope, order: Order | None) -> Sequence[Item]:
    """In the order of the catalogue's RFS, as the worked example lists them."""
    ranks = {name: rank for rank, name in enumerate(scope.catalogue.resources)}
    return sorted(scope.tree.items_of(order.id) if order else (), key=lambda item: ranks[item.specification])


def _item(tree: Tree, item: Item) -> ItemView:
    return ItemView(
        id=item.id,
        order=item.order,
        specification=item.specification,
        level=item.level,
        state=item.state,
        depends_on=list(item.depends_on),
        parent=item.parent,
        serves=list(item.serves),
        characteristics=masked(item.characteristics),
        reason=item.reason,
        trouble=_trouble(item.trouble),
        started=item.started,
        ended=item.ended,
        steps=[_step(step) for step in tree.steps_of(item.order, item.id)],
    )


def _step(step: Step) -> StepView:
    return StepView(
        key=step.key,
        kind=step.kind,
        state=step.state,
        target=step.target,
        attempt=step.attempt,
        needs=list(step.needs),
        gates=step.gates,
        evidence=step.evidence,
        awaits=step.awaits,
        overdue=step.overdue,
        trouble=_trouble(step.trouble),
        ended=step.ended,
    )


def _trouble(trouble: Trouble | None) -> TroubleView | None:
    return None if trouble is None else TroubleView(code=trouble.code, message=trouble.message, remedy=trouble.remedy)


def masked(characteristics: Mapping[str, Any]) -> dict[str, Any]:
    """Characteristics with secrets masked and without those that have no value."""
    return {
        name: MASK if isinstance(value, dict) and SEALED in value else value for name, value in characteristics.items() if value is not None
    }


def _instances(tree: Tree, level: Level) -> list[InstanceView]:
    """In the order of the items that make them."""
    made = [item.instance for order in in_levels(tree) for item in tree.items_of(order.id)]
    found = [instance for instance in tree.instances.values() if instance.level is level and instance.id in made]
    return [_instance(i) for i in sorted(found, key=lambda i: made.index(i.id))]


def _instance(instance: Any) -> InstanceView:
    return InstanceView(
        id=instance.id,
        specification=instance.specification,
        state=instance.state,
        characteristics=masked(instance.characteristics),
        offering=instance.offering,
        since=instance.started,
    )


def _targets(at: Records, tree: Tree) -> list[TargetView]:
    by_target: dict[str, list[Step]] = {}
    for step in tree.steps.values():
        if step.target and step.kind in PUSHES:
            by_target.setdefault(step.target, []).append(step)
    with at.store.database.read() as tx:
        platforms = Configurations(at.store).platforms(tx, by_target)
    return [
        TargetView(
            name=name,
            platform=platforms.get(name, ""),
            state=_target_state(steps),
            transaction=next((step.transaction for step in steps if step.transaction), None),
            message=next((step.trouble.message for step in steps if step.trouble), ""),
        )
        for name, steps in by_target.items()
    ]


def _target_state(steps: Sequence[Step]) -> str:
    states = {step.state for step in steps}
    for state, word in _WORDS.items():
        if state in states:
            return word
    return "done" if states == {StepState.DONE} else "notAttempted"


_WORDS = {StepState.FAILED: "failed", StepState.HELD: "held", StepState.RUNNING: "running", StepState.WAITING: "waiting"}


def _transactions(at: Records, tree: Tree, hidden: set[str]) -> list[TransactionView]:
    with at.store.database.read() as tx:
        found = Transactions(at.store).of_root(tx, tree.root.id)
    return [
        TransactionView(
            id=row["id"],
            target=row["target"],
            state=TransactionState(row["state"]),
            message=row["message"],
            sent=mask(at.targets.show(transaction.target, transaction.change), hidden),
            checks=[f"{'passed' if check['passed'] else 'FAILED'}: {check['evidence']}" for check in row["checks"]],
            opened=row["opened"],
            ended=row["ended"],
        )
        for row, transaction in found
    ]


def _history(at: Records, tree: Tree) -> list[EventView]:
    with at.store.database.read() as tx:
        found = tx.execute(sa.select(events).where(events.c.root == tree.root.id).order_by(events.c.number)).mappings().all()
    return [EventView(**{name: row[name] for name in ("number", "at", "order", "item", "type", "data")}) for row in found]


def owned(at: Records, name: str | None = None) -> list[OwnedView]:
    """Products and services: all, or those of a customer, or one by its id. Raises UnknownInstance."""
    of = sa.true() if name is None else sa.or_(instances.c.customer == name, instances.c.id == name)
    statement = (
        sa.select(instances)
        .where(instances.c.level != Level.RESOURCE, of)
        .order_by(instances.c.customer, instances.c.level, instances.c.id)
    )
    changed = sa.select(orders.c.subscription, orders.c.id).where(orders.c.id == orders.c.root, orders.c.subscription.is_not(None))
    with at.store.database.read() as tx:
        found = tx.execute(statement).all()
        names = {row.subscription for row in found}
        by_age = tx.execute(changed.where(orders.c.subscription.in_(names)).order_by(orders.c.created, orders.c.id)).all() if names else []
    if name is not None and not found:
        raise UnknownInstance(f"there is no customer, product or service {name}")
    made: dict[str, list[str]] = {}
    for subscription, order in by_age:
        made.setdefault(subscription, []).append(order)
    return [
        OwnedView(**dict(_instance(row)), customer=row.customer, level=row.level, until=row.ended, orders=made.get(row.subscription, []))
        for row in found
    ]


def held(at: Records) -> list[tuple[Allocation, ItemState]]:
    """All allocations that orders hold or that are in quarantine, each with the state in which the inventory should have it."""
    with at.store.database.read() as tx:
        found = tx.execute(sa.select(allocated).where(allocated.c.state != "released")).mappings().all()
    return [(rows.read_allocation(row), row["state"]) for row in found]


def progress(tree: Tree) -> bool:
    """Whether something will still happen without a person: a step is ready, running or waits for somebody outside. A router that the
    customer has yet to send back keeps nobody."""
    moving = {StepState.READY, StepState.RUNNING, StepState.WAITING}
    return any(step.state in moving for step in tree.steps.values() if step.gates or step.kind is not StepKind.WAIT)
