"""On SQLite one process at a time works the lanes: the lock of that process, and who holds it.

An open file description lock (`F_OFD_SETLK` of Linux): the kernel gives it back when its holder dies, and it can be asked for without being
taken (`F_OFD_GETLK`), so that nobody who looks is in the way of a worker that starts.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from engine.errors import WorkerRunning

_FLOCK = struct.Struct("hhqqi0q")
"""The kernel's struct flock: l_type, l_whence, l_start, l_len, l_pid."""
_WHOLE_FILE = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


@contextlib.contextmanager
def sole_worker(lock: Path) -> Iterator[None]:
    """Be the one that works while the block runs. Raises WorkerRunning, naming the other process."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as file:
        try:
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, _WHOLE_FILE)
        except BlockingIOError:
            file.seek(0)
            raise WorkerRunning(f"process {file.read().strip() or '?'} works the lanes of this store already") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def running_worker(lock: Path) -> int | None:
    """Process id of the worker of this store, or None; 0 when it has only just begun."""
    try:
        file = lock.open(encoding="utf-8")
    except FileNotFoundError:
        return None
    with file:
        if _FLOCK.unpack(fcntl.fcntl(file, fcntl.F_OFD_GETLK, _WHOLE_FILE))[0] == fcntl.F_UNLCK:
            return None
        text = file.read().strip()
        return int(text) if text.isdigit() else 0
