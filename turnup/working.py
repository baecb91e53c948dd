"""Working the lanes in this process: the worker lock, the executor and the listener for webhooks, together.

On SQLite one process at a time works, with threads of its own; on PostgreSQL any number, told by Procrastinate.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from api.listener import Listener
from api.waking import Waker
from api.webhooks import LOGISTICS, SHIPMENT, webhooks
from engine.batch import Workplace
from engine.errors import StoreError, WorkerRunning
from engine.executor import Executor, LocalExecutor
from engine.store import lanes
from engine.worker_lock import running_worker, sole_worker
from turnup.wiring import Wiring

log = structlog.get_logger()


class Working:
    """Works the lanes while the block runs, as soon as nobody else does."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._held: ExitStack | None = None
        self._executor: Executor | None = None

    @property
    def here(self) -> bool:
        """Whether it is this process that works."""
        return self._held is not None

    @property
    def other(self) -> int | None:
        """The process that works in our place."""
        return None if self.here or not self._wiring.store.database.sqlite else running_worker(self._wiring.settings.worker_lock)

    @property
    def settled(self) -> int:
        """How many steps this process has settled."""
        return self._executor.settled if self._executor else 0

    def left_alone(self) -> list[str]:
        """The targets that do not answer, each with its reason. Empty when the database cannot be asked now."""
        with contextlib.suppress(StoreError), self._wiring.store.database.read() as tx:
            return [f"{lane} does not answer: {trouble.message}" for lane, (_, trouble) in sorted(lanes.left_alone(tx).items())]
        return []

    def begin(self) -> bool:
        """Begin to work, unless another process does. Saying it again is how to take over when the other has ended."""
        if self._held is None:
            with ExitStack() as stack, contextlib.suppress(WorkerRunning):
                if self._wiring.store.database.sqlite:
                    stack.enter_context(sole_worker(self._wiring.settings.worker_lock))
                self._start(stack)
                self._held = stack.pop_all()
        return self.here

    def _start(self, stack: ExitStack) -> None:
        wiring = self._wiring
        executor = executor_of(wiring.workplace)
        secret = wiring.webhook_secret
        if secret is not None:
            listener = stack.enter_context(_listening(wiring, secret, executor))
            wiring.tell_callback(wiring.settings.webhook.url or f"{listener.url}{LOGISTICS}{SHIPMENT}")
        executor.start()
        stack.callback(executor.stop)
        self._executor = executor
        log.info("working the lanes", database=wiring.store.database.url.get_backend_name())

    def __enter__(self) -> Self:
        """Not begun yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Finish the batches that are being done, and let others work."""
        if self._held is not None:
            held, self._held = self._held, None
            held.close()


def executor_of(at: Workplace) -> Executor:
    """The executor that fits the database."""
    if at.store.database.sqlite:
        return LocalExecutor(at)
    from engine.distributed import ProcrastinateExecutor

    return ProcrastinateExecutor(at)


@contextlib.contextmanager
def _listening(wiring: Wiring, secret: str, executor: Executor) -> Iterator[Listener]:
    """A listener on the port of last time: the carrier was told that one, and parcels are days on the road."""
    settings = wiring.settings
    memory = settings.home / "webhook.port"
    app = webhooks(secret, Waker(wiring.store, executor.hint))
    with Listener(app, settings.webhook.host, settings.webhook.port or _remembered(memory)) as listener:
        memory.write_text(f"{listener.port}\n", encoding="utf-8")
        yield listener


def _remembered(memory: Path) -> int:
    text = memory.read_text("utf-8").strip() if memory.exists() else ""
    return int(text) if text.isdigit() else 0


def who_works(wiring: Wiring) -> tuple[dict[str, object], str]:
    """Who works the lanes at this moment, as data and as a sentence."""
    if not wiring.store.database.sqlite:
        worker: dict[str, object] = {"running": None}
    elif (pid := running_worker(wiring.settings.worker_lock)) is None:
        worker = {"running": False, "start": "turnup worker"}
    else:
        worker = {"running": True, "pid": pid}
    return worker, sentence(worker)


def sentence(worker: Mapping[str, object]) -> str:
    """What `who_works` found, for a person. On PostgreSQL a worker may be anywhere."""
    if worker["running"] is None:
        return "whoever works the lanes goes on with it"
    if not worker["running"]:
        return "no process works the lanes: `turnup worker` starts one"
    return f"process {worker['pid']} works the lanes"
