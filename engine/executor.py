"""Executors carry the hint that a lane has work. The embedded one: threads of this process. Hints may be lost or doubled."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

import sqlalchemy as sa
import structlog

from engine import collector
from engine.batch import Workplace
from engine.capacity import CapacityWatch
from engine.errors import TurnupError
from engine.store import lanes
from engine.worker import Worker, limit_of

log = structlog.get_logger()


class Executor(Protocol):
    """Works lanes of which it is told, and those that it finds."""

    settled: int

    def hint(self, names: set[str]) -> None:
        """These lanes have work."""

    def start(self) -> None:
        """Begin to work. Raises StoreError."""

    def stop(self) -> None:
        """Finish the batches that are being done, begin no new ones."""


class LocalExecutor:
    """Works all lanes of the store with threads of this process."""

    def __init__(self, at: Workplace) -> None:
        self._at = at
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._queued: set[str] = set()
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._worker = Worker(at, self.hint, self._stop.is_set)
        self._sweep = Sweep(at, self.hint, self._stop)
        self._watch = CapacityWatch(at, self.hint, self._stop)
        self._threads: list[threading.Thread] = []
        self._working = contextlib.ExitStack()
        self.settled = 0

    def hint(self, names: set[str]) -> None:
        """These lanes have work. A lane that is queued already is not queued twice."""
        with self._guard:
            for name in sorted(names - self._queued):
                self._queued.add(name)
                self._queue.put(name)

    def start(self) -> None:
        """Begin to work. On SQLite one process works at a time, so what a former one held is free; elsewhere its lease must end."""
        database = self._at.store.database
        if database.sqlite:
            database.change(lanes.free_all)
        database.patience.until(self._stop)
        self._working.enter_context(collector.seldom())
        self._threads = [threading.Thread(target=self._work, name=f"lane-{n}", daemon=True) for n in range(self._at.settings.threads)]
        for thread in self._threads:
            thread.start()
        self._sweep.start()
        self._watch.start()

    def stop(self) -> None:
        """Finish the batches that are being done, begin no new ones."""
        self._stop.set()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self._sweep.join()
        self._watch.join()
        self._working.close()

    def _work(self) -> None:
        while (lane := self._queue.get()) is not None and not self._stop.is_set():
            with self._guard:
                self._queued.discard(lane)
            self.settled += drained(self._worker, lane)


def drained(worker: Worker, lane: str) -> int:
    """Work a lane; how many steps were settled. Whatever happens there is logged: the thread has other lanes to work."""
    try:
        return worker.drain(lane)
    except TurnupError as error:
        log.error("lane stopped", lane=lane, code=error.code, message=error.message)
    except Exception:  # a mistake of ours in one lane must not end the thread; the sweep finds the lane again
        log.exception("lane stopped", lane=lane)
    return 0


class Sweep:
    """Hints may be lost, steps become due, other processes submit: a thread that looks for lanes with work."""

    def __init__(self, at: Workplace, hint: Callable[[set[str]], None], stop: threading.Event) -> None:
        self._at, self._hint, self._stop = at, hint, stop
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def join(self) -> None:
        """Wait for its end, once it was told to stop."""
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        wall = SetBack(self._at.clock.real)
        set_back = True  # maybe while nobody worked
        while not self._stop.is_set():
            wait = self._at.settings.sweep
            try:
                set_back = wall.is_set_back() or set_back
                if set_back:
                    self._set_right()
                    set_back = False
                found, due = self._at.store.database.look(self._work_and_time)
                self._hint(found)
                if due is not None:
                    wait = min(wait, max(0.02, due - self._at.clock.real()))
            except TurnupError as error:
                log.error("sweep failed", code=error.code, message=error.message)
            except Exception:  # without this thread orders would stand still, and nobody be told
                log.exception("sweep failed")
            self._stop.wait(wait)

    def _work_and_time(self, tx: sa.Connection) -> tuple[set[str], float | None]:
        now = self._at.clock.real()
        return lanes.with_work(tx, now, limit_of(self._at.settings)), lanes.next_due(tx, now)

    def _set_right(self) -> None:
        now = self._at.clock.real()
        early = self._at.store.database.change(lambda tx: lanes.clock_set_back(tx, now))
        if early:
            log.warning("the clock was set back", steps=early)


class SetBack:
    """Sees that a clock was set back, by the monotonic one."""

    def __init__(self, real: Callable[[], float]) -> None:
        self._real, self._offset = real, real() - time.monotonic()

    def is_set_back(self) -> bool:
        """Whether it happened since this was asked last. Less than a second does not count."""
        offset = self._real() - time.monotonic()
        back = offset < self._offset - 1.0
        self._offset = offset
        return back
