"""Where a server ends: a mistake of its own is an error for the client, whose session goes on; what is open when it stops is closed."""

import asyncio
import contextlib
import gc
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from lxml import etree

from lab.credentials import credentials
from lab.faults import Faults
from lab.hostkeys import host_key
from lab.netconf.session import Session
from lab.netconf.ssh import Sessions, listening
from lab.standin import Endpoint
from tests.netconf_wire import eventually, session


class Mistaken:
    """A server whose every second operation fails in a way that nobody foresaw."""

    faults = Faults()
    capabilities = ("urn:ietf:params:netconf:base:1.1",)
    reply_namespaces: dict[str, str] = {}  # noqa: RUF012
    ended: list[int] = []  # noqa: RUF012

    def perform(self, session: Session, operation: etree._Element) -> str:
        session.closing = operation.tag.endswith("close-session")
        return "" if session.closing or operation.tag.endswith("discard-changes") else str(1 / 0)

    def session_ended(self, session: Session) -> None:
        self.ended.append(session.id)


@contextlib.contextmanager
def serving(tmp_path: Path) -> Iterator[Endpoint]:
    login = credentials(tmp_path, "X").devices["X"]
    sock = socket.create_server(("127.0.0.1", 0))
    control = SimpleNamespace(ready=threading.Event())

    async def serve() -> None:
        control.loop, control.stop = asyncio.get_running_loop(), asyncio.Event()
        async with listening(sock, host_key(tmp_path), login, Mistaken(), Sessions()):
            control.ready.set()
            await control.stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert control.ready.wait(10)
    yield Endpoint("X", "olt", 0, "127.0.0.1", sock.getsockname()[1], None, "")
    control.loop.call_soon_threadsafe(control.stop.set)
    thread.join(10)
    assert not thread.is_alive()


def test_a_mistake_is_an_error_of_the_operation(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with serving(tmp_path) as server, caplog.at_level(logging.ERROR), session(server, tmp_path) as wire:
        assert wire.tag("<get/>") == "operation-failed"
        wire.do("<discard-changes/>")
    assert "ZeroDivisionError" in caplog.text
    eventually(lambda: bool(Mistaken.ended))


def test_connections_without_a_session_are_closed_too(tmp_path: Path) -> None:
    """A transport that nobody closed would warn when it is collected: an error here, in whatever test runs then."""
    with contextlib.ExitStack() as stack, serving(tmp_path) as server:
        client = stack.enter_context(socket.create_connection((server.host, server.port), timeout=10))
        assert client.recv(8) == b"SSH-2.0-"
    gc.collect()
