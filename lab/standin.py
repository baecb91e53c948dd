"""What every stand-in is: a name, a folder for its state, an endpoint that it announces, and a process that serves until it is stopped.

`python -m lab.standin KIND NAME FOLDER` runs one in the foreground; `running(...)` runs one for the length of a `with` block (tests).
The lab as a whole is started by `lab.control`.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from lab.clock import LabClock
from lab.files import locked, write_atomically
from lab.process import end_with_parent, read_line, stop_process

HOST = "127.0.0.1"
"""Everything in the lab listens here and nowhere else."""

PROCESS = "process"
"""Name of the file in a stand-in's folder whose lock (`lab.files.locked`) its process holds as long as it lives."""
SECONDS_TO_STOP = 4.0
"""After that long a stand-in that was told to stop is ended by the kernel."""


@dataclass(frozen=True)
class Place:
    """Where a stand-in lives."""

    name: str
    folder: Path
    """Its own: state, ports, log, endpoint."""
    lab: Path
    """The lab's: clock, credentials, and the folders of the others."""
    port: int = 0
    """0: the same as last time, or any that is free."""
    profile: str = "example"
    """Which of the seeding profiles the lab was started with."""

    @property
    def clock(self) -> LabClock:
        """The lab's clock."""
        return LabClock(self.lab / "clock.json")


@dataclass(frozen=True)
class Endpoint:
    """Where a running stand-in is reached: `<folder>/endpoint.json` (0600), there exactly while it is ready to serve."""

    name: str
    kind: str
    pid: int
    host: str
    port: int
    url: str | None
    """None for SSH."""
    control: str
    """Base URL of the control endpoint. Its path holds a secret of this stand-in, so that other users of the machine have no say."""
    urls: Mapping[str, str] = field(default_factory=dict)
    """Further addresses, by purpose (Kea: `dhcp4` and `dhcp6`)."""


class StandIn(Protocol):
    """A stand-in: made with its place, it serves until told to stop.

    A class may have a classmethod `prepare()`: the supervisor calls it once before it forks, so that what is slow to load
    and the same for every process (YANG modules, schemas) is loaded once and its memory shared. No threads and no event loop there.
    """

    kind: ClassVar[str]

    def __init__(self, place: Place) -> None:
        """Take the place; the folder exists. No sockets, threads or event loop yet: the process may still be forked."""
        ...

    async def serve(self, ready: Callable[[Endpoint], None], stop: asyncio.Event) -> None:
        """Open the sockets, call `ready` once, serve until `stop` is set, close everything."""
        ...


def listen(place: Place, purpose: str = "main", kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """Return a socket of this stand-in on the loopback, TCP (listening) or UDP, bound to the port of last time if that is still free.

    A stand-in with several ports names the `purpose` of each; `place.port` is the wish for "main". Raises OSError when that is taken.
    """
    path = place.folder / "ports.json"
    ports: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    wish = place.port if purpose == "main" else 0
    if wish:
        sock = _bound(wish, kind)
    else:
        try:
            sock = _bound(ports.get(purpose, 0), kind)
        except OSError:  # somebody else's by now
            sock = _bound(0, kind)
    if kind is socket.SOCK_STREAM:
        sock.listen(128)
    write_atomically(path, json.dumps({**ports, purpose: sock.getsockname()[1]}))
    return sock


async def accept_no_more(sock: socket.socket) -> None:
    """Take no further connection from a socket that an asyncio server listens on, and let what was accepted become a connection.

    To be called before that server is closed: a connection that it accepted in the same turn of the loop would stay open, known to nobody
    (Python's gh-109564).
    """
    asyncio.get_running_loop().remove_reader(sock)
    for _ in range(2):  # turns of the loop: the transport is made in the first, its protocol hears of it in the second
        await asyncio.sleep(0)


def _bound(port: int, kind: socket.SocketKind) -> socket.socket:
    is_tcp = kind is socket.SOCK_STREAM
    # asyncio sets TCP_NODELAY only on sockets whose protocol is said to be TCP; without it every answer in two parts is 40 ms late
    sock = socket.socket(socket.AF_INET, kind, socket.IPPROTO_TCP if is_tcp else socket.IPPROTO_UDP)
    try:
        if is_tcp:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # or its own last connections, in TIME_WAIT, hold the port
        sock.bind((HOST, port))
    except OSError:
        sock.close()
        raise
    return sock


def control_path(place: Place) -> str:
    """Return the path of the control endpoint, `/__control__/<secret>`: made once, kept in the folder."""
    path = place.folder / "control.secret"
    if not path.exists():
        write_atomically(path, secrets.token_urlsafe(16))
    return f"/__control__/{path.read_text()}"


def read_endpoint(folder: Path) -> Endpoint | None:
    """Return what the stand-in of this folder announced, None when it is not ready to serve."""
    try:
        return Endpoint(**json.loads((folder / "endpoint.json").read_text()))
    except FileNotFoundError:
        return None


def serve(kind: str, place: Place, announce: Callable[[Endpoint], None] = lambda _: None) -> int:
    """Run a stand-in in this process until SIGTERM or SIGINT; the exit code is 0, or 1 when it failed (the reason is in its log).

    The endpoint file is written when it is ready, then `announce` is called, and the file is removed when it ends. One process at a
    time works in a folder: the next waits until the last is gone.
    """
    from lab.registry import load  # here: the registry names the stand-ins, which import this module

    place.folder.mkdir(parents=True, exist_ok=True)
    _log_to(place.folder / "log.txt")
    file = place.folder / "endpoint.json"

    def ready(endpoint: Endpoint) -> None:
        write_atomically(file, json.dumps(asdict(endpoint)))
        announce(endpoint)

    with locked(place.folder / PROCESS):
        file.unlink(missing_ok=True)  # of one that was killed
        try:
            asyncio.run(_until_signalled(load(kind)(place), ready))
        except Exception:  # the last boundary of the process: nobody above could report it
            logging.getLogger(__name__).exception("%s %s failed", kind, place.name)
            return 1
        finally:
            file.unlink(missing_ok=True)
    return 0


async def _until_signalled(standin: StandIn, ready: Callable[[Endpoint], None]) -> None:
    stop = asyncio.Event()

    def stop_soon() -> None:
        stop.set()
        # who does not end in time is ended by the kernel: SIGALRM is not handled, so it kills
        signal.setitimer(signal.ITIMER_REAL, SECONDS_TO_STOP)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop_soon)
    await standin.serve(ready, stop)


def _log_to(path: Path) -> None:
    logging.basicConfig(filename=path, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    logging.captureWarnings(True)


@contextlib.contextmanager
def running(kind: str, name: str, folder: Path, *, lab: Path | None = None, port: int = 0, timeout: float = 20.0) -> Iterator[Endpoint]:
    """Run one stand-in as a process of its own while the block runs; `lab` is the parent of its folder if not given.

    Raises RuntimeError with its log when it does not become ready within `timeout` seconds.
    """
    read, write = os.pipe()
    command = [sys.executable, "-m", "lab.standin", kind, name, str(folder), "--port", str(port), "--announce-to", str(write)]
    if lab is not None:
        command += ["--lab", str(lab)]
    process = subprocess.Popen(command, pass_fds=(write,), stdin=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read, "rb", buffering=0) as pipe:
            line = read_line(pipe, timeout)
        if not line:
            log = folder / "log.txt"
            raise RuntimeError(f"{kind} {name} did not become ready: {log.read_text() if log.exists() else 'no log'}")
        yield Endpoint(**json.loads(line))
    finally:
        stop_process(process, SECONDS_TO_STOP + 1)


def main(arguments: list[str] | None = None) -> int:
    """Run one stand-in in the foreground: the lab's clock runs, Ctrl-C ends it."""
    parser = argparse.ArgumentParser(prog="python -m lab.standin", description="Run one stand-in of the lab in the foreground.")
    parser.add_argument("kind", metavar="KIND", help="what it stands for: see lab/registry.py")
    parser.add_argument("name", metavar="NAME", help="for instance OLT-EAST-07")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where it keeps its state")
    parser.add_argument("--lab", type=Path, help="the lab's folder (default: the parent of FOLDER)")
    parser.add_argument("--port", type=int, default=0, help="default: that of last time, or any that is free")
    parser.add_argument("--announce-to", type=int, metavar="FD", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    folder = options.folder.resolve()
    place = Place(options.name, folder, (options.lab or folder.parent).resolve(), options.port)
    place.clock.start()
    if options.announce_to is None:
        return serve(options.kind, place, lambda endpoint: print(json.dumps(asdict(endpoint)), flush=True))
    end_with_parent()
    with os.fdopen(options.announce_to, "w") as pipe:
        return serve(options.kind, place, lambda endpoint: print(json.dumps(asdict(endpoint)), file=pipe, flush=True))


if __name__ == "__main__":
    # run as a module this file would be `__main__`, its classes not those that the stand-ins import
    from lab import standin

    sys.exit(standin.main())
