"""From an event outside to the steps that wait for it."""

from __future__ import annotations

from collections.abc import Callable

from engine.resuming import happened
from engine.store.store import Store


class Waker:
    """Makes steps due that wait for an event, and tells the executor which lanes they are in."""

    def __init__(self, store: Store, hint: Callable[[set[str]], None]) -> None:
        self._store, self._hint = store, hint

    def __call__(self, keys: set[str]) -> int:
        """Wake what waits for one of these keys; how many lanes have work now. Raises StoreError."""
        woken = happened(self._store, keys)
        self._hint(woken)
        return len(woken)
