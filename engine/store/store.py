"""Loading and saving trees, and the few questions that are asked across orders."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from engine.catalogue.catalogue import Catalogue
from engine.errors import UnknownInstance, UnknownOrder
from engine.model import Instance, Item, Order, Step
from engine.ports import Allocation, Clock, Mark
from engine.schedule import in_turn
from engine.states import Level
from engine.store import bulk, cases, rows
from engine.store.cache import TreeCache
from engine.store.database import Database
from engine.store.schema import allocations, catalogues, counters, events, instances, items, lanes, orders, steps
from engine.tree import Tree
from engine.vault import Vault

T = TypeVar("T")
V = TypeVar("V", bound=rows.Stored)
_TABLES: tuple[tuple[sa.Table, type[Any]], ...] = ((orders, Order), (items, Item), (steps, Step), (instances, Instance))
_CLASSES: Mapping[sa.Table, type[Any]] = dict(_TABLES)
_KEYS: Mapping[sa.Table, tuple[str, ...]] = {orders: ("id",), items: ("order", "id"), steps: ("id",), instances: ("id",)}
_OTHERS_WRITE: Mapping[sa.Table, frozenset[str]] = {
    steps: frozenset({"due", "noted"}),  # engine.store.lanes: who tells what is waited for
    instances: frozenset(instances.columns.keys()),  # the other orders of the subscription
}
HELD = ("reserved", "active")
"""States of allocations that an order holds. What is in quarantine is nobody's."""
# PO-2024-00847, SO-2024-03291 and RO-2024-07814 are the worked example's; the embedded data starts its counters there
FIRST_NUMBERS: Mapping[Level, int] = {Level.PRODUCT: 847, Level.SERVICE: 3291, Level.RESOURCE: 7814}


@dataclass(frozen=True)
class Subscription:
    """What one order made and later ones change: its instances, what it holds, and its orders, in the order of their turns."""

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
        self.adopted: dict[str, int] = {}
        """The numbers of the targets of which it is known what they held before us: that stays so."""

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

    def trees(self, tx: sa.Connection, roots: Iterable[str], *, lock: bool = False, wait: bool = True) -> dict[str, Tree]:
        """The trees of these roots. `lock`: nobody else changes them until the transaction ends; without `wait` those that somebody else
        has locked are left out."""
        wanted = _VERSIONS
        if lock and not self.database.sqlite:
            wanted = _LOCKED_VERSIONS if wait else _UNLOCKED_VERSIONS
        versions = dict(tx.execute(wanted, {"roots": sorted(set(roots))}).all())
        found = {root: tree for root, version in versions.items() if (tree := self._cache.get(root, version, to_change=lock))}
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
            for row in tx.execute(_OF_ROOTS[table], {"roots": wanted}).mappings().all():
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
        for row in tx.execute(_GIVEN, {"names": names}).mappings().all():
            given[row["subscription"]].append(rows.read_allocation(row))
        made: dict[str, list[Instance]] = defaultdict(list)
        for row in tx.execute(_MADE, {"names": names}).mappings().all():
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
        return Subscription(found, given[found], made[found], in_turn(by_age))

    def save(self, tx: sa.Connection, trees: Iterable[Tree]) -> None:
        """Write what changed in trees since they were loaded, with their events and fallout cases."""
        found = list(trees)
        cases.record(tx, self, found)
        _write(tx, orders, _changed(tree.orders for tree in found))
        _write(tx, items, _changed(tree.items for tree in found))
        _write(tx, steps, _changed(tree.steps for tree in found))
        _write(tx, instances, _changed(tree.instances for tree in found))
        bulk.insert(tx, events, [rows.write_event(event) for tree in found for event in tree.events])
        for tree in found:
            tree.written()

    def tree(self, order: str) -> Tree:
        """The tree that this order (of any level) or external id belongs to. Raises UnknownOrder."""

        def find(tx: sa.Connection) -> Tree:
            root = tx.execute(sa.select(orders.c.root).where((orders.c.id == order) | (orders.c.external_id == order))).scalar()
            if root is None:
                raise UnknownOrder(f"there is no order {order}")
            return self.trees(tx, [root])[root]

        return self.database.look(find)

    def remember(self, root: str, version: int, tree: Tree, *, free: bool = False) -> None:
        """Keep a tree in memory as the content of this version. `free`: nobody else has it."""
        self._cache.put(root, version, tree, free=free)

    # -- allocations ---------------------------------------------------------------------------------------------------
    def keep_allocations(self, tx: sa.Connection, tree: Tree, given: Sequence[Allocation]) -> None:
        """Store allocations of a tree; asking again for the same mark replaces nothing that others hold."""
        subscription = tree.root.subscription or ""
        bulk.delete(tx, allocations, Mark._fields, [allocation.mark._asdict() for allocation in given])
        bulk.insert(tx, allocations, [rows.write_allocation(a, tree.root.id, subscription, "reserved") for a in given])
        tree.allocations.update({allocation.mark: allocation for allocation in given})
        tree.touch()

    def mark_allocations(
        self, tx: sa.Connection, given: Iterable[Allocation], state: str, *, only: str | None = None, until: str | None = None
    ) -> None:
        """Set the state of allocations: reserved, active, quarantine (`until`) or released; `only` of those in this state."""
        marks = [allocation.mark for allocation in given]
        if only is None:
            bulk.update(tx, allocations, Mark._fields, [{**mark._asdict(), "state": state, "until": until} for mark in marks])
            return
        for mark in marks:
            where = (*(allocations.c[name] == value for name, value in mark._asdict().items()), allocations.c.state == only)
            tx.execute(sa.update(allocations).where(*where).values(state=state, until=until))

    # -- catalogue versions, numbers, lanes ----------------------------------------------------------------------------
    def pin(self, tx: sa.Connection, catalogue: Catalogue) -> str:
        """Keep this version of the catalogue with its templates; orders go on with the version they were accepted with."""
        if not tx.execute(_PINNED, {"digest_": catalogue.digest}).scalar():
            created = self.clock.now().isoformat(timespec="seconds")
            bulk.insert_once(tx, catalogues, [{"digest": catalogue.digest, "content": catalogue.dump(), "created": created}])
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
        taken = {"counter": name, "count": count}
        last = tx.execute(_COUNT, taken).scalar()
        if last is None:
            bulk.insert_once(tx, counters, [{"name": name, "value": first - 1}])
            last = tx.execute(_COUNT, taken).scalar_one()
        return int(last) - count + 1

    def ensure_lanes(self, tx: sa.Connection, names: Iterable[str]) -> None:
        """Lanes exist from the first step on."""
        wanted = set(names)
        there = set(tx.execute(_LANES, {"names": list(wanted)}).scalars()) if wanted else set()
        bulk.insert_once(tx, lanes, [{"name": name, "until": 0.0, "fence": 0} for name in sorted(wanted - there)])


class Unit:
    """A transaction and the trees loaded in it."""

    def __init__(self, tx: sa.Connection, store: Store) -> None:
        self.tx, self._store = tx, store
        self._loaded: dict[str, Tree] = {}
        self._written: dict[str, int] = {}
        self._free: set[str] = set()

    def let_go(self, besides: Collection[str] = ()) -> None:
        """Promise that nobody keeps a tree of this unit beyond it, `besides` some: then the next unit need not copy it."""
        self._free = self._loaded.keys() - set(besides)

    def trees(self, roots: Iterable[str], *, wait: bool = True) -> dict[str, Tree]:
        """The trees of these roots, nobody else's to change until the transaction ends. Without `wait` those that somebody else is
        changing are left out."""
        wanted = set(roots)
        if missing := wanted - set(self._loaded):
            self._loaded |= self._store.trees(self.tx, missing, lock=True, wait=wait)
        return {root: self._loaded[root] for root in sorted(wanted) if root in self._loaded}

    def save(self) -> None:
        """Write what changed so far. Each tree that changed gets a new version."""
        changed = [tree for tree in self._loaded.values() if tree.changed]
        self._store.save(self.tx, changed)
        fresh = [tree.root.id for tree in changed if tree.root.id not in self._written]
        if fresh:
            # orders of one subscription share its instances and allocations: trees of the others that are remembered are old now
            shared = {self._loaded[root].root.subscription for root in fresh} - {None}
            versions: dict[str, int] = dict(self.tx.execute(_RAISE_VERSIONS, {"roots": fresh, "shared": list(shared)}).all())
            self._written |= {root: versions[root] for root in fresh}

    def remember(self) -> None:
        """After the commit: what was written is what the next one finds."""
        for root, version in self._written.items():
            self._store.remember(root, version, self._loaded[root], free=root in self._free)


def _changed(parts: Iterable[Mapping[Any, V]]) -> list[V]:
    return [value for part in parts for value in part.values() if value.changes or value.is_new]


def _write(tx: sa.Connection, table: sa.Table, values: Sequence[rows.Stored]) -> None:
    """Insert what is new, of what is there update what changed."""
    new = [value for value in values if value.is_new]
    if new and table is steps:
        for step, number in zip(new, _numbers(tx, len(new)), strict=True):
            step.id = number
    bulk.insert(tx, table, [rows.write(value) for value in new])
    for changes, changed in _alike(table, [value for value in values if value.changes]):
        columns = (*_KEYS[table], *sorted(changes))
        bulk.update(tx, table, _KEYS[table], [rows.write(value, columns) for value in changed])
    for value in values:
        value.stored()


def _alike(table: sa.Table, changed: Sequence[rows.Stored]) -> Iterable[tuple[frozenset[str], Sequence[rows.Stored]]]:
    """Columns, and what is to be written of these: rows of a table by one statement, in all columns that any of them changed, as a
    statement costs more than some columns. Only columns that others write, too, are written of none but who changed them."""
    alike: dict[frozenset[str], list[rows.Stored]] = defaultdict(list)
    for value in changed:
        alike[value.changes & _OTHERS_WRITE.get(table, frozenset())].append(value)
    return [(frozenset().union(*(value.changes for value in values)), values) for values in alike.values()]


def _numbers(tx: sa.Connection, count: int) -> Iterable[int]:
    """Ids of new steps. On SQLite there is one writer, elsewhere the sequence gives them."""
    if tx.dialect.name == "sqlite":
        last = tx.execute(_LAST_STEP).scalar_one()
        return range(last + 1, last + 1 + count)
    return sorted(tx.execute(_NEXT_STEPS, {"count": count}).scalars())


_AMONG = orders.c.id.in_(bulk.many("roots"))
_VERSIONS = sa.select(orders.c.id, orders.c.version).where(_AMONG).order_by(orders.c.id)
_LOCKED_VERSIONS = _VERSIONS.with_for_update()
_UNLOCKED_VERSIONS = _VERSIONS.with_for_update(skip_locked=True)
_OF_SUBSCRIPTIONS = sa.and_(orders.c.subscription.in_(bulk.many("shared")), orders.c.id == orders.c.root)
_RAISE_VERSIONS = (
    sa.update(orders).where(sa.or_(_AMONG, _OF_SUBSCRIPTIONS)).values(version=orders.c.version + 1).returning(orders.c.id, orders.c.version)
)
_COUNT = (
    sa.update(counters)
    .where(counters.c.name == sa.bindparam("counter"))
    .values(value=counters.c.value + sa.bindparam("count", type_=sa.Integer))
    .returning(counters.c.value)
)
_OF_ROOTS = {
    table: sa.select(table).where(table.c.root.in_(bulk.many("roots"))).order_by(*table.primary_key) for table in (orders, items, steps)
}
_GIVEN = (
    sa.select(allocations)
    .where(allocations.c.subscription.in_(bulk.many("names")), allocations.c.state.in_(HELD))
    .order_by(allocations.c.order)
)
_MADE = sa.select(instances).where(instances.c.subscription.in_(bulk.many("names"))).order_by(instances.c.id)
_PINNED = sa.select(catalogues.c.digest).where(catalogues.c.digest == sa.bindparam("digest_"))
_LANES = sa.select(lanes.c.name).where(lanes.c.name.in_(bulk.many("names")))
_LAST_STEP = sa.select(sa.func.coalesce(sa.func.max(steps.c.id), 0))
_NEXT_STEPS = sa.text("SELECT nextval(pg_get_serial_sequence('steps', 'id')) FROM generate_series(1, :count)")
