"""Reading the outbox: the events after a number, each once, also those that were written in a transaction that ended later than others."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.store.database import Database
from engine.store.schema import events

MOST = 5000
"""Events that are read together."""
STRAGGLER = 60.0
"""Seconds for which a number that is missing is looked for: longer than a transaction may take. On PostgreSQL numbers are given before
the commit, so that 8 may be seen before 7; what never comes was rolled back."""
BEHIND = 1000
"""Numbers before the first that are looked at for some that are missing."""


@dataclass(frozen=True)
class Happened:
    """A row of the outbox."""

    number: int
    root: str
    order: str
    item: str | None
    type: str
    at: datetime
    data: dict[str, Any]


class Outbox:
    """Where a reader is. Of one order the events come in the order of their numbers."""

    def __init__(self, database: Database, after: int | None = None) -> None:
        """`after`: the number that was read last; None: what was written before now is not read. Raises StoreError."""
        self._database = database
        self._missing: dict[int, float] = {}
        self.after = self._last() if after is None else after

    def read(self, types: Collection[str]) -> list[Happened]:
        """What was written since, of these types; of at most MOST numbers, so ask until there is nothing. Raises StoreError."""
        late, new, found = self._database.look(lambda tx: self._look(tx, types))
        for number in late:
            del self._missing[number]
        self._note(new)
        self.after = max([self.after, *new[-1:]])
        return found

    @property
    def missing(self) -> frozenset[int]:
        """Numbers that may still come."""
        return frozenset(self._missing)

    def _last(self) -> int:
        last, before = self._database.look(_end)
        self.after = last - BEHIND
        self._note(before)
        return last

    def _look(self, tx: sa.Connection, types: Collection[str]) -> tuple[list[int], list[int], list[Happened]]:
        # a number that was missing is there now, or a new one: both in one view of the database
        late = _numbers(tx, events.c.number.in_(sorted(self._missing))) if self._missing else []
        new = _numbers(tx, events.c.number > self.after)
        if not late and not new:
            return [], [], []
        these = events.c.number.in_(late) | events.c.number.between(*((new[0], new[-1]) if new else (0, 0)))
        statement = sa.select(events).where(these, events.c.type.in_(types)).order_by(events.c.number)
        found = tx.execute(statement).mappings()
        return late, new, [Happened(**{**row, "at": datetime.fromisoformat(row["at"])}) for row in found]

    def _note(self, new: list[int]) -> None:
        """Numbers that are missing among these may still come."""
        now = time.monotonic()
        self._missing = {number: until for number, until in self._missing.items() if until > now}
        if new and not self._database.sqlite:  # SQLite gives them in the order of its commits
            first = max(self.after + 1, new[-1] - MOST - BEHIND)
            self._missing |= dict.fromkeys(set(range(first, new[-1])).difference(new), now + STRAGGLER)


def _end(tx: sa.Connection) -> tuple[int, list[int]]:
    last: int = tx.execute(sa.select(sa.func.max(events.c.number))).scalar() or 0
    return last, _numbers(tx, events.c.number > last - BEHIND)


def _numbers(tx: sa.Connection, which: sa.ColumnElement[bool]) -> list[int]:
    return list(tx.execute(sa.select(events.c.number).where(which).order_by(events.c.number).limit(MOST)).scalars())
