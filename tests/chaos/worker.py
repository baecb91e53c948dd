"""Worker processes that start at once: one process loads the libraries and forks a worker for each line that it reads.

`python -m tests.chaos.worker FOLDER URL`; a line is JSON: the failpoint to arm (`claimed:2`) or null. It answers with the worker's
process id. A worker works all lanes until SIGTERM.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from engine import failpoints, tree
from engine.batch import WorkerSettings
from engine.worker_lock import sole_worker
from lab.process import end_with_parent, send, wait_gone
from tests.chaos.world import World, settings_of
from turnup.wiring import Wiring
from turnup.working import executor_of

LEASE = 3.0
_PUSH, _MARGIN = 6.0, 1.0
_NEVER = 10_000
"""Workers that die while doing a step until it becomes fallout: here they are killed, it is not the step's fault."""


def work(folder: Path, database: str) -> None:
    """Be a worker."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    wiring = Wiring(settings_of(folder, database))
    tree.POISONOUS = _NEVER
    at = wiring.workplace
    at = replace(at, settings=_impatient(at.settings))
    with sole_worker(wiring.settings.worker_lock) if at.store.database.sqlite else contextlib.nullcontext():
        executor = executor_of(at)
        executor.start()
        stop.wait()
        executor.stop()


def _impatient(settings: WorkerSettings) -> WorkerSettings:
    return replace(settings, lease=LEASE, push_timeout=_PUSH, rpc_margin=_MARGIN)


def main() -> None:
    """Fork a worker for each line."""
    folder, database = Path(sys.argv[1]), sys.argv[2]
    _load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not kept as zombies: that they are gone is seen
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _be_worker(folder, database, json.loads(line))
        print(child, flush=True)


def _load() -> None:
    """Import what a worker imports when it first needs it."""
    for name in ("inventory.adapter", "inventory.nornir_plugin", "tasks.kinds", "tasks.targets", "turnup.hosts"):
        importlib.import_module(name)


def _be_worker(folder: Path, database: str, failpoint: str | None) -> None:
    end_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the worker logs is no answer
    failpoints.arm({failpoints.ARMED_BY: failpoint or "", failpoints.ALLOWED_BY: "kill"})
    code = 1
    try:
        work(folder, database)
        code = 0
    finally:
        os._exit(code)


class Workers:
    """The workers of a world, from the outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.alive: set[int] = set()

    def start(self, failpoint: str | None = None) -> int:
        """Start one; its process id."""
        requests, answers = self._pipe(self._process.stdin), self._pipe(self._process.stdout)
        requests.write(json.dumps(failpoint) + "\n")
        requests.flush()
        pid = int(answers.readline())
        self.alive.add(pid)
        return pid

    def kill(self, pid: int) -> None:
        """`kill -9`, and wait until it is gone."""
        send(pid, signal.SIGKILL)
        if not wait_gone(pid, 10):
            raise TimeoutError(f"worker {pid} lives on")
        self.alive.discard(pid)

    def first_gone(self, patience: float) -> int | None:
        """The first that ends by itself within this time; None when none does."""
        with contextlib.ExitStack() as stack:
            opened: dict[int, int] = {}
            for pid in sorted(self.alive):
                try:
                    opened[os.pidfd_open(pid)] = pid
                except ProcessLookupError:
                    self.alive.discard(pid)
                    return pid
                stack.callback(os.close, next(reversed(opened)))
            ended = select.select(list(opened), [], [], patience)[0]
        if not ended:
            return None
        self.alive.discard(opened[ended[0]])
        return opened[ended[0]]

    def end(self) -> None:
        """Let all finish what they are doing."""
        for pid in self.alive:
            send(pid, signal.SIGTERM)
        for pid in list(self.alive):
            if not wait_gone(pid, 20):
                self.kill(pid)
        self.alive.clear()

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        if pipe is None:
            raise RuntimeError("started without pipes")
        return pipe


@contextlib.contextmanager
def workers(world: World) -> Iterator[Workers]:
    """Workers for a world; whoever is left is killed at the end. What they say is in `workers.log`."""
    command = [sys.executable, "-m", "tests.chaos.worker", str(world.folder), world.database]
    with (world.folder / "workers.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
    found = Workers(process)
    try:
        yield found
    finally:
        for pid in list(found.alive):
            found.kill(pid)
        process.kill()
        process.communicate()


if __name__ == "__main__":
    main()
