"""What the embedded lab and the program weigh, and how fast the lab is up."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from lab import control
from tests.bench.bench import Bench, Scale, wait_until
from tests.bench.embedded import PROFILE, embedded, lab_processes
from tests.bench.figure import Figure, Goal, of_samples

_MIB = 2**20


def _start(scale: Scale) -> Iterator[Figure]:
    """A lab that never was before: keys, credentials and day-0 configuration are made, nine processes started."""
    runs = scale.of(3, 1)
    seconds, sizes = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            try:
                control.up(Path(folder), profile="example")
                seconds.append(time.perf_counter() - began)
                sizes.append(sum(_pss(process) for process in lab_processes(Path(folder))))
            finally:
                control.down(Path(folder))
    yield of_samples("lab start, from nothing", seconds, "s", "embedded lab, all stand-ins", Goal("<=", 3))
    yield of_samples("lab memory after its start", sizes, "MiB PSS", "embedded lab, all its processes", Goal("<=", 400))


def _program(scale: Scale) -> Iterator[Figure]:
    """After orders were carried through: the lab with them in it, and `turnup worker` on the same store."""
    count = scale.of(20, 2)
    with embedded() as program:
        for _ in range(count):
            program.submit()
        with program.working():
            program.wait_for_all(120)
        size = sum(_pss(process) for process in lab_processes(program.settings.lab_folder))
        yield _once(f"lab memory with {count} lines and 4,000 ONTs in stock", size, "embedded lab, all its processes", Goal("<=", 400))
        yield _once("program memory", _worker_size(program.settings.home), f"turnup worker, {count} orders in its store")


def _worker_size(home: Path) -> float:
    """Start `turnup worker`, let it begin, and weigh it."""
    command = [sys.executable, "-m", "turnup", "worker"]
    environment = {**os.environ, "TURNUP_HOME": str(home), "TURNUP_LAB__PROFILE": PROFILE}
    told = home / "worker.out"
    with told.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_until(lambda: "working the lanes" in told.read_text("utf-8"), 30, "turnup worker", look=0.05)
        return _pss(psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(30)


def _pss(process: psutil.Process) -> float:
    """MiB, what it shares with others divided among them."""
    return float(process.memory_full_info().pss) / _MIB


def _once(name: str, value: float, against: str, goal: Goal | None = None) -> Figure:
    return Figure(name, value, "MiB PSS", 1, value, value, against, goal)


BENCHES = (Bench("lab start", _start), Bench("memory", _program))
