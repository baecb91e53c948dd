"""One process works an embedded store, and who looks which one is in nobody's way."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.errors import WorkerRunning
from engine.worker_lock import running_worker, sole_worker


def test_one_process_works_an_embedded_store(tmp_path: Path) -> None:
    lock = tmp_path / "worker.lock"
    code = (
        "import sys; from pathlib import Path; from engine.worker_lock import sole_worker\n"
        f"with sole_worker(Path({str(lock)!r})):\n    print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        assert running_worker(lock) == other.pid
        with pytest.raises(WorkerRunning, match=str(other.pid)), sole_worker(lock):
            pass
        other.kill()
        other.wait()
        assert running_worker(lock) is None


def test_whoever_looks_is_in_nobodys_way(tmp_path: Path) -> None:
    """A worker that starts is not refused because a command asks at that moment who works."""
    lock, started = tmp_path / "worker.lock", threading.Event()

    def look() -> None:
        while not started.is_set():
            running_worker(lock)

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(500):
            with sole_worker(lock):
                pass
    finally:
        started.set()
        for watcher in watchers:
            watcher.join()
    assert running_worker(lock) is None
