"""Lanes: who works which target, until when, and which steps are to be done next there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from engine.errors import LeaseLost
from engine.store.schema import lanes, steps
from engine.tree import StepState


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
    found = tx.execute(sa.select(steps.c.id, steps.c.root).where(steps.c.lane == lane, steps.c.state == StepState.RUNNING))
    return [(int(number), root) for number, root in found.tuples()]


def ready(tx: sa.Connection, lane: str, now: float, limit: int) -> list[tuple[int, str]]:
    """The next steps (id, root) of a lane: highest priority first, then whose turn it has been longest."""
    statement = (
        sa.select(steps.c.id, steps.c.root)
        .where(steps.c.lane == lane, steps.c.state == StepState.READY, steps.c.due <= now)
        .order_by(steps.c.priority, steps.c.due, steps.c.id)
        .limit(limit)
    )
    return [(int(number), root) for number, root in tx.execute(statement).tuples()]


def with_work(tx: sa.Connection, now: float) -> set[str]:
    """Lanes that nobody works and that have something ready, due or left running."""
    open_ = sa.or_(
        sa.and_(steps.c.state == StepState.READY, steps.c.due <= now),
        sa.and_(steps.c.state == StepState.WAITING, steps.c.due <= now),
        steps.c.state == StepState.RUNNING,
    )
    statement = (
        sa.select(steps.c.lane)
        .join(lanes, lanes.c.name == steps.c.lane)
        .where(open_, (lanes.c.owner.is_(None)) | (lanes.c.until < now))
        .distinct()
    )
    return {lane for lane in tx.execute(statement).scalars() if lane}


def waiting(tx: sa.Connection, lane: str, now: float) -> list[tuple[int, str]]:
    """Steps (id, root) of a lane whose time to look again has come."""
    where = (steps.c.lane == lane, steps.c.state == StepState.WAITING, steps.c.due <= now)
    found = tx.execute(sa.select(steps.c.id, steps.c.root).where(*where))
    return [(int(number), root) for number, root in found.tuples()]


def awaiting(tx: sa.Connection, keys: Collection[str]) -> list[tuple[int, str]]:
    """Steps (id, root) that wait for one of these events."""
    found = tx.execute(sa.select(steps.c.id, steps.c.root).where(steps.c.awaits.in_(list(keys)), steps.c.state == StepState.WAITING))
    return [(int(number), root) for number, root in found.tuples()]


def next_due(tx: sa.Connection) -> float | None:
    """When the next ready or waiting step is due (seconds since the epoch)."""
    where = steps.c.state.in_([StepState.READY, StepState.WAITING])
    found = tx.execute(sa.select(sa.func.min(steps.c.due)).where(where)).scalar()
    return None if found is None else float(found)
