"""The listener ends whoever is still connected."""

from __future__ import annotations

import gc
import socket

from fastapi import FastAPI, Response

from api.listener import Listener

LONG = b"x" * 50_000_000
"""More than the sockets' buffers take."""


def test_a_client_that_reads_nothing_is_let_go_in_time() -> None:
    """What was left open would be told as a ResourceWarning, here an error."""
    app = FastAPI()
    app.get("/")(lambda: Response(LONG))
    with Listener(app, "127.0.0.1") as listener, socket.create_connection(("127.0.0.1", listener.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"
        listener.__exit__(None, None, None)
        gc.collect()
        client.settimeout(5)
        received = 0
        try:
            while data := client.recv(1_000_000):
                received += len(data)
        except ConnectionResetError:
            pass
        assert received < len(LONG)
