"""How long it takes after `kill -9` of a worker in the middle of a push until what it was doing is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.acceptance import Acceptance
from engine.batch import WorkerSettings
from engine.model import StepState
from tests import postgres
from tests.bench.bench import Bench, Scale, wait_until
from tests.bench.figure import Figure, Goal, of_samples
from tests.null_world import ROOT, NullWorld, null_world, superfibre

_OLT, _STEP = "OLT-EAST-07", "ROI-001/configure/0"
_LEASE = 3.0
_SECONDS = 60.0


def _sqlite(scale: Scale) -> Iterator[Figure]:
    """The next process is started at once; it needs no lease to end, as only one works."""
    samples = []
    for _ in range(scale.of(5, 1)):
        with tempfile.TemporaryDirectory() as folder:
            samples.append(_killed(f"sqlite:///{folder}/turnup.db", Path(folder), beside=False))
    yield of_samples("kill -9 to working again", samples, "s", "turnup worker started anew, SQLite, null targets", Goal("<=", 5))


def _postgresql(scale: Scale) -> Iterator[Figure]:
    """Another worker is there, and takes over when the lease ends."""
    if postgres.programs() is None:
        return
    samples = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, postgres.server(Path(folder) / "server") as server:
        for number in range(scale.of(3, 1)):
            url, home = postgres.create(server, f"killed{number}"), Path(folder) / str(number)
            home.mkdir()
            samples.append(_killed(url, home, beside=True))
    against = f"another turnup worker, PostgreSQL, lease {_LEASE:g} s, null targets"
    yield of_samples("kill -9 to working again, PostgreSQL", samples, "s", against, Goal("<=", 5))


def _killed(url: str, home: Path, *, beside: bool) -> float:
    """Seconds from the kill until the interrupted step is done."""
    world = null_world(url, home / "secret.key", WorkerSettings())
    try:
        order = Acceptance(world.at, world.catalogue).submit(superfibre(1)).id
        with _worker(url, home, target=_OLT, slow=600) as victim:
            _pushes(victim)
            if beside:
                with _worker(url, home) as other:
                    _works(world, other)
                    return _until_done(world, order, victim)
            began = _kill(victim)
            with _worker(url, home):
                return _done(world, order) - began
    finally:
        world.at.store.database.close()


def _until_done(world: NullWorld, order: str, victim: subprocess.Popen[str]) -> float:
    began = _kill(victim)
    return _done(world, order) - began


def _works(world: NullWorld, worker: subprocess.Popen[str]) -> None:
    """Wait until a worker is at work: it has done another order as far as the one that hangs lets it."""
    other = Acceptance(world.at, world.catalogue).submit(superfibre(2)).id
    wait_until(lambda: world.at.store.tree(other).steps.get("reserve") is not None, _SECONDS, f"worker {worker.pid}")


def _kill(worker: subprocess.Popen[str]) -> float:
    worker.kill()
    worker.wait()
    return time.perf_counter()


def _done(world: NullWorld, order: str) -> float:
    return wait_until(lambda: world.at.store.tree(order).steps[_STEP].state is StepState.DONE, _SECONDS, "the interrupted step")


def _pushes(worker: subprocess.Popen[str]) -> None:
    """Wait until it is in the middle of a push."""
    if worker.stdout is None or "pushing\n" not in iter(worker.stdout.readline, ""):
        raise RuntimeError("the worker ended before it pushed")


@contextmanager
def _worker(url: str, home: Path, **options: object) -> Iterator[subprocess.Popen[str]]:
    """`turnup worker` over the null world."""
    environment = {**os.environ, "TURNUP_HOME": str(home / "home"), "TURNUP_LAB__EMBEDDED": "false"}
    command = [sys.executable, "-m", "tests.null_worker", url, str(home / "secret.key"), json.dumps({"lease": _LEASE, **options})]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


BENCHES = (Bench("recovery", _sqlite), Bench("recovery on PostgreSQL", _postgresql))
