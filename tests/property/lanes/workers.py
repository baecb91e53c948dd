"""Workers that can be stopped at any failpoint, to go on later or never.

Each has a database connection and a cache of its own, as processes have them. Only one runs at a time, so that what happens is always
the same.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from engine.batch import Holding, WorkerSettings, Workplace
from engine.errors import LeaseLost
from engine.failpoints import Failpoint
from engine.store.database import Database
from engine.store.store import Store
from engine.vault import Vault
from engine.worker import Worker
from tests.property.lanes.outside import Clock, PlayedInventory, PlayedTargets

LEASE = 30.0
SETTINGS = WorkerSettings(lease=LEASE, rpc_margin=5.0, batch_targets=3, batch_systems=2, pause=3.0)


class Died(BaseException):
    """The worker's process ended."""


class MortalDatabase(Database):
    """A process' way to the database. What is dead writes nothing more."""

    dead = False

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """As its base."""
        self._alive()
        with super().write() as tx:
            yield tx
            self._alive()

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """As its base."""
        self._alive()
        with super().read() as tx:
            yield tx

    def _alive(self) -> None:
        if self.dead:
            raise Died


class ManualHeart:
    """A heartbeat that beats when it is told to."""

    def __init__(self, database: Database, period: float) -> None:
        self._database, self.holding = database, None

    @contextlib.contextmanager
    def of(self, holding: Holding) -> Iterator[None]:
        """While the block runs, the lane can be kept."""
        self.holding: Holding | None = holding
        yield

    def beat(self) -> None:
        """Renew the lease, if it is still ours."""
        if self.holding is not None:
            with contextlib.suppress(LeaseLost):
                self.holding.renew(self._database)


class Process:
    """A worker process."""

    def __init__(self, url: str, key: Path, clock: Clock, inventory: PlayedInventory, targets: PlayedTargets) -> None:
        self.database = MortalDatabase(url)
        self.at = Workplace(Store(self.database, Vault.from_file(key), clock), inventory, targets, SETTINGS)
        self.worker = Worker(self.at)
        self.lane = ""
        self.stopped_at: Failpoint | None = None
        self._stop: tuple[Failpoint, int] | None = None
        self._thread: threading.Thread | None = None
        self._told, self._go_on = threading.Semaphore(0), threading.Semaphore(0)
        self._error: BaseException | None = None

    @property
    def heart(self) -> ManualHeart:
        """Keeps its lane when it is told to."""
        heart = self.worker._heartbeat
        assert isinstance(heart, ManualHeart)
        return heart

    @property
    def fence(self) -> int:
        """Of the lane that it works, as it believes."""
        return self.heart.holding.lease.fence if self.heart.holding else 0

    def drain(self, lane: str, stop_at: Failpoint | None = None, times: int = 1) -> None:
        """Work a lane, to its end or until a failpoint is reached for the nth time."""
        self.lane, self._stop = lane, None if stop_at is None else (stop_at, times)
        self._thread = threading.Thread(target=self._run, name=f"drain {lane}")
        self._thread.start()
        self._wait()

    def go_on(self) -> None:
        """From where it stopped to the end."""
        self._stop = self.stopped_at = None
        self._go_on.release()
        self._wait()

    def die(self) -> None:
        """End where it stopped, as by `kill -9`."""
        self.database.dead = True
        if self.stopped_at is not None:
            self.go_on()
        self.database.engine.dispose()

    def reached(self, point: Failpoint) -> None:
        """Called at each failpoint that its thread comes by."""
        if self._stop is None or self._stop[0] is not point:
            return
        self._stop = (point, self._stop[1] - 1)
        if self._stop[1] <= 0:
            self.stopped_at = point
            self._told.release()
            self._go_on.acquire()
            if self.database.dead:
                raise Died

    def works_here(self) -> bool:
        """Whether this is its thread."""
        return threading.current_thread() is self._thread

    def _run(self) -> None:
        try:
            self.worker.drain(self.lane)
        except Died:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again where the test sees it
            self._error = error
        finally:
            self._told.release()

    def _wait(self) -> None:
        self._told.acquire()
        if self.stopped_at is None and self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
