"""Small things about processes that the standard library leaves to us (Linux)."""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import time
from typing import BinaryIO, Protocol

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class _Readable(Protocol):
    def fileno(self) -> int: ...


def end_with_parent(parent: int | None = None) -> None:
    """Have the kernel send this process SIGTERM when its parent dies, in whatever way (prctl(2), PR_SET_PDEATHSIG).

    `parent` is the pid it is expected to have: if that is gone already, the signal is sent at once. Meant for a child of its
    parent's main thread: the kernel looks at the thread that made it.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def read_line(pipe: BinaryIO, timeout: float) -> bytes:
    """Return the next line of a pipe (unbuffered); empty when its writers are gone or `timeout` seconds have passed."""
    deadline = time.monotonic() + timeout
    line = b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        part = pipe.read(4096) if readable else b""
        if not part:
            return b""
        line += part
    return line


def stop_process(process: subprocess.Popen[bytes], patience: float) -> None:
    """End a child: SIGTERM, and SIGKILL if it is still there after `patience` seconds."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_gone(pid: int, patience: float) -> bool:
    """Wait for the end of a process that need not be our child; False when it is still there after `patience` seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], patience)[0])
    finally:
        os.close(descriptor)


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
