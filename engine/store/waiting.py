"""Who waits for which pool, in which turn, and when somebody asks again.

A held reservation is a row: its step names the pool that it waits for (`awaits`) and since when (`since`). Each pool that was ever waited
for has a row too, which says when the next in line may ask again. So nobody is asked, and nothing is counted, per held order.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from engine.model import Step
from engine.store import bulk
from engine.store.schema import ASKING, WAITS, pools, steps

EVERY = "*"
"""`vlan:*` stands for all pools of a kind."""


class Turn(NamedTuple):
    """A place in the queue of a pool: urgent orders first, then who has waited longest. A smaller one is served earlier."""

    priority: int
    since: float
    step: int

    @classmethod
    def of(cls, step: Step) -> Turn:
        """The place of a step; who has not waited yet comes after all of its priority that do."""
        return cls(step.priority, step.since or float("inf"), step.id)


_PLACE = (steps.c.priority, steps.c.since, steps.c.id)
_WAITED_FOR = sa.select(pools.c.name).where(pools.c.name.in_(bulk.many("names")), pools.c.due.is_not(None))


def first_in_line(tx: sa.Connection, names: Collection[str], besides: Collection[int]) -> dict[str, Turn]:
    """Whose turn it is at these pools, leaving some steps out of account. A pool that nobody waits for is not in it."""
    waited = tx.execute(_WAITED_FOR, {"names": sorted(names)}).scalars()
    found = {}
    for name in waited:
        first = sa.select(*_PLACE).where(WAITS, steps.c.awaits == name, steps.c.id.not_in(sorted(besides))).order_by(*_PLACE).limit(1)
        row = tx.execute(first).one_or_none()
        if row is not None:
            found[name] = Turn(*row)
    return found


def place(tx: sa.Connection, pool: str, step: Step) -> int:
    """How many wait before this step."""
    before = sa.tuple_(*_PLACE) < sa.tuple_(*(sa.literal(value) for value in Turn.of(step)))
    return int(tx.execute(sa.select(sa.func.count()).where(WAITS, steps.c.awaits == pool, before)).scalar_one())


# -- a pool's row --------------------------------------------------------------------------------------------------------


def short(tx: sa.Connection, pool: str, asked: float, again: float) -> None:
    """Somebody asked at `asked` and got nothing: the next in line asks again at `again`, or at once when something came back since."""
    bulk.insert_once(tx, pools, [{"name": pool, "due": None, "freed": 0.0}])
    kind = f"{pool.partition(':')[0]}:{EVERY}"
    freed = tx.execute(sa.select(sa.func.max(pools.c.freed)).where(pools.c.name.in_([pool, kind]))).scalar_one()
    tx.execute(sa.update(pools).where(pools.c.name == pool).values(due=asked if freed >= asked else again))


def queued(tx: sa.Connection, pool: str, again: float) -> None:
    """Somebody waits behind others, without having asked."""
    bulk.insert_once(tx, pools, [{"name": pool, "due": again, "freed": 0.0}])
    tx.execute(sa.update(pools).where(pools.c.name == pool, pools.c.due.is_(None)).values(due=again))


def served(tx: sa.Connection, names: Collection[str], now: float) -> None:
    """Somebody who waited for these pools got something: there may be more, so that the next in line asks now."""
    for name in sorted(names):  # in one order, as others lock these rows too
        tx.execute(sa.update(pools).where(pools.c.name == name, pools.c.due.is_not(None)).values(due=now))


def capacity(tx: sa.Connection, names: Collection[str], now: float) -> None:
    """There may be something in these pools (`vlan:EAST-07-RES`, or `vlan:*` for all of a kind): the next in line of each asks now.

    To be called in the transaction that settles what was given back. Costs a few rows, whoever waits; nobody may.
    """
    for name in sorted(names):
        bulk.insert_once(tx, pools, [{"name": name, "due": None, "freed": 0.0}])
        kind, _, pool = name.partition(":")
        meant = pools.c.name.startswith(f"{kind}:", autoescape=True) if pool == EVERY else pools.c.name == name
        due = sa.case((pools.c.due.is_not(None), now))
        tx.execute(sa.update(pools).where(meant).values(freed=now, due=due))


def waited_for(tx: sa.Connection) -> set[str]:
    """The pools that somebody waits for, or did a moment ago."""
    return set(tx.execute(sa.select(pools.c.name).where(pools.c.due.is_not(None))).scalars())


def due(tx: sa.Connection, now: float) -> list[str]:
    """The pools whose next in line is to ask again."""
    return list(tx.execute(sa.select(pools.c.name).where(pools.c.due <= now).order_by(pools.c.due)).scalars())


def next_in_line(tx: sa.Connection, pool: str, now: float, again: float, limit: int) -> list[tuple[int, str]]:
    """The steps (id, root) whose turn it is, at most `limit`; none when some of them are asking already, or somebody else was faster.

    Notes that they ask: unless something is heard of the pool before, it is looked at `again`.
    """
    mine = sa.update(pools).where(pools.c.name == pool, pools.c.due <= now)
    if tx.execute(mine.values(due=again)).rowcount != 1:
        return []
    if tx.execute(sa.select(steps.c.id).where(ASKING, steps.c.awaits == pool).limit(1)).first():
        return []
    waiting = sa.select(steps.c.id, steps.c.root).where(WAITS, steps.c.awaits == pool).order_by(*_PLACE).limit(limit)
    found = [(int(number), str(root)) for number, root in tx.execute(waiting)]
    if not found:
        tx.execute(sa.update(pools).where(pools.c.name == pool).values(due=None))
    return found
