"""From an event outside to the steps that wait for it."""

from __future__ import annotations

from collections.abc import Callable

from engine.ports import Clock
from engine.store import lanes
from engine.store.database import Database


class Waker:
    """Makes steps due that wait for an event, and tells the executor which lanes they are in."""

    def __init__(self, database: Database, clock: Clock, hint: Callable[[set[str]], None]) -> None:
        self._database, self._clock, self._hint = database, clock, hint

    def __call__(self, keys: set[str]) -> int:
        """Wake what waits for one of these keys; how many lanes have work now. Raises StoreError."""
        woken = self._database.change(lambda tx: lanes.wake(tx, keys, self._clock.real()))
        self._hint(woken)
        return len(woken)
