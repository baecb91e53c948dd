"""Ids of products and services: each is given once, also to two orders of one transaction."""

from __future__ import annotations

import itertools

import sqlalchemy as sa

from engine.store import bulk
from engine.store.schema import instances

_AT_ONCE = 8


class InstanceIds:
    """Gives ids in one transaction. Without a transaction (a trial) nobody else's are looked at."""

    def __init__(self, tx: sa.Connection | None = None) -> None:
        self._tx = tx
        self._given: set[str] = set()

    def give(self, base: str) -> str:
        """The id, or with a suffix for the second line of the same customer (SI-INT-4821-2)."""
        names = (base if number == 1 else f"{base}-{number}" for number in itertools.count(1))
        while True:
            asked = list(itertools.islice(names, _AT_ONCE))
            taken = self._given | self._stored(asked)
            free = next((name for name in asked if name not in taken), None)
            if free is not None:
                self._given.add(free)
                return free

    def _stored(self, names: list[str]) -> set[str]:
        """By the primary key: a search for what begins with `base` would read all instances that there are."""
        if self._tx is None:
            return set()
        return set(self._tx.execute(_AMONG, {"names": names}).scalars())


_AMONG = sa.select(instances.c.id).where(instances.c.id.in_(bulk.many("names")))
