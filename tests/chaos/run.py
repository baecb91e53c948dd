"""One run: orders come in while workers are killed at every failpoint and at random, frozen past their leases, and stand-ins fail."""

from __future__ import annotations

import signal
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import cycle
from random import Random

import sqlalchemy as sa

from engine.failpoints import Failpoint
from engine.store.database import Database
from engine.store.schema import orders, steps
from lab.process import send
from tests.chaos.checker import Expected, Finding, Kind, check
from tests.chaos.faults import HOLDING, Faults
from tests.chaos.observed import Observed, observe
from tests.chaos.worker import LEASE, Workers, workers
from tests.chaos.world import Submitter, World
from turnup.wiring import Wiring

_LIFE = 2.5
"""Seconds that a worker is given to reach its failpoint; then it is killed where it is."""
_TO_END = 300.0
_MINDS = 3
"""Every so many lives, and when somebody is to die while giving back, one of the last `_LATELY` orders is taken back."""
_LATELY = 8


@dataclass
class Report:
    """What a run did and what was found."""

    kills: Counter[str] = field(default_factory=Counter)
    """By failpoint; `random` for those at any instant."""
    freezes: int = 0
    faults: int = 0
    held: int = 0
    cancelled: int = 0
    completed: int = 0
    findings: list[Finding] = field(default_factory=list)
    expected: Expected | None = None
    seen: Observed | None = None

    def count(self, kind: Kind) -> int:
        """How many findings of a kind."""
        return sum(finding.kind is kind for finding in self.findings)


@dataclass(frozen=True)
class Plan:
    """How much of what."""

    orders: int
    lives: int
    """Workers that are killed, at least one at each failpoint when there are enough."""
    processes: int = 1
    """Workers at the same time; one on SQLite."""
    freezes: int = 0
    holding: int = 0
    """Faults that may hold orders."""


def run(world: World, plan: Plan, random: Random) -> Report:
    """Do it, look at everything, and say what was found."""
    wiring = Wiring(world.settings)
    try:
        submitter, faults, report = Submitter(wiring), Faults(world, random), Report()
        before = observe(world)
        with workers(world) as pool:
            _disturb(plan, random, submitter, faults, pool, report)
            world.heal()
            for _ in range(plan.processes):
                pool.start()
            _wait_for_the_end(wiring.store.database)
            pool.end()
    finally:
        wiring.close()
    netbox = {path: {row["id"] for row in rows} for path, rows in before.netbox.items()}
    seen = observe(world)
    expected = Expected(submitter.accepted, before.devices, netbox, faults.reasons, submitter.taken_back)
    report.expected, report.seen, report.findings = expected, seen, check(expected, seen)
    states = Counter(row["state"] for row in seen.tables["orders"] if row["level"] == "product")
    report.completed, report.held, report.cancelled = states["completed"], states["held"], states["cancelled"]
    report.faults = len(faults.injected)
    return report


def _disturb(plan: Plan, random: Random, submitter: Submitter, faults: Faults, pool: Workers, report: Report) -> None:
    """Let workers live short lives while orders come in."""
    points, armed = deque(_points(plan.lives, random)), dict[int, Failpoint | None]()
    patience = _LIFE + (LEASE if plan.processes > 1 else 0.0)  # what a dead one held is free when its lease ends
    freezes = set(random.sample(range(plan.lives), plan.freezes))
    holding = dict(zip(random.sample(range(plan.lives), plan.holding), cycle(HOLDING), strict=False))
    for life in range(plan.lives):
        submitter.submit(plan.orders * (life + 1) // plan.lives - len(submitter.accepted))
        if life % 2:
            faults.inject()
        if life in holding:
            faults.inject(holding[life])
        while len(pool.alive) < plan.processes:
            point = points.popleft()
            often = 1 if point is Failpoint.RELEASED else random.choice((1, 1, 2, 3))
            armed[pool.start(point and f"{point}:{often}")] = point
        if life % _MINDS == 0 or Failpoint.RELEASED in {armed[pid] for pid in pool.alive}:
            submitter.cancel(random.choice(submitter.accepted[-_LATELY:]), recall=random.random() < 0.5)
        victim = random.choice(sorted(pool.alive))
        if life in freezes:
            _freeze(victim)
            report.freezes += 1
        died = pool.first_gone(patience if armed[victim] else random.uniform(0.3, _LIFE))
        if died is None:
            pool.kill(victim)
            points.append(armed[victim])  # it did not come by: another time
        report.kills[str(armed[died]) if died else "random"] += 1


def _points(lives: int, random: Random) -> list[Failpoint | None]:
    """The failpoint of each life; None: at any instant. A transaction is resolved by whoever comes after one that left it open."""
    named = [point for point in Failpoint if point is not Failpoint.RESOLVED]
    random.shuffle(named)
    found: list[Failpoint | None] = [Failpoint.ADOPTED, *(point for point in named if point is not Failpoint.ADOPTED)]
    found.insert(found.index(Failpoint.PUSHED) + 1, Failpoint.RESOLVED)
    while len(found) < 2 * lives:  # some workers are alive when the last life ends
        found.append(random.choice([None, *Failpoint]))
    return found


def _freeze(pid: int) -> None:
    """SIGSTOP past its leases, while others go on, then SIGCONT."""
    send(pid, signal.SIGSTOP)
    time.sleep(LEASE + 2)  # what is waited for is that time passes
    send(pid, signal.SIGCONT)


def _wait_for_the_end(database: Database) -> None:
    """Until nothing is left to do. Raises TimeoutError saying what still is."""
    deadline = time.monotonic() + _TO_END
    left = sa.select(steps.c.key, steps.c.state, steps.c.lane, steps.c.evidence).where(steps.c.state.in_(("ready", "running", "waiting")))
    stuck = sa.select(orders.c.id).where(orders.c.state.in_(("acknowledged", "inProgress", "pending")))
    while True:
        with database.read() as tx:
            rows, unfinished = tx.execute(left).all(), tx.execute(stuck).all()
        if not rows and not unfinished:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {_TO_END} s there are still {rows[:10]} and {unfinished[:10]}")
        time.sleep(0.2)
