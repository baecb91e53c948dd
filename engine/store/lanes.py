"""Lanes: who works which target, until when, whether it answers, and which steps are to be done next there.

Leases are counted in the machines' clocks, which have to agree to within a lease. A lease that lasts longer than its own term allows was
given before a clock was set back; it is over.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from engine.errors import LeaseLost
from engine.ports import Trouble
from engine.store import bulk
from engine.store.rows import trouble_from, trouble_row
from engine.store.schema import NEXT, RUNNING, lanes, steps


@dataclass(frozen=True)
class Lease:
    """The right to work a lane until `until` (seconds since the epoch). A higher fence ends it."""

    lane: str
    owner: str
    fence: int
    until: float
    failures: int = 0
    """How often in a row the target did not answer."""
    open_until: float = 0.0
    """The circuit is open: the target is left alone until then."""
    session: str = ""
    """Session of the device that the lane was worked with last."""


@dataclass(frozen=True)
class Limit:
    """Of the lanes whose names begin with `prefix` only so many are worked at the same time, by all workers together."""

    prefix: str
    lanes: int

    def holds_for(self, lane: str) -> bool:
        """Whether it is one of these lanes."""
        return lane.startswith(self.prefix)


# Statements are made once: SQLAlchemy needs five times as long to make and compare one as to send it.
_KEPT = (lanes.c.failures, lanes.c.open_until, lanes.c.session)
_LANE, _NOW, _UNTIL = sa.bindparam("lane", type_=sa.Text), sa.bindparam("now", type_=sa.Float), sa.bindparam("until_", type_=sa.Float)
_OWNER, _FENCE, _LIMIT = (
    sa.bindparam("owner_", type_=sa.Text),
    sa.bindparam("fence_", type_=sa.Integer),
    sa.bindparam("limit_", type_=sa.Integer),
)
_FREE = sa.or_(lanes.c.owner.is_(None), lanes.c.until < _NOW, lanes.c.until > _NOW + 2 * lanes.c.term)
"""Nobody works the lane."""
_MINE = sa.and_(lanes.c.name == _LANE, lanes.c.owner == _OWNER, lanes.c.fence == _FENCE)
_AVAILABLE = sa.and_(lanes.c.name == _LANE, lanes.c.open_until <= _NOW, sa.or_(lanes.c.owner == _OWNER, _FREE))
_TAKEN = {"owner": _OWNER, "until": _UNTIL, "term": sa.bindparam("term_", type_=sa.Float), "fence": lanes.c.fence + 1}
_TAKE_SQLITE = sa.update(lanes).where(_AVAILABLE).values(_TAKEN).returning(lanes.c.fence, *_KEPT)
# whoever has the row locked is settling or taking it: it is not ours, and not worth waiting for
_UNLOCKED = sa.select(lanes.c.name).where(_AVAILABLE).with_for_update(skip_locked=True)
_TAKE = sa.update(lanes).where(lanes.c.name.in_(_UNLOCKED)).values(_TAKEN).returning(lanes.c.fence, *_KEPT)
_KEEP = sa.update(lanes).where(_MINE).values(until=_UNTIL).returning(*_KEPT)
_GIVE_BACK = sa.update(lanes).where(_MINE).values(owner=None, until=0.0)
_TURN = (steps.c.priority, steps.c.due, steps.c.id)
_LEFT_RUNNING = sa.select(steps.c.id, steps.c.root, *_TURN[:2], sa.true().label("left")).where(steps.c.lane == _LANE, RUNNING)
_NEXT_ONES = (
    sa.select(steps.c.id, steps.c.root, *_TURN[:2], sa.false().label("left"))
    .where(steps.c.lane == _LANE, NEXT, steps.c.due <= _NOW)
    .order_by(*_TURN)
    .limit(_LIMIT)
    .subquery()
)
_WORK = sa.union_all(_LEFT_RUNNING, sa.select(_NEXT_ONES)).order_by("priority", "due", "id")
_HELD = sa.select(sa.func.count()).where(
    lanes.c.name.startswith(sa.bindparam("beginning", type_=sa.Text), autoescape=False), lanes.c.name != _LANE, ~_FREE
)
_WORKABLE = sa.select(lanes.c.name).where(_FREE, lanes.c.open_until <= _NOW)
_SINCE = sa.func.min(steps.c.due).label("since")
_DUE = sa.select(steps.c.lane, _SINCE).where(NEXT, steps.c.due <= _NOW, steps.c.lane.in_(_WORKABLE)).group_by(steps.c.lane)
_ORPHANED = sa.select(steps.c.lane, _SINCE).where(RUNNING, steps.c.lane.in_(_WORKABLE)).group_by(steps.c.lane)
_WITH_WORK = sa.union_all(_DUE, _ORPHANED).order_by("since", "lane")

_WAKE = sa.update(steps).where(steps.c.awaits.in_(bulk.many("keys")), NEXT).values(due=_NOW, noted=_NOW).returning(steps.c.lane)


def take(
    tx: sa.Connection, lane: str, owner: str, now: float, seconds: float, limit: Limit | None = None, *, wait: bool = True
) -> Lease | None:
    """The lease of a lane, or None when somebody else holds it, its circuit is open or the limit is reached. The same owner may take it
    again. Without `wait` also when somebody else is just taking one that is limited."""
    if limit is not None and limit.holds_for(lane) and not (_alone(tx, limit, wait=wait) and _room(tx, limit, now, besides=lane) > 0):
        return None
    statement = _TAKE_SQLITE if tx.dialect.name == "sqlite" else _TAKE
    values = {"lane": lane, "now": now, "owner_": owner, "until_": now + seconds, "term_": seconds}
    row = tx.execute(statement, values).one_or_none()
    return None if row is None else Lease(lane, owner, int(row.fence), now + seconds, int(row.failures), 0.0, row.session)


def _alone(tx: sa.Connection, limit: Limit, *, wait: bool) -> bool:
    """See to it that nobody else takes one of these lanes until the transaction ends."""
    if tx.dialect.name == "sqlite":  # there is one writer at a time anyway
        return True
    lock = sa.func.pg_advisory_xact_lock if wait else sa.func.pg_try_advisory_xact_lock
    return tx.execute(sa.select(lock(sa.func.hashtext(f"lanes {limit.prefix}")))).scalar() is not False


def _room(tx: sa.Connection, limit: Limit, now: float, besides: str = "") -> int:
    """How many more of these lanes may be taken."""
    return limit.lanes - int(tx.execute(_HELD, {"now": now, "lane": besides, "beginning": limit.prefix}).scalar_one())


def keep(tx: sa.Connection, lease: Lease, now: float, seconds: float) -> Lease:
    """The same lease for longer. Raises LeaseLost when there is a newer owner: what was done then does not count."""
    row = tx.execute(_KEEP, {**_whose(lease), "until_": now + seconds}).one_or_none()
    if row is None:
        raise LeaseLost(f"lane {lease.lane} has a newer owner")
    return Lease(lease.lane, lease.owner, lease.fence, now + seconds, int(row.failures), float(row.open_until), row.session)


def works_with(tx: sa.Connection, lease: Lease, session: str) -> None:
    """Note the device's session that the lane is worked with from now on. Raises LeaseLost."""
    if tx.execute(sa.update(lanes).where(_MINE).values(session=session), _whose(lease)).rowcount != 1:
        raise LeaseLost(f"lane {lease.lane} has a newer owner")


def free(tx: sa.Connection, lease: Lease) -> None:
    """Give a lane back."""
    tx.execute(_GIVE_BACK, _whose(lease))


def _whose(lease: Lease) -> dict[str, object]:
    return {"lane": lease.lane, "owner_": lease.owner, "fence_": lease.fence}


class Work(NamedTuple):
    """What there is to do in a lane, as pairs of step id and root."""

    left: list[tuple[int, str]]
    """What a former owner of the lane left running."""
    next: list[tuple[int, str]]
    """New steps and those whose time to look again has come: highest priority first, then whose turn it has been longest."""


def work(tx: sa.Connection, lane: str, now: float, limit: int) -> Work:
    """What there is to do in a lane, of what comes next so many."""
    found = Work([], [])
    for number, root, _, _, left in tx.execute(_WORK, {"lane": lane, "now": now, "limit_": limit}):
        (found.left if left else found.next).append((int(number), root))
    return found


def with_work(tx: sa.Connection, now: float, limit: Limit | None = None) -> set[str]:
    """Lanes that nobody works, whose circuit is closed, and that have something due or left running. Of those that are limited as many
    as may be taken: where something has been due longest."""
    found = list(dict.fromkeys(row.lane for row in tx.execute(_WITH_WORK, {"now": now})))
    limited = [lane for lane in found if limit is not None and limit.holds_for(lane)]
    if limit is None or not limited:
        return set(found)
    return set(found) - set(limited[max(0, _room(tx, limit, now)) :])


def next_due(tx: sa.Connection, now: float) -> float | None:
    """When the next step becomes due or the next circuit may be tried (seconds since the epoch)."""
    step = tx.execute(sa.select(sa.func.min(steps.c.due)).where(NEXT, steps.c.due > now)).scalar()
    circuit = tx.execute(sa.select(sa.func.min(lanes.c.open_until)).where(lanes.c.open_until > now)).scalar()
    return min((float(found) for found in (step, circuit) if found is not None), default=None)


def free_all(tx: sa.Connection) -> None:
    """No lane has an owner: for the one process that works an embedded store, when it starts."""
    tx.execute(sa.update(lanes).values(owner=None, until=0.0))


def wake(tx: sa.Connection, keys: Collection[str], now: float) -> set[str]:
    """What waits for one of these events is looked at again now. Returns the lanes."""
    return {lane for lane in tx.execute(_WAKE, {"keys": list(keys), "now": now}).scalars() if lane}


def clock_set_back(tx: sa.Connection, now: float) -> int:
    """What was to wait for a time of a clock that has been set back since is looked at now; how many steps. Dates stay as they are."""
    tx.execute(sa.update(lanes).where(lanes.c.open_until > now).values(open_until=0.0))
    return tx.execute(sa.update(steps).where(NEXT, steps.c.noted > now).values(due=now, noted=now)).rowcount


# -- circuit breaker -----------------------------------------------------------------------------------------------------


def failed(tx: sa.Connection, lease: Lease, trouble: Trouble, open_until: float) -> None:
    """The target did not answer again. `open_until`: leave it alone so long, 0 not at all."""
    values = {"failures": lease.failures + 1, "open_until": open_until, "trouble": trouble_row(trouble)}
    tx.execute(sa.update(lanes).where(lanes.c.name == lease.lane).values(values))


def answered(tx: sa.Connection, lease: Lease) -> None:
    """It answers: the circuit is closed."""
    tx.execute(sa.update(lanes).where(lanes.c.name == lease.lane).values(failures=0, open_until=0.0, trouble=None))


def left_alone(tx: sa.Connection) -> dict[str, tuple[float, Trouble]]:
    """The lanes whose target does not answer: until when it is left alone, and why. There are few of them."""
    wanted = sa.select(lanes.c.name, lanes.c.open_until, lanes.c.trouble).where(lanes.c.open_until > 0)
    found = ((row.name, float(row.open_until), trouble_from(row.trouble)) for row in tx.execute(wanted))
    return {name: (until, trouble) for name, until, trouble in found if trouble is not None}
