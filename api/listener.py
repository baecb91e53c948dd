"""Serving an application in a thread of this process, beside the work."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

from engine.errors import SettingsInvalid


class Listener:
    """Serves `app` on `host` while the block runs. `port` is a wish: when it is taken, or 0, a free one is used."""

    def __init__(self, app: FastAPI, host: str, port: int = 0) -> None:
        self._socket = _bound(host, port)
        self.host, self.port = host, int(self._socket.getsockname()[1])
        config = uvicorn.Config(app, log_config=None, lifespan="off", access_log=False, server_header=False, timeout_graceful_shutdown=2)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="listener", daemon=True)

    @property
    def url(self) -> str:
        """Where it is reached on this machine."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def __enter__(self) -> Self:
        """Connections are accepted from here on: the socket listens already, the thread serves them."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Finish the requests that are being served."""
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._socket.close()

    async def _serve(self) -> None:
        await self._server.serve(sockets=[self._socket])
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()  # its client did not let go in time; the loop would leave it open
        await asyncio.sleep(0)  # lets them be closed


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wish in dict.fromkeys((port, 0)):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, wish))
        except OSError as error:
            sock.close()
            if wish == 0:
                raise SettingsInvalid(f"cannot listen on {host}: {error.strerror}") from error
        else:
            sock.listen(64)
            return sock
    raise AssertionError("unreachable: port 0 is either bound or refused")
