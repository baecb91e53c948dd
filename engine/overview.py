"""Many orders at a glance: how many are in which state, and why some stand still. Counted by the database; no tree is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from engine.documents import View
from engine.schedule import START
from engine.states import OrderState
from engine.store.database import Database
from engine.store.schema import items, orders, steps

MOST_REASONS = 50
_MOVING = ("ready", "running", "waiting")
"""States of steps that something will still happen to, without a person."""
_NOT_YET = sa.and_(steps.c.state == "waiting", steps.c.awaits == START)


class StandingView(View):
    """Orders that stand still for one reason."""

    count: int
    state: str
    code: str
    message: str
    remedy: str


@dataclass(frozen=True)
class Counts:
    """How many orders are in which state; states that no order is in are not there."""

    by_state: Mapping[OrderState, int]
    scheduled: int = 0
    """Of these those that wait for their start date."""

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_state.values())

    @property
    def ended(self) -> int:
        """Those in a final state."""
        return sum(count for state, count in self.by_state.items() if state.final)

    @property
    def stopped(self) -> int:
        """Those that have ended, are held or wait for their start date: most of them need nobody any more, or a person."""
        return self.ended + self.by_state.get(OrderState.HELD, 0) + self.scheduled


class Overview:
    """Of these orders (ids of orders that were submitted), or of all."""

    def __init__(self, database: Database, ids: Iterable[str] | None = None) -> None:
        self._database = database
        # one parameter, whatever their number: databases have a limit for those
        self._ids = None if ids is None else json.dumps(list(ids))

    def counts(self) -> Counts:
        """How many are in which state."""
        wanted = sa.select(orders.c.state, sa.func.count()).where(*self._mine()).group_by(orders.c.state)
        later = sa.select(sa.func.count()).select_from(orders.join(steps, steps.c.root == orders.c.id)).where(*self._mine(), _NOT_YET)

        def count(tx: sa.Connection) -> Counts:
            found = {OrderState(state): number for state, number in tx.execute(wanted).all()}
            return Counts({state: found[state] for state in OrderState if state in found}, int(tx.execute(later).scalar_one()))

        return self._database.look(count)

    def moving(self) -> Counts:
        """Only those of which a step is ready, running or waiting, but not for the order's start date. Looks at all their steps: for
        when few are left."""
        moves = sa.and_(steps.c.state.in_(_MOVING), steps.c.awaits.is_distinct_from(START))
        step = sa.select(steps.c.id).where(steps.c.root == orders.c.id, moves).exists()
        wanted = sa.select(orders.c.state, sa.func.count()).where(*self._mine(), step).group_by(orders.c.state)
        return Counts({OrderState(state): count for state, count in self._database.look(lambda tx: tx.execute(wanted).all())})

    def standing(self) -> list[StandingView]:
        """Why orders are held or failed: their number by reason, the most frequent first. At most MOST_REASONS."""
        code, message, remedy = (items.c.trouble[name].as_string() for name in ("code", "message", "remedy"))
        count = sa.func.count(sa.distinct(orders.c.id))
        wanted = (
            sa.select(count, orders.c.state, code, message, remedy)
            .select_from(orders.join(items, items.c.order == orders.c.id))
            .where(*self._mine(), orders.c.state != OrderState.COMPLETED, code.is_not(None))
            .group_by(orders.c.state, code, message, remedy)
            .order_by(count.desc(), code, message)
            .limit(MOST_REASONS)
        )
        found = self._database.look(lambda tx: tx.execute(wanted).all())
        return [StandingView(count=row[0], state=row[1], code=row[2], message=row[3], remedy=row[4]) for row in found]

    def _mine(self) -> list[sa.ColumnElement[bool]]:
        submitted = orders.c.id == orders.c.root
        if self._ids is None:
            return [submitted]
        if self._database.sqlite:
            wanted = sa.select(sa.func.json_each(self._ids).table_valued("value").c.value)
        else:
            wanted = sa.select(sa.func.jsonb_array_elements_text(sa.cast(sa.literal(self._ids), JSONB)))
        return [orders.c.id.in_(wanted)]
