"""Keeps the leases of this process alive while their batches are done: a lane is not lost while its worker lives."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import structlog

from engine.batch import Holding
from engine.errors import LeaseLost, StoreError
from engine.store.database import Database

log = structlog.get_logger()


class Heartbeat:
    """One thread for all lanes of a worker, there only while some are held."""

    def __init__(self, database: Database, period: float) -> None:
        """`period`: seconds between two beats, a fraction of the lease."""
        self._database, self._period = database, period
        self._held: set[Holding] = set()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    @contextlib.contextmanager
    def of(self, holding: Holding) -> Iterator[None]:
        """While the block runs, the lane is kept."""
        with self._guard:
            self._held.add(holding)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._guard:
                self._held.discard(holding)

    def _run(self) -> None:
        while True:
            self._wake.wait(self._period)
            with self._guard:
                held = list(self._held)
                if not held:
                    self._thread = None
                    return
            for holding in held:
                self._beat(holding)

    def _beat(self, holding: Holding) -> None:
        try:
            holding.renew(self._database)
        except LeaseLost:
            log.warning("lane lost", lane=holding.lease.lane, fence=holding.lease.fence)
            with self._guard:
                self._held.discard(holding)
        except StoreError as error:  # the next beat may get through; until then the lease runs
            log.warning("lease not renewed", lane=holding.lease.lane, message=error.message)
