"""Loading and saving trees, and the few questions that are asked across orders."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa

from engine.catalogue.catalogue import Catalogue
from engine.errors import UnknownInstance, UnknownOrder
from engine.model import Instance, Item, Order, Step
from engine.ports import Allocation, Clock
from engine.states import Level
from engine.store import cases, rows
from engine.store.cache import TreeCache
from engine.store.database import Database
from engine.store.schema import allocations, catalogues, counters, events, instances, items, lanes, orders, steps
from engine.tree import Tree
from engine.vault import Vault

T = TypeVar("T")
_TABLES: tuple[tuple[sa.Table, type[Any]], ...] = ((orders, Order), (items, Item), (steps, Step), (instances, Instance))
_CLASSES: Mapping[sa.Table, type[Any]] = dict(_TABLES)
_KEYS: Mapping[sa.Table, tuple[str, ...]] = {orders: ("id",), items: ("order", "id"), steps: ("id",), instances: ("id",)}
HELD = ("reserved", "active")
"""States of allocations that an order holds. What is in quarantine is nobody's."""
# PO-2024-00847, SO-2024-03291 and RO-2024-07814 are the worked example's; the embedded data starts its counters there
FIRST_NUMBERS: Mapping[Level, int] = {Level.PRODUCT: 847, Level.SERVICE: 3291, Level.RESOURCE: 7814}


@dataclass(frozen=True)
class Subscription:
    """What one order made and later ones change: its instances, what it holds, and its orders, the oldest first."""

    name: str
    allocations: Sequence[Allocation]
    instances: Sequence[Instance]
    orders: Sequence[Order]


class Store:
    """The tables, with the key that seals what is secret in them."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self.database, self.vault, self.clock = database, vault, clock
        self._catalogues: dict[str, Catalogue] = {}
        self._cache = TreeCache()

    # -- trees ---------------------------------------------------------------------------------------------------------
    @contextlib.contextmanager
    def unit(self) -> Iterator[Unit]:
        """One transaction over whole trees: what the block changes in the trees that it loads is written when it ends, with their
        events."""
        with self.database.write() as tx:
            unit = Unit(tx, self)
            yield unit
            unit.save()
        unit.remember()

    def change(self, work: Callable[[Unit], T]) -> T:
        """Do this in a unit of its own, again from its beginning while the database is gone or ends it. Raises StoreError, and what
        `work` raises."""

        def once() -> T:
            with self.unit() as unit:
                return work(unit)

        return self.database.patience.repeat(once)

    def trees(self, tx: sa.Connection, roots: Iterable[str], *, lock: bool = False) -> dict[str, Tree]:
        """The trees of these roots. `lock`: nobody else changes them until the transaction ends."""
        wanted = sa.select(orders.c.id, orders.c.version).where(orders.c.id.in_(sorted(set(roots)))).order_by(orders.c.id)
        if lock and not self.database.sqlite:
            wanted = wanted.with_for_update()
        versions = dict(tx.execute(wanted).all())
        found = {root: tree for root, version in versions.items() if (tree := self._cache.get(root, version)) is not None}
        loaded = self._load(tx, [root for root in versions if root not in found])
        for root, tree in loaded.items():
            self._cache.put(root, versions[root], tree.copy())
        return {root: found.get(root) or loaded[root] for root in versions}

    def _load(self, tx: sa.Connection, wanted: Sequence[str]) -> dict[str, Tree]:
        if not wanted:
            return {}
        found: dict[sa.Table, dict[str, list[Any]]] = {}
        for table in (orders, items, steps):
            found[table] = defaultdict(list)
            for row in tx.execute(sa.select(table).where(table.c.root.in_(wanted)).order_by(*table.primary_key)).mappings():
                found[table][row["root"]].append(rows.read(_CLASSES[table], row))
        subscriptions = {root: order.subscription or "" for root in wanted for order in found[orders][root] if order.id == root}
        given, made = self._of_subscriptions(tx, subscriptions.values())
        policy = {order.id: self.catalogue(order.catalogue).settings.roll_up for own in found[orders].values() for order in own}
        return {
            root: Tree(found[orders][root], found[items][root], found[steps][root], given[name], made[name], policy[root])
            for root, name in subscriptions.items()
        }

    def _of_subscriptions(
        self, tx: sa.Connection, subscriptions: Iterable[str]
    ) -> tuple[dict[str, list[Allocation]], dict[str, list[Instance]]]:
        """What subscriptions hold and consist of, whichever of their orders made it."""
        names = sorted(set(subscriptions) - {""})
        given: dict[str, list[Allocation]] = defaultdict(list)
        wanted = sa.select(allocations).where(allocations.c.subscription.in_(names), allocations.c.state.in_(HELD))
        for row in tx.execute(wanted.order_by(allocations.c.order)).mappings():
            given[row["subscription"]].append(rows.read_allocation(row))
        made: dict[str, list[Instance]] = defaultdict(list)
        for row in tx.execute(sa.select(instances).where(instances.c.subscription.in_(names)).order_by(instances.c.id)).mappings():
            made[row["subscription"]].append(rows.read(Instance, row))
        return given, made

    def subscription(self, tx: sa.Connection, name: str) -> Subscription:
        """What a product or service belongs to, as it is now. Raises UnknownInstance."""
        found = tx.execute(sa.select(instances.c.subscription).where(instances.c.id == name)).scalar()
        if found is None:
            raise UnknownInstance(f"there is no product or service {name}")
        given, made = self._of_subscriptions(tx, [found])
        own = sa.select(orders).where(orders.c.subscription == found, orders.c.id == orders.c.root)
        by_age = [rows.read(Order, row) for row in tx.execute(own.order_by(orders.c.created, orders.c.id)).mappings()]
        return Subscription(found, given[found], made[found], by_age)

    def save(self, tx: sa.Connection, trees: Iterable[Tree]) -> None:
        """Write what changed in trees since they were loaded, with their events and fallout cases."""
        found = list(trees)
        cases.record(tx, self, found)
        _write(tx, orders, [value for tree in found for value in tree.orders.values() if value.changed])
        _write(tx, items, [value for tree in found for value in tree.items.values() if value.changed])
        _write(tx, steps, [value for tree in found for value in tree.steps.values() if value.changed])
        _write(tx, instances, [value for tree in found for value in tree.instances.values() if value.changed])
        happened = [rows.write_event(event) for tree in found for event in tree.events]
        if happened:
            tx.execute(sa.insert(events), happened)
        for tree in found:
            tree.events.clear()

    def tree(self, order: str) -> Tree:
        """The tree that this order (of any level) or external id belongs to. Raises UnknownOrder."""

        def find(tx: sa.Connection) -> Tree:
            root = tx.execute(sa.select(orders.c.root).where((orders.c.id == order) | (orders.c.external_id == order))).scalar()
            if root is None:
                raise UnknownOrder(f"there is no order {order}")
            return self.trees(tx, [root])[root]

        return self.database.look(find)

    def remember(self, root: str, version: int, tree: Tree) -> None:
        """Keep a tree in memory as the content of this version."""
        self._cache.put(root, version, tree)

    # -- allocations ---------------------------------------------------------------------------------------------------
    def keep_allocations(self, tx: sa.Connection, tree: Tree, given: Sequence[Allocation]) -> None:
        """Store allocations of a tree; asking again for the same mark replaces nothing that others hold."""
        marks = [allocation.mark for allocation in given]
        self._drop(tx, marks)
        if given:
            subscription = tree.root.subscription or ""
            tx.execute(sa.insert(allocations), [rows.write_allocation(a, tree.root.id, subscription, "reserved") for a in given])
        tree.allocations.update({allocation.mark: allocation for allocation in given})
        tree.root.changed = True

    def mark_allocations(
        self, tx: sa.Connection, given: Iterable[Allocation], state: str, *, only: str | None = None, until: str | None = None
    ) -> None:
        """Set the state of allocations: reserved, active, quarantine (`until`) or released; `only` of those in this state."""
        for mark in (a.mark for a in given):
            statement = sa.update(allocations).where(*_is(mark)).values(state=state, until=until)
            tx.execute(statement if only is None else statement.where(allocations.c.state == only))

    def _drop(self, tx: sa.Connection, marks: Iterable[Any]) -> None:
        for mark in marks:
            tx.execute(sa.delete(allocations).where(*_is(mark)))

    # -- catalogue versions, numbers, lanes ----------------------------------------------------------------------------
    def pin(self, tx: sa.Connection, catalogue: Catalogue) -> str:
        """Keep this version of the catalogue with its templates; orders go on with the version they were accepted with."""
        if not tx.execute(sa.select(catalogues.c.digest).where(catalogues.c.digest == catalogue.digest)).scalar():
            created = self.clock.now().isoformat(timespec="seconds")
            insert_once(tx, catalogues, {"digest": catalogue.digest, "content": catalogue.dump(), "created": created})
        self.know(catalogue)
        return catalogue.digest

    def know(self, catalogue: Catalogue) -> None:
        """Keep this version in memory: it may be pinned soon."""
        self._catalogues.setdefault(catalogue.digest, catalogue)

    def catalogue(self, digest: str) -> Catalogue:
        """The version of the catalogue with this hash."""
        if digest not in self._catalogues:
            wanted = sa.select(catalogues.c.content).where(catalogues.c.digest == digest)
            content = self.database.look(lambda tx: tx.execute(wanted).scalar_one())
            self._catalogues[digest] = Catalogue.restore(content)
        return self._catalogues[digest]

    def next_id(self, tx: sa.Connection, level: Level) -> str:
        """The next order id, e.g. `PO-2024-00847`."""
        number = self.take_numbers(tx, level.order_prefix, 1, FIRST_NUMBERS[level])
        return f"{level.order_prefix}-{self.clock.now().year}-{number:05d}"

    def take_numbers(self, tx: sa.Connection, name: str, count: int, first: int = 1) -> int:
        """The first of the next `count` numbers of a counter, which begins with `first`."""
        insert_once(tx, counters, {"name": name, "value": first - 1})
        taken = sa.update(counters).where(counters.c.name == name).values(value=counters.c.value + count).returning(counters.c.value)
        return int(tx.execute(taken).scalar_one()) - count + 1

    def ensure_lanes(self, tx: sa.Connection, names: Iterable[str]) -> None:
        """Lanes exist from the first step on."""
        wanted = set(names)
        there = set(tx.execute(sa.select(lanes.c.name).where(lanes.c.name.in_(wanted))).scalars()) if wanted else set()
        for name in sorted(wanted - there):
            insert_once(tx, lanes, {"name": name, "until": 0.0, "fence": 0})


class Unit:
    """A transaction and the trees loaded in it."""

    def __init__(self, tx: sa.Connection, store: Store) -> None:
        self.tx, self._store = tx, store
        self._loaded: dict[str, Tree] = {}
        self._written: dict[str, int] = {}

    def trees(self, roots: Iterable[str]) -> dict[str, Tree]:
        """The trees of these roots, nobody else's to change until the transaction ends."""
        wanted = set(roots)
        self._loaded |= self._store.trees(self.tx, wanted - set(self._loaded), lock=True)
        return {root: self._loaded[root] for root in sorted(wanted) if root in self._loaded}

    def save(self) -> None:
        """Write what changed so far. Each tree that changed gets a new version."""
        changed = [tree for tree in self._loaded.values() if tree.changed]
        self._store.save(self.tx, changed)
        fresh = [tree.root.id for tree in changed if tree.root.id not in self._written]
        if fresh:
            # orders of one subscription share its instances and allocations: trees of the others that are remembered are old now
            shared = {self._loaded[root].root.subscription for root in fresh} - {None}
            others = sa.and_(orders.c.subscription.in_(shared), orders.c.id == orders.c.root)
            statement = sa.update(orders).where(sa.or_(orders.c.id.in_(fresh), others)).values(version=orders.c.version + 1)
            versions: dict[str, int] = dict(self.tx.execute(statement.returning(orders.c.id, orders.c.version)).all())
            self._written |= {root: versions[root] for root in fresh}

    def remember(self) -> None:
        """After the commit: what was written is what the next one finds."""
        for root, version in self._written.items():
            self._store.remember(root, version, self._loaded[root])


def _write(tx: sa.Connection, table: sa.Table, values: Sequence[rows.Stored]) -> None:
    """Insert what is new, update what is there."""
    new = [value for value in values if value.is_new]
    changed = [rows.write(value) for value in values if not value.is_new]
    if new and table is steps:
        made = [{name: value for name, value in rows.write(step).items() if name != "id"} for step in new]
        numbers = tx.execute(sa.insert(steps).returning(steps.c.id, sort_by_parameter_order=True), made).scalars()
        for step, number in zip(new, numbers, strict=True):
            step.id = number
    elif new:
        tx.execute(sa.insert(table), [rows.write(value) for value in new])
    if changed:
        tx.execute(_update(table), [{f"_{name}": value for name, value in row.items()} for row in changed])
    for value in values:
        value.is_new = value.changed = False


@cache
def _update(table: sa.Table) -> sa.Update:
    keys = _KEYS[table]
    columns = [name for name in rows.columns(_CLASSES[table]) if name not in keys]
    where = (table.c[key] == sa.bindparam(f"_{key}") for key in keys)
    return sa.update(table).where(*where).values({name: sa.bindparam(f"_{name}") for name in columns})


def _is(mark: Any) -> tuple[sa.ColumnElement[bool], ...]:
    return (allocations.c.order == mark.order, allocations.c.item == mark.item, allocations.c.name == mark.name)


def insert_once(tx: sa.Connection, table: sa.Table, row: rows.Row) -> None:
    """Insert a row unless it is there, also when another process does so at the same moment."""
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    tx.execute(dialect.insert(table).values(row).on_conflict_do_nothing())
