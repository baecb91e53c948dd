"""Waiting for a database that is gone for a while, and doing again what it ended in the middle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from engine.errors import StoreError, StoreFull, StoreUnreachable

log = structlog.get_logger()
T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 2.0


class Patience:
    """How long a unit of work is repeated when the database is gone, or ends it for the sake of another one.

    `seconds` for who asks (a command); who works the lanes waits until it is stopped, also for space on a full disk.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._stop: threading.Event | None = None

    def until(self, stop: threading.Event) -> None:
        """From now on there is no end to it but this event."""
        self._stop = stop

    def repeat(self, work: Callable[[], T]) -> T:
        """Do a unit of work, from its beginning each time. Raises StoreError when patience is at its end, with nothing of it kept.

        A connection that is lost while committing leaves open whether it was committed, so work must bear being done twice.
        """
        deadline, pause = time.monotonic() + self._seconds, _FIRST_PAUSE
        stop = self._stop
        while True:
            try:
                return work()
            except (StoreUnreachable, StoreFull) as error:
                if self._at_its_end(error, stop, deadline):
                    raise
                if pause == _LONGEST_PAUSE:
                    log.warning("waiting for the database", message=error.message)
            (stop or threading.Event()).wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _at_its_end(self, error: StoreError, stop: threading.Event | None, deadline: float) -> bool:
        if stop is not None:
            return stop.is_set()
        return isinstance(error, StoreFull) or time.monotonic() >= deadline
