"""A world that answers at once, for tests and benchmarks of the order layer alone.

It keeps what it is given, as a real one would: resources are given out once, targets hold lines, and what is asked for can be looked up.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine.batch import Batch, WorkerSettings, Workplace
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.loader import load
from engine.ports import (
    Allocation,
    Answer,
    Change,
    Fragment,
    Look,
    Mark,
    Need,
    Node,
    ObjectRef,
    Outcome,
    Push,
    Question,
    Shortage,
    Site,
    TransactionState,
    Trouble,
    Wanted,
)
from engine.requests import Address, Customer, OrderRequest
from engine.store.database import Database
from engine.store.migrate import migrate
from engine.store.store import Store, Unit
from engine.vault import Vault
from engine.worker import Worker

ROOT = Path(__file__).parent.parent
PLATFORMS = {
    "OLT-EAST-07": "bbf-olt",
    "ASW-EAST-07": "bbf-switch",
    "BNG-EAST-01": "junos",
    "DHCP-EAST-01": "kea",
    "RADIUS-EAST-01": "freeradius",
    "ACS-01": "genieacs",
    "cloudwifi": "openwifi",
    "logistics": "logistics",
}
SITE = Site(
    "EAST-07",
    {
        "olt": ("OLT-EAST-07",),
        "access_switch": ("ASW-EAST-07",),
        "bng": ("BNG-EAST-01",),
        "dhcp": ("DHCP-EAST-01",),
        "radius": ("RADIUS-EAST-01",),
        "acs": ("ACS-01",),
    },
)


class TestClock:
    """People's time begins in March 2024 and runs with the machine's."""

    __test__ = False

    def __init__(self) -> None:
        self._start, self._began, self.skipped = datetime(2024, 3, 11, 9, tzinfo=UTC), time.time(), 0.0

    def now(self) -> datetime:
        """People's time."""
        return self._start + timedelta(seconds=self.real() - self._began)

    def real(self) -> float:
        """The machine's time, and what was skipped."""
        return time.time() + self.skipped

    def earliest(self, moment: datetime) -> float:
        """It is one clock."""
        return self.real() + (moment - self.now()).total_seconds()


@dataclass
class NullInventory:
    """Gives out numbers. `left`: how many of a kind there are (missing: no end)."""

    left: dict[str, int] = field(default_factory=dict)
    spare: set[str] = field(default_factory=set)
    given: dict[Mark, Allocation] = field(default_factory=dict)
    active: set[Mark] = field(default_factory=set)
    trouble: Callable[[], None] = lambda: None
    calls: int = 0
    asked: list[Mark] = field(default_factory=list)
    """What was asked for, in all calls."""
    polls: int = 0
    changed: list[str] = field(default_factory=list)
    quarantine: dict[Mark, datetime] = field(default_factory=dict)
    _next: Counter[str] = field(default_factory=Counter)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def reserve(self, needs: Sequence[Need], *, again: bool = False) -> Mapping[Mark, Allocation | Shortage]:
        """One of each."""
        self.trouble()
        with self._guard:
            self.calls += 1
            self.asked += [need.mark for need in needs]
            # what others require comes first
            ordered = sorted(needs, key=lambda need: len(need.requires))
            return {need.mark: self._one(need) for need in ordered}

    def _one(self, need: Need) -> Allocation | Shortage:
        if need.mark in self.given:
            return self.given[need.mark]
        if not all(mark in self.given for mark in need.requires):
            return Shortage(need.mark, False, self.pool(need), "something it requires is missing")
        if need.exact:
            return self._exactly(need, need.exact)
        if self.left.get(need.kind) == 0:
            return Shortage(need.mark, True, f"{need.kind}:EAST-07", f"no free {need.kind}")
        if need.kind in self.left:
            self.left[need.kind] -= 1
        number = self._next[need.kind]
        self._next[need.kind] += 1
        refs = (ObjectRef(need.kind, number),)
        self.given[need.mark] = Allocation(need.mark, need.kind, need.service, _attributes(need.kind, number), refs, self.pool(need))
        return self.given[need.mark]

    def _exactly(self, need: Need, name: str) -> Allocation | Shortage:
        """Of ports and VLANs `spare` are kept for those who ask for them by name."""
        if name not in self.spare:
            return Shortage(need.mark, True, f"{need.kind}:EAST-07", f"{name} is taken", name)
        self.spare.remove(name)
        attributes = _attributes(need.kind, self._next["spare"] + 48)
        self.given[need.mark] = Allocation(need.mark, need.kind, need.service, attributes | {"name": name}, ())
        return self.given[need.mark]

    def expected(self, needs: Sequence[Need]) -> Mapping[Mark, Allocation | Shortage]:
        """What reserve would give; nothing is taken."""
        before = dict(self.given), Counter(self._next), dict(self.left)
        found = self.reserve(needs)
        self.given, self._next, self.left = before
        return found

    def pool(self, need: Need) -> str:
        """One pool a kind."""
        return f"{need.kind}:EAST-07"

    def add(self, kind: str, count: int) -> None:
        """Somebody else puts something into a pool."""
        with self._guard:
            self.left[kind] = self.left.get(kind, 0) + count
            self.changed.append(f"{kind}:EAST-07")

    def changes(self, after: int | None, pools: Collection[str]) -> tuple[int, set[str]]:
        """What was added."""
        self.polls += 1
        return len(self.changed), set(pools) & set(self.changed[after:] if after is not None else pools)

    def release(self, allocations: Sequence[Allocation], *, until: datetime | None = None) -> None:
        """Back into the pool, unless it is in quarantine."""
        for allocation in allocations:
            if until is not None:
                self.quarantine[allocation.mark] = until
                continue
            self.quarantine.pop(allocation.mark, None)
            if self.given.pop(allocation.mark, None) and allocation.kind in self.left:
                self.left[allocation.kind] += 1

    def activate(self, allocations: Sequence[Allocation]) -> None:
        """In use."""
        self.active |= {allocation.mark for allocation in allocations}

    def site(self, name: str) -> Site:
        """There is one exchange."""
        return SITE


def _attributes(kind: str, n: int) -> dict[str, str | int]:
    card, port = divmod(n, 16)
    return {
        "olt-port": {
            "device": "OLT-EAST-07",
            "name": f"LC{card}/P{port}",
            "slot": card,
            "port": port,
            "onu": 1,
            "slug": f"{card}.{port}",
            "onu_slug": f"{card}.{port}.1",
        },
        "stock": {
            "model": "HG8245H",
            "serial": f"HWT{2340098 + n}",
            "pon_serial": f"HWTC{2340098 + n:08d}",
            "mac": f"48:57:54:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}",
            "asset_tag": f"HWT{2340098 + n}",
            "oui": "00259E",
        },
        "vlan": {"vid": 2 + n % 4000, "name": f"v{n}", "group": "EAST-07-RES"},
        "ipv4": {
            "address": f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}",
            "prefix_length": 8,
            "subnet": "10.0.0.0/8",
            "gateway": "10.0.0.1",
            "subnet_id": 42,
            "pool": "EAST-RES",
        },
        "ipv6-prefix": {"prefix": f"2001:db8:{n:x}::/64", "pool": "EAST-RES-V6", "subnet_id": 42},
    }[kind]


@dataclass
class NullTargets:
    """Targets that hold lines. `fail`: asked at each push; may give an outcome other than confirmed."""

    lines: dict[str, set[str]] = field(default_factory=dict)
    pushes: list[Push] = field(default_factory=list)
    fail: Callable[[Push], Outcome | None] = lambda _: None
    done: Callable[[Question], bool] = lambda _: True
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def platform(self, target: str) -> str:
        """As in the example's NetBox."""
        return PLATFORMS[target]

    def render(self, wanted: Wanted, templates: Mapping[str, str]) -> Fragment:
        """A line that is the service's own, one that says how it is to be, and one that all share."""
        lines = [f"{wanted.template} {wanted.key}", f"shared {wanted.template}"]
        if "RFS:" in wanted.key:
            held = [wanted.context.get(name) for name in ("c", "policy", "port", "ont", "vlan", "ipv4", "ipv6")]
            lines.append(f"{wanted.key} {sha256(json.dumps(held, default=str, sort_keys=True).encode()).hexdigest()[:12]}")
        return Fragment(wanted.target, wanted.key, "\n".join(lines))

    def nodes(self, fragment: Fragment) -> Sequence[Node]:
        """One per line."""
        return [Node(line, "") for line in fragment.text.splitlines()]

    def change(self, target: str, applied: Sequence[Fragment], wanted: Sequence[Fragment], others: Mapping[str, frozenset[str]]) -> Change:
        """Lines to add and to remove."""
        old = {line for fragment in applied for line in fragment.text.splitlines()} - set(others)
        new = {line for fragment in wanted for line in fragment.text.splitlines()} - set(others)
        forward, reverse = (sorted(new - old), sorted(old - new)), (sorted(old - new), sorted(new - old))
        return Change(json.dumps(forward), json.dumps(reverse)) if old != new else Change("", "")

    def show(self, target: str, change: Change) -> str:
        """Added and removed lines."""
        if not change:
            return ""
        added, removed = json.loads(change.forward)
        return "\n".join([*(f"+ {line}" for line in added), *(f"- {line}" for line in removed)])

    def held(self, target: str, fragments: Sequence[Fragment]) -> Fragment:
        """All its lines."""
        return Fragment(target, "held", "\n".join(sorted(self.lines.get(target, ()))))

    def reads_first(self, target: str) -> bool:
        """They do not."""
        return False

    def merges(self, target: str) -> bool:
        """They hold a line or not."""
        return False

    def part(self, held: Fragment, fragments: Sequence[Fragment], also: Collection[str]) -> Fragment:
        """The lines that they state."""
        stated = {line for fragment in fragments for line in fragment.text.splitlines()} | set(also)
        return replace(held, text="\n".join(line for line in held.text.splitlines() if line in stated))

    def as_held(self, fragment: Fragment, held: Fragment, paths: Collection[str]) -> Fragment:
        """Without the lines that are not there."""
        return replace(fragment, text="\n".join(line for line in fragment.text.splitlines() if line not in paths))

    def around(self, target: str, path: str) -> Iterator[str]:
        """Lines are beside each other."""
        return iter(())

    def day_zero(self, target: str) -> Fragment | None:
        """What the target holds at first."""
        lines = sorted(self.lines.get(target, ()))
        return Fragment(target, "day-0", "\n".join(lines)) if lines else None

    def push(self, push: Push) -> Outcome:
        """Hold what is given."""
        with self._guard:
            self.pushes.append(replace(push, holds=_always, began=_unheard))  # without what leads back into the worker
            failed = self.fail(push)
            if failed is not None:
                return failed
            added, removed = json.loads(push.change.forward)
            held = self.lines.setdefault(push.target, set())
            held |= set(added)
            held -= set(removed)
        return Outcome(TransactionState.CONFIRMED, learned={"": {"id": f"ID-{push.transaction[:4]}"}})

    def resolve(self, push: Push) -> Outcome:
        """Confirmed when its lines are there."""
        added, _ = json.loads(push.change.forward)
        there = set(added) <= self.lines.get(push.target, set())
        return Outcome(TransactionState.CONFIRMED if there else TransactionState.REVERSED)

    def ask(self, questions: Sequence[Question]) -> Mapping[int, Answer]:
        """Whatever `done` says."""
        return {
            q.step: Answer(Look.DONE, "seen")
            if self.done(q)
            else Answer(Look.NOT_YET, awaits=f"{q.until}:{next(iter(q.arguments.values()))}")
            for q in questions
        }


class LaneByLane(Worker):
    """Gives each lane back before another is worked: for those who look in between."""

    def _take_over(self, unit: Unit, woken: Collection[str]) -> Batch | None:
        return None


def _always() -> bool:
    return True


def _unheard(_session: str) -> None:
    return None


def rendered_last(world: NullWorld) -> dict[str, Any]:
    """By template the characteristics with which it is rendered last, from now on."""
    found: dict[str, Any] = {}
    render = world.targets.render

    def noted(wanted: Wanted, templates: Mapping[str, str]) -> Fragment:
        found[wanted.template] = wanted.context["c"]
        return render(wanted, templates)

    world.targets.render = noted  # type: ignore[method-assign]
    return found


def refused(message: str, *, may_retry: bool = False) -> Outcome:
    """A device's refusal."""
    from engine.errors import TargetRefused, TargetUnreachable

    error = TargetUnreachable(message) if may_retry else TargetRefused(message)
    return Outcome(TransactionState.NOT_ATTEMPTED if may_retry else TransactionState.REFUSED, Trouble.of(error))


@dataclass
class NullWorld:
    """Everything an order needs, in memory but for the database."""

    at: Workplace
    catalogue: Catalogue
    inventory: NullInventory
    targets: NullTargets
    clock: TestClock


def null_world(
    url: str, key: Path, settings: WorkerSettings | None = None, catalogue: Catalogue | None = None, targets: NullTargets | None = None
) -> NullWorld:
    """A world on this database, with the project's own catalogue."""
    database, clock = Database(url), TestClock()
    migrate(database)
    inventory, targets = NullInventory(), targets or NullTargets()
    store = Store(database, Vault.from_file(key), clock)
    at = Workplace(store, inventory, targets, settings or WorkerSettings(sweep=0.05, threads=4))
    return NullWorld(at, catalogue or impatient(load(ROOT / "catalog", ROOT / "templates")), inventory, targets, clock)


def impatient(catalogue: Catalogue) -> Catalogue:
    """The same catalogue, retrying after milliseconds."""
    rules = tuple(rule.model_copy(update={"backoff": 0.01, "backoff_max": 0.05}) for rule in catalogue.failure_policy)
    return replace(catalogue, failure_policy=rules)


def superfibre(number: int, **characteristics: str | int | bool) -> OrderRequest:
    """The worked example's order, for customer CUST-<number>."""
    return OrderRequest(
        external_id=f"SF200-{number}",
        offering="PO-SF200H",
        customer=Customer(id=f"CUST-{number}", name="Jane Smith", account="ACC-7742"),
        address=Address(street="42 Fibre Lane", city="Melbourne", exchange="EAST-07", distribution_point="DP-142"),
        characteristics={"ssid": "SmithHome", **characteristics},
    )
