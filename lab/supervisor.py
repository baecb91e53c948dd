"""The one process that starts the lab: it imports what all stand-ins need once and forks a child for each.

Started by `lab.control.up`. It sleeps in sigwait until something happens: a child ended (SIGCHLD: noted, not restarted, a lab shows its
dead), the dead and missing shall be started (SIGHUP), all shall end (SIGTERM). It has no threads and no event loop, so forking is safe;
each child makes its own loop. The children end with it, in whatever way it ends.
"""

import gc
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, BinaryIO, NoReturn

from lab.clock import LabClock
from lab.credentials import credentials
from lab.files import locked, write_atomically
from lab.process import end_with_parent, read_line, send
from lab.registry import Listing, load, named
from lab.standin import SECONDS_TO_STOP, Place, serve

SUPERVISOR = "supervisor"
"""Name of the file in the lab's folder whose lock the supervisor holds as long as it lives."""
SECONDS_TO_START = 20.0

_SIGNALS = {signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wish:
    """What the lab shall be (`<lab>/lab.json`), written by `lab.control`, read by the supervisor at its start and at SIGHUP."""

    profile: str
    names: tuple[str, ...]

    @classmethod
    def read(cls, lab: Path) -> "Wish":
        """Return the wish of the lab in this folder. Raises FileNotFoundError when there is none."""
        content = json.loads((lab / "lab.json").read_text())
        return cls(content["profile"], tuple(content["names"]))

    def write(self, lab: Path) -> None:
        """Keep it."""
        write_atomically(lab / "lab.json", json.dumps(asdict(self)))


@dataclass
class Child:
    """A stand-in's process; `exit` is None while it lives, then its exit code, or the negative number of the signal that ended it."""

    name: str
    kind: str
    pid: int
    exit: int | None = None


@dataclass(frozen=True)
class Report:
    """What the supervisor tells the world (`<lab>/supervisor.json`): itself, its children, how many SIGHUP it has served."""

    pid: int
    served: int
    children: tuple[Child, ...]

    @classmethod
    def read(cls, lab: Path) -> "Report | None":
        """Return the last report in this folder; its supervisor need not live any more."""
        try:
            content = json.loads((lab / "supervisor.json").read_text())
        except FileNotFoundError:
            return None
        return cls(content["pid"], content["served"], tuple(Child(**child) for child in content["children"]))


class Supervisor:
    """The children of one lab."""

    def __init__(self, lab: Path, lock: IO[str]) -> None:
        """Take the lab in this folder, and the lock by which others see that it is supervised; nothing is started yet."""
        self._lab = lab
        self._lock = lock
        self._children: dict[str, Child] = {}
        self._served = 0

    def run(self) -> None:
        """Do what the signals say; returns when all children have ended."""
        while (number := signal.sigwait(_SIGNALS)) != signal.SIGTERM:
            self._reap()
            if number == signal.SIGHUP:
                self._served += 1
                self.start_missing()
            else:
                self._report()
        self._stop()

    def start_missing(self) -> None:
        """Start every stand-in that is wished for and does not live, and wait until each is ready or has failed."""
        wish = Wish.read(self._lab)
        listings = named(wish.names, wish.profile)
        credentials(self._lab, *(listing.name for listing in listings if listing.logs_in))
        missing = [listing for listing in listings if not self._lives(listing.name)]
        _prepare(missing)
        pipes = [self._fork(listing, wish.profile) for listing in missing]
        deadline = time.monotonic() + SECONDS_TO_START
        for listing, pipe in zip(missing, pipes, strict=True):
            with pipe:
                if not read_line(pipe, deadline - time.monotonic()):
                    _log.error("%s did not become ready: see %s", listing.name, self._lab / listing.name / "log.txt")
        self._reap()
        self._report()

    def _lives(self, name: str) -> bool:
        child = self._children.get(name)
        return child is not None and child.exit is None

    def _fork(self, listing: Listing, profile: str) -> BinaryIO:
        """Start one; its pipe says a line when it is ready and ends when it is not going to be."""
        read, write = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            self._lock.close()
            _be(listing, Place(listing.name, self._lab / listing.name, self._lab, profile=profile), parent, write)
        os.close(write)
        self._children[listing.name] = Child(listing.name, listing.kind, pid)
        return os.fdopen(read, "rb", buffering=0)

    def _reap(self) -> None:
        for child in self._children.values():
            if child.exit is None:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid:
                    child.exit = os.waitstatus_to_exitcode(status)
                    _log.log(logging.ERROR if child.exit else logging.INFO, "%s ended: %d", child.name, child.exit)

    def _report(self) -> None:
        report = Report(os.getpid(), self._served, tuple(self._children.values()))
        write_atomically(self._lab / "supervisor.json", json.dumps(asdict(report)))

    def _stop(self) -> None:
        living = [child for child in self._children.values() if child.exit is None]
        for child in living:
            send(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + SECONDS_TO_STOP + 1
        while any(child.exit is None for child in living):
            if signal.sigtimedwait({signal.SIGCHLD}, max(0.0, deadline - time.monotonic())) is None:
                for child in living:
                    send(child.pid, signal.SIGKILL)
            self._reap()


def _prepare(listings: Sequence[Listing]) -> None:
    """Import and prepare in the parent what the children will use, so that it is loaded once and its memory is shared."""
    for kind in dict.fromkeys(listing.kind for listing in listings):
        try:
            prepare = getattr(load(kind), "prepare", None)
            if prepare is not None:
                prepare()
        except Exception:  # noqa: BLE001 one broken kind must not keep the others down; its own child fails with the same error
            _log.exception("cannot prepare %s", kind)
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, the pages that it shares with the parent


def _be(listing: Listing, place: Place, parent: int, announce_to: int) -> NoReturn:
    """Be the stand-in: the rest of a child's life."""
    code = 1
    try:
        end_with_parent(parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        code = serve(listing.kind, place, lambda _: _say_ready(announce_to))
    finally:
        logging.shutdown()
        os._exit(code)  # never return into the supervisor's code


def _say_ready(descriptor: int) -> None:
    os.write(descriptor, b"ready\n")
    os.close(descriptor)


def main(lab: Path) -> int:
    """Start the supervisor as a daemon and return when the lab is ready (0), or when there is none (1)."""
    logging.basicConfig(filename=lab / "supervisor.log", level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    read, write = os.pipe()
    if os.fork() == 0:
        os.close(read)
        _daemon(lab, write)
    os.close(write)
    with os.fdopen(read, "rb", buffering=0) as pipe:
        return 0 if read_line(pipe, SECONDS_TO_START + 10) else 1


def _daemon(lab: Path, announce_to: int) -> NoReturn:
    """Be the supervisor: the rest of this process' life."""
    code = 1
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        with locked(lab / SUPERVISOR) as lock:
            supervisor = Supervisor(lab, lock)
            supervisor.start_missing()
            _say_ready(announce_to)
            supervisor.run()
            LabClock(lab / "clock.json").stop()
            code = 0
    except Exception:  # noqa: BLE001 the last boundary of the process: nobody above could report it
        _log.exception("the supervisor failed")
    finally:
        logging.shutdown()
        os._exit(code)


if __name__ == "__main__":
    # run as a module this file would be `__main__`, its classes not those that others import
    from lab import supervisor

    sys.exit(supervisor.main(Path(sys.argv[1])))
