"""The executor of many processes: Procrastinate on PostgreSQL carries the hint that a lane has work, and nothing else.

The tables stay the only truth: a hint that is lost is found by the sweep, one that comes twice finds the lane taken. So its jobs
need not be durable (synchronous_commit is off for them), are deleted when done, and live in a schema of their own, which may be dropped
at any time that no worker runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import procrastinate
import psycopg
import sqlalchemy as sa
import structlog
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.schema import SchemaManager

from engine import collector
from engine.batch import Workplace
from engine.capacity import CapacityWatch
from engine.executor import Sweep, drained
from engine.worker import Worker

log = structlog.get_logger()

_SCHEMA = "procrastinate"
_OPTIONS = f"-c search_path={_SCHEMA} -c synchronous_commit=off"
_QUEUE, _TASK = "lanes", "drain"
_LOCK = 0x7475726E  # of pg_advisory_xact_lock: only one makes the schema
_PAUSE = 1.0
"""Seconds until the queue is asked again after the database was gone."""


class ProcrastinateExecutor:
    """Works all lanes together with every other process that does so on the same database."""

    def __init__(self, at: Workplace) -> None:
        self._at = at
        self._stop = threading.Event()
        self._worker = Worker(at, self.hint, self._stop.is_set)
        self._sweep = Sweep(at, self.hint, self._stop)
        self._watch = CapacityWatch(at, self.hint, self._stop)
        conninfo = at.store.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._telling = procrastinate.App(
            connector=procrastinate.SyncPsycopgConnector(conninfo=conninfo, kwargs={"options": _OPTIONS}, min_size=1, max_size=4)
        )
        self._listening = procrastinate.App(
            connector=procrastinate.PsycopgConnector(conninfo=conninfo, kwargs={"options": _OPTIONS}, min_size=1, max_size=4)
        )
        self._listening.task(name=_TASK, queue=_QUEUE)(self._drain)
        self._pool = ThreadPoolExecutor(at.settings.threads, thread_name_prefix="lane")
        self._next: set[str] = set()
        """Lanes that threads of ours are to work at once."""
        self._busy, self._guard = 0, threading.Lock()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), name="procrastinate", daemon=True)
        self._end_listening: Callable[[], object] = lambda: None
        self._listens = threading.Event()
        self._working = contextlib.ExitStack()
        self.settled = 0

    def hint(self, names: Iterable[str]) -> None:
        """These lanes have work. It is done here while a thread is free: their orders are in this process' memory. Others are told of the
        rest; what waits in the queue already is not put there twice. Never fails: the sweep finds what is lost."""
        for name in sorted(names):
            if self._at_home(name):
                continue
            with contextlib.suppress(AlreadyEnqueued):
                try:
                    self._telling.configure_task(_TASK, queue=_QUEUE, queueing_lock=name).defer(lane=name)
                except ConnectorException as error:
                    log.info("hint lost", lane=name, message=str(error))

    def _at_home(self, name: str) -> bool:
        """Whether a thread of this process works the lane as soon as it runs."""
        with self._guard:
            if name not in self._next and not self._stop.is_set() and self._busy + len(self._next) < self._at.settings.threads:
                self._next.add(name)
                self._pool.submit(self._work, name)
            return name in self._next

    def start(self) -> None:
        """Begin to work. Raises StoreError."""
        database = self._at.store.database
        database.change(_make_schema)
        database.patience.until(self._stop)
        self._telling.open()
        self._working.enter_context(collector.seldom())
        self._thread.start()
        self._sweep.start()
        self._watch.start()

    def stop(self) -> None:
        """Finish the batches that are being done, begin no new ones."""
        self._stop.set()
        self._listens.wait()
        self._end_listening()
        self._sweep.join()
        self._watch.join()
        self._thread.join()
        self._pool.shutdown()
        self._telling.close()
        self._working.close()

    # -- the queue's own thread ------------------------------------------------------------------------------------------
    async def _listen(self) -> None:
        """Take jobs until stopped. When the database is gone Procrastinate's worker ends; another one is started."""
        settings, loop, task = self._at.settings, asyncio.get_running_loop(), asyncio.current_task()
        if task is not None:
            self._end_listening = partial(loop.call_soon_threadsafe, task.cancel)
        self._listens.set()
        while not self._stop.is_set():
            try:
                async with self._listening.open_async():
                    await self._listening.run_worker_async(
                        queues=[_QUEUE],
                        concurrency=settings.threads,
                        fetch_job_polling_interval=settings.sweep,
                        delete_jobs="always",
                        install_signal_handlers=False,
                    )
            except asyncio.CancelledError:
                return
            except (ConnectorException, psycopg.Error, OSError) as error:
                log.warning("queue lost", message=str(error))
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(_PAUSE)

    async def _drain(self, lane: str) -> None:
        # threads of our own: asyncio's default pool has as many as the machine has processors, and devices are waited for
        await asyncio.get_running_loop().run_in_executor(self._pool, self._work, lane)

    def _work(self, lane: str) -> None:
        with self._guard:
            self._next.discard(lane)
            self._busy += 1
        try:
            if not self._stop.is_set():
                self.settled += drained(self._worker, lane)
        finally:
            with self._guard:
                self._busy -= 1


def _make_schema(tx: sa.Connection) -> None:
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    if tx.execute(sa.select(sa.func.to_regclass(f"{_SCHEMA}.procrastinate_jobs"))).scalar() is not None:
        return
    raw = tx.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("Procrastinate needs psycopg")
    raw.execute(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
    raw.execute(f"SET LOCAL search_path TO {_SCHEMA}")
    raw.execute(SchemaManager.get_schema())  # many statements: psycopg takes them only without parameters
    raw.execute("SET LOCAL search_path TO DEFAULT")
