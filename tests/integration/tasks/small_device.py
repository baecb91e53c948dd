"""A NETCONF server that announces what a test wants: for devices that can do less than the lab's OLT. It holds interfaces by name."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lxml import etree

from lab.credentials import Login
from lab.faults import Faults
from lab.hostkeys import host_key, make_known, public_key
from lab.netconf.errors import failed
from lab.netconf.names import nc
from lab.netconf.session import Session
from lab.netconf.ssh import Sessions, listening
from lab.standin import HOST, Place, listen
from tasks.access import Access

_IF = "{urn:ietf:params:xml:ns:yang:ietf-interfaces}"
_CAPABILITY = "urn:ietf:params:netconf:capability:"


class SmallDevice:
    """Candidate (if announced) and running, each a set of names of interfaces (`lab.netconf.session.Personality`)."""

    reply_namespaces: Mapping[str, str] = {}

    def __init__(self, *capabilities: str) -> None:
        self.faults = Faults()
        self.capabilities: Sequence[str] = (
            "urn:ietf:params:netconf:base:1.0",
            *(_CAPABILITY + capability for capability in capabilities),
        )
        self.running: set[str] = set()
        self.candidate: set[str] = set()
        self.before: set[str] | None = None
        """What running was before a commit that is not confirmed."""
        self.confirmer: int | None = None
        self.locks: dict[str, int] = {}
        self.done: list[str] = []
        self.forgets = False
        """Answers ok to edits and does nothing."""
        self.warns = False
        self.keeps_locks = False
        """Does not see that a client vanished: its lock stays until somebody kills the session."""

    def perform(self, session: Session, operation: etree._Element) -> str:
        name = etree.QName(operation).localname
        self.done.append(name)
        match name:
            case "lock":
                self._lock(operation, session.id)
            case "unlock":
                self.locks.pop(_datastore(operation), None)
            case "discard-changes":
                self.candidate = set(self.running)
            case "edit-config":
                self._edit(operation)
            case "commit":
                self._commit(session.id, confirmed=operation.find(nc("confirmed")) is not None)
            case "kill-session":
                self._free(int(operation.findtext(nc("session-id")) or 0))
            case "get-config" | "get":
                return self._data()
            case _:
                raise failed("operation-not-supported", name, type_="protocol")
        return (
            "<rpc-error><error-tag>partial-operation</error-tag><error-severity>warning</error-severity></rpc-error>" if self.warns else ""
        )

    def session_ended(self, session: Session) -> None:
        if not self.keeps_locks:
            self._free(session.id)
        if self.before is not None and self.confirmer == session.id:  # RFC 4741 section 8.4: without persist it ends with its session
            self.running, self.before = self.before, None

    def _free(self, session: int) -> None:
        self.locks = {name: holder for name, holder in self.locks.items() if holder != session}

    def _lock(self, operation: etree._Element, session: int) -> None:
        if _datastore(operation) in self.locks:
            holder = str(self.locks[_datastore(operation)])
            raise failed("lock-denied", "locked", type_="protocol", info=[("session-id", holder)])
        self.locks[_datastore(operation)] = session

    def _edit(self, operation: etree._Element) -> None:
        names = self.running if _datastore(operation) == "running" else self.candidate
        for interface in operation.iter(f"{_IF}interface"):
            name, what = interface.findtext(f"{_IF}name") or "", interface.get(nc("operation"))
            if name.startswith("bad"):
                raise failed("invalid-value", f"{name} is no name")
            if what == "create" and name in names:
                raise failed("data-exists", name)
            if not self.forgets:
                (names.discard if what == "delete" else names.add)(name)

    def _commit(self, session: int, *, confirmed: bool) -> None:
        self.before, self.confirmer = (set(self.running) if confirmed else None), session
        self.running = set(self.candidate)

    def _data(self) -> str:
        names = "".join(f"<interface><name>{name}</name></interface>" for name in sorted(self.running))
        return f'<data><interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">{names}</interfaces></data>'


def _datastore(operation: etree._Element) -> str:
    target = operation.find(nc("target"))
    return etree.QName(target[0]).localname if target is not None else ""


@contextlib.contextmanager
def serving(device: SmallDevice, folder: Path) -> Iterator[Access]:
    """Serve the device over SSH, in a thread, while the block runs."""
    login = Login("u", "p")
    key = host_key(folder)
    sock = listen(Place("small", folder, folder))
    port: int = sock.getsockname()[1]
    make_known(folder, HOST, port, public_key(key))
    ready = threading.Event()
    stopping: list[Callable[[], None]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        stopping.append(functools.partial(asyncio.get_running_loop().call_soon_threadsafe, stop.set))
        async with listening(sock, key, login, device, Sessions()):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield Access(login.user, login.password, HOST, port, known_hosts=folder / "known_hosts", timeout=5)
    finally:
        stopping[0]()
        thread.join(10)
