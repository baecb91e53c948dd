"""The order layer alone with several worker processes on one PostgreSQL: from the call that accepts a file of orders to their end."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from engine.acceptance import Acceptance
from tests import postgres
from tests.bench.bench import Bench, Scale, TookTooLong, wait_until
from tests.bench.bench_engine import NULL, left_open
from tests.bench.figure import Figure, of_samples
from tests.null_world import ROOT, NullWorld, null_world, superfibre

_WORKERS = (1, 2, 4)
_SWEEP = 0.5
"""Seconds between two looks for orders that the bench accepted; of all else hints tell."""
_SECONDS = 300.0


def _scaling(scale: Scale) -> Iterator[Figure]:
    if postgres.programs() is None:
        raise TookTooLong("PostgreSQL is not installed")
    runs, orders_a_run = scale.of(3, 1), scale.of(200, 5)
    with tempfile.TemporaryDirectory() as folder, postgres.server(Path(folder) / "postgresql") as maintenance:
        for workers in _WORKERS if not scale.quick else _WORKERS[:1]:
            url = postgres.create(maintenance, f"workers{workers}")
            rates, cpu, database = _run(url, Path(folder), workers, runs, orders_a_run)
            many = "1 worker" if workers == 1 else f"{workers} workers"
            against = f"PostgreSQL, worker processes, {NULL}"
            yield of_samples(f"{orders_a_run} orders at once, {many}", rates, "orders/s", against)
            yield of_samples(f"CPU of one of them, {many}", cpu, "ms", against)
            yield of_samples(f"the database's CPU for one of them, {many}", database, "ms", against)


def _run(url: str, folder: Path, workers: int, runs: int, orders_a_run: int) -> tuple[list[float], list[float], list[float]]:
    """Orders a second, and milliseconds of CPU that the workers and the database need for one, of each run."""
    world, numbers = null_world(url, folder / "secret.key"), itertools.count(1)
    rates: list[float] = []
    used: tuple[list[float], list[float]] = ([], [])
    acceptance = Acceptance(world.at, world.catalogue)
    try:
        with _working(url, folder, workers) as processes:
            _complete(world, acceptance, itertools.islice(numbers, 10))
            for _ in range(runs):
                before, began = (_cpu(processes), postgres.cpu(folder / "postgresql")), time.perf_counter()
                ended = _complete(world, acceptance, itertools.islice(numbers, orders_a_run))
                rates.append(orders_a_run / (ended - began))
                for samples, seconds, first in zip(used, (_cpu(processes), postgres.cpu(folder / "postgresql")), before, strict=True):
                    samples.append((seconds - first) * 1000 / orders_a_run)
    finally:
        world.at.store.database.close()
    return rates, *used


def _complete(world: NullWorld, acceptance: Acceptance, numbers: Iterator[int]) -> float:
    """Accept orders by one call and wait for the last of them; the moment of its end. Raises TookTooLong."""
    acceptance.submit_many([superfibre(number) for number in numbers])
    return wait_until(lambda: left_open(world.at) == 0, _SECONDS, "orders of several workers", look=0.02)


@contextmanager
def _working(url: str, folder: Path, workers: int) -> Iterator[list[psutil.Process]]:
    """So many worker processes, from the moment when each works the lanes."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "TURNUP_HOME": str(folder / "home"), "TURNUP_LAB__EMBEDDED": "false"}
    command = [sys.executable, "-m", "tests.null_worker", url, str(folder / "secret.key"), json.dumps({"sweep": _SWEEP})]
    started: list[subprocess.Popen[bytes]] = []
    with ExitStack() as files:
        try:
            for number in range(workers):
                told = folder / f"worker-{workers}-{number}"
                file = files.enter_context(told.open("wb"))
                started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file))
                wait_until(lambda told=told: b"working the lanes" in told.read_bytes(), _SECONDS, "a worker's start")  # type: ignore[misc]
            yield [psutil.Process(process.pid) for process in started]
        finally:
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                process.wait(_SECONDS)


def _cpu(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(time.user + time.system for time in times)


BENCHES = (Bench("order layer workers", _scaling),)
