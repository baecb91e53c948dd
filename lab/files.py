"""Files that several processes of the lab share: written whole or not at all, changed under a lock."""

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace `path` by `text`: a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def locked(path: Path) -> Iterator[IO[str]]:
    """Hold the lock of `path` (a file `<path>.lock` beside it) while the block runs; waits for whoever holds it.

    The kernel gives the lock back when its holder dies, so a killed process leaves nothing to clean up. A forked child holds it
    too: it closes the file that the block is given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock of `path`."""
    try:
        file = path.with_name(f"{path.name}.lock").open("r")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def wait_unlocked(path: Path, patience: float) -> bool:
    """Wait until nobody holds the lock of `path`; False when somebody still does after `patience` seconds."""
    deadline = time.monotonic() + patience
    while is_locked(path):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)  # the kernel wakes nobody who waits for a lock with a time limit
    return True
