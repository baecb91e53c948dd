"""Orders, items, steps and instances as plain data: what a tree consists of and what the tables hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from engine.ports import Trouble
from engine.states import Level, OrderState


class Action(StrEnum):
    """What an item asks for (TM Forum OrderItemActionType)."""

    ADD = "add"
    MODIFY = "modify"
    DELETE = "delete"
    NO_CHANGE = "noChange"


class StepKind(StrEnum):
    """What a step does."""

    DECOMPOSE = "decompose"
    RESERVE = "reserve"
    CONFIGURE = "configure"
    WAIT = "wait"
    ONLINE = "online"
    ACTIVATE = "activate"
    REMOVE = "remove"
    """Take the item's configuration from a target that holds it."""
    RESTORE = "restore"
    """Put back what a target held under the item's key before this order touched it."""
    RELEASE = "release"
    """Give back to the inventory what the order leaves."""


PUSHES = (StepKind.CONFIGURE, StepKind.REMOVE, StepKind.RESTORE)
"""Steps that change what a target holds: done together, in one transaction."""


class StepState(StrEnum):
    """Where a step stands. Only `ready` steps are claimed from their lane."""

    BLOCKED = "blocked"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    HELD = "held"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Nothing more will happen to it."""
        return self in (StepState.DONE, StepState.FAILED, StepState.CANCELLED)


class Tracked:
    """Knows whether it is stored yet, and which attributes got another value since: only these are written."""

    is_new = True
    changes: frozenset[str] = frozenset()

    @property
    def changed(self) -> bool:
        """Whether there is something to write."""
        return self.is_new or bool(self.changes)

    def stored(self) -> None:
        """Forget what changed: it is written."""
        self.__dict__.update(is_new=False, changes=frozenset())

    def __setattr__(self, name: str, value: object) -> None:
        own = self.__dict__
        if not self.is_new and own[name] != value:
            own["changes"] = own["changes"] | {name}
        own[name] = value


@dataclass
class Order(Tracked):
    """An order of one level. `root` is the id of the order that was submitted."""

    id: str
    root: str
    level: Level
    state: OrderState
    created: datetime
    catalogue: str
    external_id: str | None = None
    digest: str = ""
    parent: str | None = None
    subscription: str | None = None
    """Of the order that was submitted: what it makes or changes, named by its product (or its first service, where there is none). Its
    services, resources and configuration outlive the order; later orders change them, one at a time."""
    undoes: str | None = None
    """The order that this one takes back."""
    withdrawn: str = ""
    """Why it is being cancelled: what was done is taken back."""
    priority: int = 4
    body: dict[str, Any] = field(default_factory=dict)
    checksum: str | None = None
    """What the dry run showed, when the submitter insists on it."""
    reason: str = ""
    decomposed: bool = False
    started: datetime | None = None
    ended: datetime | None = None


@dataclass
class Item(Tracked):
    """A line of an order. Secret characteristics are sealed."""

    order: str
    id: str
    root: str
    level: Level
    specification: str
    state: OrderState
    ordinal: int
    action: Action = Action.ADD
    offering: str | None = None
    parent: str | None = None
    """Item of the order above that it was decomposed from (the first, when several share it)."""
    serves: tuple[str, ...] = ()
    """All items of the order above that need it."""
    depends_on: tuple[str, ...] = ()
    instance: str | None = None
    """Id of the product or service that it makes."""
    characteristics: dict[str, Any] = field(default_factory=dict)
    formerly: dict[str, Any] | None = None
    """The characteristics that its instance had before, of an item that changes or ends one."""
    replaces: str = ""
    """Order and item (`RO-2024-07814/ROI-007`) that made its instance what it was."""
    was: str = ""
    """State that its instance had."""
    outcome: str = ""
    """State of its instance when it is complete, where that is not the usual one."""
    reason: str = ""
    trouble: Trouble | None = None
    started: datetime | None = None
    ended: datetime | None = None


@dataclass
class Step(Tracked):
    """One piece of work at one target: what is scheduled, retried and settled. `key` is unique in the tree."""

    id: int
    root: str
    order: str
    key: str
    kind: StepKind
    state: StepState
    item: str | None = None
    part: int = 0
    """Which of the configurations, waits, ... of the specification it carries out."""
    needs: tuple[str, ...] = ()
    target_expression: str = ""
    target: str | None = None
    lane: str | None = None
    gates: bool = True
    """False: nobody waits for it (marking resources as active, the online report)."""
    outside: bool = False
    """Waits for somebody who is not us."""
    priority: int = 4
    attempt: int = 0
    """Counts the claims: an answer that belongs to an earlier one is refused."""
    failures: int = 0
    """Counts what the failure policy retried."""
    failing: float = 0.0
    """When the first of these failures was, in seconds since the epoch."""
    crashes: int = 0
    """Counts the attempts in a row that nobody settled: their worker died."""
    due: float = 0.0
    noted: float = 0.0
    """When `due` was set, by the same clock; 0 when it is a date that somebody asked for."""
    awaits: str | None = None
    """The event that would end a wait, or the pool that a held reservation waits for."""
    since: float = 0.0
    """Since when it waits for a pool (real seconds): its place in the queue, also when it waits for another one by now. 0: it does not."""
    overdue: datetime | None = None
    """When what it waits for should have happened, in the time people live in."""
    trouble: Trouble | None = None
    evidence: str = ""
    learned: dict[str, str] = field(default_factory=dict)
    transaction: str | None = None
    case: str | None = None
    """The fallout case that is open for it: there is one exactly as long as it is held."""
    by_hand: bool = False
    """Somebody says that it is done: it is looked at, and nothing is sent."""
    given: dict[str, str] = field(default_factory=dict)
    """Values that a person gave for its next attempt: the resource wanted of a reservation, or what was found when it was done by hand."""
    ended: datetime | None = None

    @property
    def asking(self) -> bool:
        """It waits for a pool and asks again whether there is something. Until there is, nothing has changed for anybody."""
        return self.awaits is not None and self.trouble is not None and self.kind is StepKind.RESERVE and self.state in _ASKING

    @property
    def held(self) -> bool:
        """It stands still for a person, or until there is capacity."""
        return self.state is StepState.HELD or self.asking


_ASKING = (StepState.READY, StepState.RUNNING)


@dataclass
class Instance(Tracked):
    """A product (TMF637), a customer-facing or a resource-facing service (TMF638; its id is the key of its configuration on targets,
    `<service>/<RFS>`). It lives on after the order that made it; `order` and `item` changed it last."""

    id: str
    level: Level
    specification: str
    state: str
    customer: str
    root: str
    order: str
    item: str
    catalogue: str
    subscription: str
    offering: str | None = None
    characteristics: dict[str, Any] = field(default_factory=dict)
    learned: dict[str, str] = field(default_factory=dict)
    """What targets told while it was made or changed."""
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self.ended is None


@dataclass(frozen=True)
class Event:
    """Something that happened, for the outbox."""

    root: str
    order: str
    item: str | None
    type: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True)
class StepResult:
    """What a step came to. `state` is one of done, waiting, ready (retry), held, failed, blocked (given back untouched)."""

    state: StepState
    trouble: Trouble | None = None
    evidence: str = ""
    learned: Mapping[str, str] = field(default_factory=dict)
    awaits: str | None = None
    overdue: datetime | None = None
    due: float = 0.0
    transaction: str | None = None
    rejected: bool = False
    """With `failed`: items of which nothing has begun are rejected."""
    undo: bool = False
    """With `failed`: the order is taken back."""
