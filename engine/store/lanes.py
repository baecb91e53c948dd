"""Lanes: who works which target, until when, and which steps are to be done next there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from engine.errors import LeaseLost
from engine.store.schema import NEXT, RUNNING, lanes, steps


@dataclass(frozen=True)
class Lease:
    """The right to work a lane until `until` (seconds since the epoch). A higher fence ends it."""

    lane: str
    owner: str
    fence: int
    until: float


def take(tx: sa.Connection, lane: str, owner: str, now: float, seconds: float) -> Lease | None:
    """The lease of a lane, or None when somebody else holds it."""
    statement = (
        sa.update(lanes)
        .where(lanes.c.name == lane, (lanes.c.owner.is_(None)) | (lanes.c.until < now))
        .values(owner=owner, until=now + seconds, fence=lanes.c.fence + 1)
        .returning(lanes.c.fence)
    )
    fence = tx.execute(statement).scalar()
    return None if fence is None else Lease(lane, owner, int(fence), now + seconds)


def keep(tx: sa.Connection, lease: Lease, now: float, seconds: float) -> Lease:
    """The same lease for longer. Raises LeaseLost when there is a newer owner: what was done then does not count."""
    statement = sa.update(lanes).where(lanes.c.name == lease.lane, lanes.c.owner == lease.owner, lanes.c.fence == lease.fence)
    if tx.execute(statement.values(until=now + seconds)).rowcount != 1:
        raise LeaseLost(f"lane {lease.lane} has a newer owner")
    return Lease(lease.lane, lease.owner, lease.fence, now + seconds)


def free(tx: sa.Connection, lease: Lease) -> None:
    """Give a lane back."""
    tx.execute(sa.update(lanes).where(lanes.c.name == lease.lane, lanes.c.owner == lease.owner).values(owner=None, until=0.0))


def orphans(tx: sa.Connection, lane: str) -> list[tuple[int, str]]:
    """Steps (id, root) that a former owner of the lane left running."""
    found = tx.execute(sa.select(steps.c.id, steps.c.root).where(steps.c.lane == lane, RUNNING))
    return [(int(number), root) for number, root in found]


def next_steps(tx: sa.Connection, lane: str, now: float, limit: int) -> list[tuple[int, str]]:
    """The next steps (id, root) of a lane, new ones and those whose time to look again has come: highest priority first, then
    whose turn it has been longest."""
    statement = (
        sa.select(steps.c.id, steps.c.root)
        .where(steps.c.lane == lane, NEXT, steps.c.due <= now)
        .order_by(steps.c.priority, steps.c.due, steps.c.id)
        .limit(limit)
    )
    return [(int(number), root) for number, root in tx.execute(statement)]


def with_work(tx: sa.Connection, now: float) -> set[str]:
    """Lanes that nobody works and that have something due or left running."""
    unowned = sa.select(lanes.c.name).where((lanes.c.owner.is_(None)) | (lanes.c.until < now))
    due = sa.select(steps.c.lane).where(NEXT, steps.c.due <= now, steps.c.lane.in_(unowned))
    left = sa.select(steps.c.lane).where(RUNNING, steps.c.lane.in_(unowned))
    return {lane for lane in tx.execute(sa.union(due, left)).scalars() if lane}


def next_due(tx: sa.Connection) -> float | None:
    """When the next step is due (seconds since the epoch)."""
    found = tx.execute(sa.select(sa.func.min(steps.c.due)).where(NEXT)).scalar()
    return None if found is None else float(found)


def free_all(tx: sa.Connection) -> None:
    """No lane has an owner: for the one process that works an embedded store, when it starts."""
    tx.execute(sa.update(lanes).values(owner=None, until=0.0))


def wake(tx: sa.Connection, keys: Collection[str], now: float) -> set[str]:
    """What waits for one of these events is looked at again now. Returns the lanes."""
    statement = sa.update(steps).where(steps.c.awaits.in_(list(keys)), NEXT).values(due=now).returning(steps.c.lane)
    return {lane for lane in tx.execute(statement).scalars() if lane}
