"""What the order layer knows of the world: an inventory, targets and a clock. Other rooms implement these Protocols.

Everything that crosses is plain frozen data defined here. No exceptions are part of a *result*: what a single need, push or
action came to is said by its result, so that one bad order does not hide what became of the others. Exceptions of
engine.errors are raised only when nothing at all could be done (NetBox unreachable before the first claim, ...).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol

from engine.errors import ErrorClass, TurnupError

DAY_ZERO = "day-0"
"""Key of the fragment that holds what was on a target before us."""
HELD = "held"
"""Key of a fragment that was read from a target."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True)
class Trouble:
    """An error as data: what is stored, shown and matched by the failure policy."""

    code: str
    error_class: ErrorClass
    message: str
    remedy: str = ""
    target: str | None = None
    may_retry: bool = False

    @classmethod
    def of(cls, error: TurnupError) -> Trouble:
        """The same error as data."""
        return cls(error.code, error.error_class, error.message, error.hint, error.target, error.may_retry)

    def as_error(self) -> TurnupError:
        """What stops everything on a target, as an error again."""
        error = TurnupError(self.message, target=self.target, remedy=self.remedy)
        error.__dict__.update(code=self.code, error_class=self.error_class, may_retry=self.may_retry)
        return error


# ---------------------------------------------------------------------------------------------------------------- inventory


class Mark(NamedTuple):
    """Identity of an allocation: asking twice with the same mark gives the same resource."""

    order: str
    item: str
    name: str

    def __str__(self) -> str:
        return f"{self.order}/{self.item}/{self.name}"


@dataclass(frozen=True)
class Need:
    """One resource that an item asks for. `pool` keys by kind: see inventory/pools (olt-port: site; stock: model, site?;
    vlan: group; ipv4: prefix (description or CIDR of the pool); ipv6-prefix: prefix, length)."""

    mark: Mark
    kind: str
    pool: Mapping[str, str]
    service: str
    requires: frozenset[Mark] = frozenset()
    """Without these (granted before or in the same call) this need is not taken, or is given back."""
    exact: str | None = None
    """Only this one will do, a person says: `OLT-EAST-07:LC3/P14`, a serial number, a VLAN id, an address, a prefix."""


class ObjectRef(NamedTuple):
    """An object of the inventory: `model` as NetBox spells it in URLs (`dcim.interfaces`, `ipam.vlans`)."""

    model: str
    id: int


@dataclass(frozen=True)
class Allocation:
    """A resource given to an item. `attributes` is what expressions and templates see under the allocation's name."""

    mark: Mark
    kind: str
    service: str
    attributes: Mapping[str, str | int]
    objects: tuple[ObjectRef, ...]
    """NetBox objects made or taken for it, in the order of creation; released in reverse."""
    pool: str = ""
    """Where it came from, e.g. `vlan:EAST-07-RES`: who waits for that may have it when it is released."""
    asked: Mapping[str, str] = field(default_factory=dict)
    """The pool of the need that it met (kept by the order layer): who asks for another one needs another resource."""


@dataclass(frozen=True)
class Shortage:
    """A need that was not met. `exhausted`: its pool is empty; otherwise something it requires was not granted."""

    mark: Mark
    exhausted: bool
    pool: str
    """What is waited for, e.g. `olt-port:EAST-07`, `vlan:EAST-07-RES`."""
    message: str
    exact: str | None = None
    """The one that was asked for cannot be had; of others there may be some."""


@dataclass(frozen=True)
class Site:
    """An exchange: its network elements by role, with underscores (`olt`, `access_switch`, `bng`, `dhcp`, `radius`, `acs`). A role
    that the site lacks is looked for among elements of sites above or without exchange (a central ACS)."""

    name: str
    elements: Mapping[str, tuple[str, ...]]


ItemState = Literal["reserved", "active", "quarantine"]


class Inventory(Protocol):
    """The resource inventory: the only place where a resource is given out."""

    def reserve(self, needs: Sequence[Need], *, again: bool = False) -> Mapping[Mark, Allocation | Shortage]:
        """Take what is asked for; every need has a result. Idempotent by mark, also after a crash or a timeout in the middle.
        `again`: an earlier attempt may have taken something, so it is looked up by its mark first.

        Raises InventoryError when it could not be carried through: then nothing new of this call is known to be kept
        (what was taken is given back, or found again by its mark on the next call)."""

    def expected(self, needs: Sequence[Need]) -> Mapping[Mark, Allocation | Shortage]:
        """What `reserve` would most likely give now. Takes nothing. `objects` is empty."""

    def pool(self, need: Need) -> str:
        """What is waited for when there is nothing left for this need: the pool of its shortage. Pure. Raises InventoryIncomplete when
        the catalogue does not name one."""

    def release(self, allocations: Sequence[Allocation], *, until: datetime | None = None) -> None:
        """Give back, in reverse order of creation. Idempotent: what is gone is gone.

        `until`: not before then (people's time). Until it is released once more it stays taken, and is marked as in quarantine."""

    def changes(self, after: int | None, pools: Collection[str]) -> tuple[int, set[str]]:
        """In which of these pools there may be something now that others than we have changed the inventory since `after`, and how far
        was read. Without `after` nothing is known, and it may be in any. Cheap: one look, however much there is in the pools."""

    def activate(self, allocations: Sequence[Allocation]) -> None:
        """Mark as in use: reserved -> active; an ONT planned -> active, shipped. Idempotent."""

    def site(self, name: str) -> Site:
        """Facts of an exchange. Raises InventoryIncomplete when there is no such site."""


# ------------------------------------------------------------------------------------------------------------------ targets


@dataclass(frozen=True)
class Wanted:
    """What a template is asked to render: one fragment of configuration for one target."""

    target: str
    key: str
    """Identity of the fragment on its target: `<service id>/<RFS>`, or the key of a shared fragment."""
    template: str
    context: Mapping[str, object]


@dataclass(frozen=True)
class Fragment:
    """What one service (or a shared key, or `day-0`) holds on a target, in the target's own format (XML, set lines, JSON documents)."""

    target: str
    key: str
    text: str


class Node(NamedTuple):
    """One statement of a fragment: `path` identifies it on its target, `value` is a leaf's value ('' for what merely exists)."""

    path: str
    value: str


@dataclass(frozen=True)
class Change:
    """The difference of wanted and applied, exactly as it is sent, with its exact reverse. Both empty: nothing to do."""

    forward: str
    reverse: str

    def __bool__(self) -> bool:
        return bool(self.forward)


@dataclass(frozen=True)
class CheckRequest:
    """Something to look at before the change is confirmed. `step` says whose check it is."""

    step: int
    name: str
    arguments: Mapping[str, str]


class TransactionState(StrEnum):
    """What a transaction came to, as far as it is known."""

    OPEN = "open"  # written ahead; the device has not been asked, or its answer is not known
    CONFIRMED = "confirmed"
    REVERSED = "reversed"  # the target holds what it held before
    REFUSED = "refused"  # the target refused, nothing was changed
    NOT_ATTEMPTED = "notAttempted"  # the target could not be reached or the deadline was over: nothing was sent
    UNKNOWN = "unknown"  # neither confirmed nor reversed could be established: a person must look


@dataclass(frozen=True)
class Push:
    """One transaction on one target."""

    transaction: str
    """Id of the transaction: persist-id, commit comment, idempotency key."""
    target: str
    change: Change
    checks: tuple[CheckRequest, ...] = ()
    timeout: float = 60.0
    """Seconds for the whole transaction."""
    holds: Callable[[], bool] = lambda: True
    """Asked right before a commit and before its confirmation: False when the lane's lease would not outlast it."""
    began: Callable[[str], None] = lambda _: None
    """Told the id of the device's session before its lock is taken, where there is one. Raises LeaseLost: nothing must be sent."""
    old_session: str = ""
    """To resolve: the session with which the transaction may have been begun. It is ended when it still holds the lock: its owner was
    frozen, or the device has not seen it die."""


@dataclass(frozen=True)
class CheckResult:
    """What a check saw. `evidence` is a sentence for people."""

    step: int
    name: str
    passed: bool
    evidence: str


@dataclass(frozen=True)
class Outcome:
    """What became of a push."""

    state: TransactionState
    trouble: Trouble | None = None
    checks: tuple[CheckResult, ...] = ()
    learned: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Values only the target knows, per document `kind/key` (e.g. the id that the cloud controller gave)."""

    def learned_of(self, nodes: Sequence[Node]) -> dict[str, str]:
        """What the target told of the documents that these statements belong to."""
        told = (values for document, values in self.learned.items() if any(node.path.startswith(document) for node in nodes))
        return {name: value for values in told for name, value in values.items()}


class Look(StrEnum):
    """What a wait found."""

    DONE = "done"
    NOT_YET = "notYet"


@dataclass(frozen=True)
class Question:
    """Has what is waited for happened? `arguments` are rendered from the catalogue."""

    step: int
    target: str
    until: str
    arguments: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """`learned` is kept with the step (evidence, times, ids). `awaits`: key of the event that would wake it."""

    look: Look
    evidence: str = ""
    learned: Mapping[str, str] = field(default_factory=dict)
    awaits: str | None = None
    trouble: Trouble | None = None


class Targets(Protocol):
    """Devices and northbound systems, by name. Templates come with the catalogue version that the order is pinned to."""

    def platform(self, target: str) -> str:
        """Platform of a target, the folder of its templates. Raises TargetUnknown."""

    def render(self, wanted: Wanted, templates: Mapping[str, str]) -> Fragment:
        """Render and parse a template. `templates`: path below templates/ -> text. Raises TemplateFailed, TargetUnknown."""

    def nodes(self, fragment: Fragment) -> Sequence[Node]:
        """The statements of a fragment. Pure. Two fragments that state the same node share its path."""

    def change(self, target: str, applied: Sequence[Fragment], wanted: Sequence[Fragment], others: Mapping[str, frozenset[str]]) -> Change:
        """Difference of what `applied` and `wanted` say together. `others`: path -> values that everybody else on the target
        states there, for every path that either side states; what others hold is neither created nor deleted.
        Pure; its cost depends on the two sides, not on the number of others. Raises ChangeConflict."""

    def show(self, target: str, change: Change) -> str:
        """The change for people: a unified diff or the payload, one statement a line, `+`/`-` first."""

    def held(self, target: str, fragments: Sequence[Fragment]) -> Fragment:
        """What the target holds, now, where these fragments say something: in its own notation, with its own values, and not only
        what they state (the whole of an entry that they name). Key `held`. Raises TargetError."""

    def reads_first(self, target: str) -> bool:
        """Whether a push reads what it replaces anyway, and refuses (DRIFT_FOUND) when it is not as it was left. Raises TargetUnknown."""

    def merges(self, target: str) -> bool:
        """Whether what a push creates is merged without a word into what is there already; else it is refused. Raises TargetUnknown."""

    def part(self, held: Fragment, fragments: Sequence[Fragment], also: Collection[str]) -> Fragment:
        """Of what a target holds, what these fragments state (whatever its values), the paths `also`, and what contradicts them.
        From there to the fragments leads a `change`. Pure."""

    def as_held(self, fragment: Fragment, held: Fragment, paths: Collection[str]) -> Fragment:
        """A fragment in which these of its nodes are as the target holds them: of another value, or not there. Pure."""

    def around(self, target: str, path: str) -> Iterator[str]:
        """The paths that a node may be below, innermost first. Pure."""

    def day_zero(self, target: str) -> Fragment | None:
        """What the target holds that we did not put there, as a fragment with key `day-0`; None where that has no meaning.
        Raises TargetError."""

    def push(self, push: Push) -> Outcome:
        """Carry out one transaction. Never raises for what the target does: the outcome says it."""

    def resolve(self, push: Push) -> Outcome:
        """What became of a push whose end was not seen (a crash in the middle): a pending commit is taken back, then the target
        is asked what it holds. Never raises for what the target does."""

    def ask(self, questions: Sequence[Question]) -> Mapping[int, Answer]:
        """Look whether what is waited for has happened. All questions are for one target."""


# -------------------------------------------------------------------------------------------------------------------- clock


class Clock(Protocol):
    """Two times: the one people live in, and the one leases and retries are counted in."""

    def now(self) -> datetime:
        """The time shown on orders and events (the embedded lab's own clock there). Timezone-aware."""

    def real(self) -> float:
        """Seconds since the epoch by the machine's clock: for leases, due times and backoff."""

    def earliest(self, moment: datetime) -> float:
        """When it can be `moment` for people at the earliest, in seconds since the epoch: until then nobody need look."""
