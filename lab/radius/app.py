"""The stand-in for FreeRADIUS: the database file that we write to, and a server on UDP that answers from it."""

import asyncio
import logging
import os
import socket
import sqlite3
from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import JsonValue

from lab.credentials import credentials
from lab.radius.database import TABLES, DatabaseFaults, connect
from lab.radius.packet import BadPacket, Code, Packet, parse, response
from lab.radius.rows import Rows
from lab.standin import HOST, Endpoint, Place, control_path, listen
from lab.web import control_app, serve_on, under_control

_log = logging.getLogger(__name__)


class Radius:
    """`Endpoint.url` is the database (`sqlite:////.../radius.db`), `Endpoint.urls` has the UDP sockets: `authentication`, `accounting`.

    The clients' secret is `Credentials.radius_secret`. Faults are the database's (`lab.radius.database`).
    GET <control>/state: {table: [row, ...]} for each table of the schema.
    """

    kind: ClassVar[str] = "radius"

    def __init__(self, place: Place) -> None:
        """Open the database, or make it."""
        self._place = place
        self._path = place.folder / "radius.db"
        self._secret = credentials(place.lab).radius_secret.encode()
        self._clock = place.clock
        self._db = connect(self._path)
        self._rows = Rows(self._db)
        self._faults = DatabaseFaults(self._path)

    async def serve(self, ready: Callable[[Endpoint], None], stop: asyncio.Event) -> None:
        """Serve both UDP sockets and the control endpoint."""
        loop = asyncio.get_running_loop()
        udp = [listen(self._place, purpose, socket.SOCK_DGRAM) for purpose in ("main", "accounting")]
        transports = [(await loop.create_datagram_endpoint(lambda: _Protocol(self._answer), sock=sock))[0] for sock in udp]
        control = listen(self._place, "control")
        path = control_path(self._place)
        ports = [sock.getsockname()[1] for sock in udp]
        urls = {name: f"radius://{HOST}:{port}" for name, port in zip(("authentication", "accounting"), ports, strict=True)}
        base = f"http://{HOST}:{control.getsockname()[1]}{path}"
        url = f"sqlite:///{self._path}"
        app = under_control(path, control_app(self._faults, self._state))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(serve_on(control, app, stop))
                ready(Endpoint(self._place.name, self.kind, os.getpid(), HOST, ports[0], url, base, urls))
        finally:
            for transport in transports:
                transport.close()
            self._faults.clear()

    def _answer(self, data: bytes) -> bytes | None:
        """Return the answer to a datagram, None for none: what is malformed or meets a database that does not answer gets silence."""
        try:
            request = parse(data, self._secret)
            if request.code is Code.ACCESS_REQUEST:
                return self._authenticate(request)
            if request.code is Code.ACCOUNTING_REQUEST:
                self._rows.account(request, self._clock.now())
                return response(Code.ACCOUNTING_RESPONSE, request, (), self._secret)
        except (BadPacket, sqlite3.Error) as error:
            _log.warning("a request gets no answer: %s", error)
        return None

    def _authenticate(self, request: Packet) -> bytes:
        pairs = self._rows.authorize(request)
        try:
            answer = None if pairs is None else response(Code.ACCESS_ACCEPT, request, pairs, self._secret)
        except ValueError as error:  # FreeRADIUS: "Failed to create the pair", and the module fails
            _log.warning("%s is rejected: %s", request.get("User-Name"), error)
            answer = None
        self._rows.log(request, "Access-Accept" if answer else "Access-Reject", self._clock.now())
        return answer or response(Code.ACCESS_REJECT, request, (), self._secret)

    def _state(self) -> dict[str, JsonValue]:
        state: dict[str, Any] = {}
        for table in TABLES:
            cursor = self._db.execute(f"SELECT * FROM {table} ORDER BY id" if table != "radacct" else "SELECT * FROM radacct")  # noqa: S608
            names = [column[0] for column in cursor.description]
            state[table] = [dict(zip(names, row, strict=True)) for row in cursor]
        return state


class _Protocol(asyncio.DatagramProtocol):
    """Answers each datagram to where it came from."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer
        self._sendto: Callable[[bytes, tuple[str | Any, int]], None] = lambda _data, _addr: None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._sendto = transport.sendto

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        answer = self._answer(data)
        if answer is not None:
            self._sendto(answer, addr)
