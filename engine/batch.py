"""What a worker takes from a lane together, and how its results come back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

import sqlalchemy as sa

from engine.catalogue.catalogue import Catalogue
from engine.context import Scope, secret_values
from engine.drift.policy import DriftPolicy
from engine.errors import LeaseLost
from engine.model import Item, Step, StepResult
from engine.ports import Clock, Inventory, Targets
from engine.store import lanes
from engine.store.configurations import Configurations
from engine.store.database import Database
from engine.store.lanes import Lease
from engine.store.store import Store
from engine.store.transactions import OpenTransaction, Transactions
from engine.tree import Tree


class StepRef(NamedTuple):
    """A step, by its tree and its key in it."""

    root: str
    key: str


def ref(step: Step) -> StepRef:
    """The reference of a step."""
    return StepRef(step.root, step.key)


class Holding:
    """A worker's hold of a lane.

    How long it lasts is told by what was committed last, by the wall clock or by the monotonic one, whichever ends first: a process
    that was frozen, or whose clock was set back, must not believe in a lease that others see ended.
    """

    def __init__(self, lease: Lease, seconds: float, clock: Clock) -> None:
        self.lease, self._seconds, self._clock = lease, seconds, clock
        self._ends = time.monotonic() + lease.until - clock.real()
        self._lost = False

    def keep(self, tx: sa.Connection) -> Lease:
        """Renew, in the same transaction as what is written. Raises LeaseLost: then nothing of it may be written."""
        return lanes.keep(tx, self.lease, self._clock.real(), self._seconds)

    def renew(self, database: Database) -> None:
        """Renew, in a transaction of its own. Raises LeaseLost, StoreError."""
        began, now = time.monotonic(), self._clock.real()
        try:
            with database.write() as tx:
                lease = lanes.keep(tx, self.lease, now, self._seconds)
        except LeaseLost:
            self._lost = True
            raise
        self.lease, self._ends = lease, began + self._seconds

    def outlasts(self, seconds: float) -> bool:
        """Whether nobody else can take the lane for this long."""
        return not self._lost and min(self.lease.until - self._clock.real(), self._ends - time.monotonic()) > seconds


@dataclass(frozen=True)
class Batch:
    """Steps of one kind that are done together, in an order that respects their dependencies, with their trees as claimed."""

    holding: Holding
    steps: tuple[Step, ...]
    trees: Mapping[str, Tree]
    left: tuple[OpenTransaction, ...] = ()
    """Of steps that change what the target holds: transactions of which nobody knows what became, of a former owner of the lane."""
    adopted: bool = True
    """Whether it is known what the target held before us."""

    @property
    def lane(self) -> str:
        """Where they are done."""
        return self.holding.lease.lane

    def tree(self, step: Step) -> Tree:
        """The tree of a step, as it was when it was claimed. Others read it too: whoever wants to change something copies it."""
        return self.trees[step.root]


def _nothing(_tx: sa.Connection, _trees: Mapping[str, Tree]) -> None:
    return None


@dataclass(frozen=True)
class Settlement:
    """Results of some steps of a batch, settled in one transaction. `before` is done first in that same transaction, with the trees of
    these steps and of `roots`."""

    results: Mapping[StepRef, StepResult]
    before: Callable[[sa.Connection, Mapping[str, Tree]], None] = field(default=_nothing)
    roots: frozenset[str] = frozenset()


@dataclass(frozen=True)
class WorkerSettings:
    """How a worker works. Times in real seconds."""

    lease: float = 30.0
    """So long after a worker's death others take its lanes over. It is renewed while the worker lives."""
    push_timeout: float = 60.0
    """For one transaction on a device."""
    rpc_margin: float = 10.0
    """The lease must outlast a commit by this much, else it is not sent."""
    batch_targets: int = 50
    """Steps that are taken from a target's lane for one transaction; those that only wait for them come along."""
    batch_systems: int = 20
    """Steps that are taken together for NetBox, or to be decomposed."""
    netbox_lanes: int = 4
    """Exchanges whose resources NetBox is asked for at the same time, by all workers together."""
    opens_after: int = 3
    """So often in a row a target may not answer until its circuit opens; then one order at a time tries it."""
    pause: float = 10.0
    """How long an open circuit leaves a target alone at most."""
    threads: int = 16
    """Lanes that a process works at the same time."""
    sweep: float = 1.0
    """Between two looks for lanes with work of which no hint came."""
    patience: float = 300.0
    """The next in line for an exhausted pool asks again after this long, also when nobody heard that there is something."""
    watch: float = 2.0
    """Between two looks for what others have changed in the inventory, while somebody waits for a pool."""
    quarantine: Mapping[str, timedelta] = field(default_factory=dict)
    """How long nobody gets what was given back, by kind of resource; people's time."""
    poll_at_most: float | None = None
    """Shorter looks than the catalogue says (the embedded lab's clock runs faster than the real one)."""
    drift: Mapping[str, DriftPolicy] = field(default_factory=dict)
    """What is done about changes of others, by target, platform or `*`."""


@dataclass(frozen=True)
class Workplace:
    """All that carrying out a step needs."""

    store: Store
    inventory: Inventory
    targets: Targets
    settings: WorkerSettings = WorkerSettings()

    @property
    def clock(self) -> Clock:
        """The clock of the store."""
        return self.store.clock

    @property
    def configurations(self) -> Configurations:
        """Applied configuration in the same store."""
        return Configurations(self.store)

    @property
    def transactions(self) -> Transactions:
        """Transactions in the same store."""
        return Transactions(self.store)

    def catalogue(self, tree: Tree) -> Catalogue:
        """The version that the order was accepted with."""
        return self.store.catalogue(tree.root.catalogue)

    def scope(self, tree: Tree) -> Scope:
        """The expression contexts of a tree. Raises InventoryError when the exchange is not known yet and NetBox cannot be asked."""
        site = self.inventory.site(exchange(tree))
        return Scope(tree, self.catalogue(tree), site, lambda _, sealed: self.store.vault.secret(sealed))

    def secrets(self, trees: Sequence[Tree]) -> set[str]:
        """Secret values of these trees, to be masked in what is stored as message or shown."""
        return secret_values(self.store.vault, trees)


def exchange(tree: Tree) -> str:
    """The exchange that the order's address is served by."""
    return str(tree.root.body["address"]["exchange"])


def item_of(tree: Tree, step: Step) -> Item:
    """The item of a step that has one."""
    item = tree.item_of(step)
    if item is None:
        raise LookupError(f"step {step.key} of {step.root} has no item")
    return item
