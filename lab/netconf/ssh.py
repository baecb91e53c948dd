"""SSH in front of a NETCONF server: asyncssh with one user, a host key, and the subsystem `netconf` (RFC 6242)."""

import asyncio
import contextlib
import itertools
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncssh

from lab.credentials import Login
from lab.faults import Do
from lab.netconf.session import Personality, Session
from lab.standin import accept_no_more


class _Channel:
    """A session's SSH channel as `lab.netconf.session.Channel`."""

    def __init__(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        self._process = process

    async def read(self, size: int) -> bytes:
        try:
            data: bytes = await self._process.stdin.read(size)
        except asyncssh.Error as error:
            raise ConnectionResetError(str(error)) from error
        return data

    async def write(self, data: bytes) -> None:
        self._process.stdout.write(data)
        await self._process.stdout.drain()

    async def gone(self) -> None:
        await self._process.wait_closed()

    def abort(self) -> None:
        self._process.channel.get_connection().abort()


class Sessions:
    """The sessions of a server, by session-id. Ids start at 1 and are not used again."""

    def __init__(self) -> None:
        """No session yet."""
        self._numbers = itertools.count(1)
        self.open: dict[int, Session] = {}

    async def run(self, channel: _Channel, personality: Personality) -> None:
        """Serve a new session until it ends."""
        session = Session(next(self._numbers), channel, personality)
        self.open[session.id] = session
        try:
            await session.run()
        finally:
            del self.open[session.id]


def _server(personality: Personality, login: Login, connections: set[Any]) -> Callable[[], asyncssh.SSHServer]:
    class Server(asyncssh.SSHServer):  # type: ignore[misc]
        """One connection: who may come in. It is in `connections` while it is open."""

        def connection_made(self, conn: "asyncssh.SSHServerConnection") -> None:
            self._connection = conn
            connections.add(conn)
            self._fault = personality.faults.take("connect")
            if self._fault and self._fault.do is Do.DROP:
                conn.abort()

        def connection_lost(self, _: Exception | None) -> None:
            connections.discard(self._connection)

        async def begin_auth(self, _: str) -> bool:
            if self._fault and self._fault.do is Do.HANG:
                await asyncio.Event().wait()
            elif self._fault and self._fault.do is Do.SLOW:
                await asyncio.sleep(self._fault.seconds)
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            if self._fault and self._fault.do in (Do.REFUSE, Do.EXHAUST):
                return False
            known = secrets.compare_digest(username.encode(), login.user.encode())
            return secrets.compare_digest(password.encode(), login.password.encode()) and known

    return Server


@contextlib.asynccontextmanager
async def listening(sock: socket.socket, host_key: Path, login: Login, personality: Personality, sessions: Sessions) -> AsyncIterator[None]:
    """Serve NETCONF sessions on a listening socket while the block runs; sessions and connections that are open then are closed."""
    connections: set[Any] = set()

    async def serve(process: Any) -> None:
        if process.subsystem != "netconf":
            process.exit(1)
            return
        with contextlib.suppress(asyncssh.Error, ConnectionError):  # a client that vanished
            await sessions.run(_Channel(process), personality)
        process.exit(0)

    server = await asyncssh.listen(
        sock=sock,
        server_factory=_server(personality, login, connections),
        server_host_keys=[str(host_key)],
        process_factory=serve,
        encoding=None,
        line_editor=False,
        allow_scp=False,
        gss_host=None,
        config=[],  # nothing from ~/.ssh
        keepalive_interval=0,
        compression_algs=["none"],
        login_timeout=30,
    )
    try:
        yield
    finally:
        await accept_no_more(sock)
        server.close()
        for session in list(sessions.open.values()):
            session.kill()
        await server.wait_closed()
        for connection in list(connections):  # also one whose session has not begun, or has ended before the client went
            connection.abort()
            await connection.wait_closed()
