"""How an HTTP stand-in ends: no connection stays open. One would warn when it is collected: an error here, in whatever test runs then."""

from __future__ import annotations

import asyncio
import gc
import socket
from contextlib import closing, suppress

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lab.web import serve_on

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LONG = b"x" * 50_000_000
"""More than the sockets' buffers take."""


def come(to: socket.socket) -> socket.socket:
    return socket.create_connection(to.getsockname(), timeout=10)


def test_whoever_comes_in_the_turn_of_the_loop_in_which_it_stops_is_let_go() -> None:
    sock = socket.create_server(("127.0.0.1", 0))

    async def serve() -> socket.socket:
        stop = asyncio.Event()
        serving = asyncio.create_task(serve_on(sock, Starlette(), stop))
        with come(sock) as first:
            first.sendall(REQUEST)
            assert await asyncio.to_thread(first.recv, 12) == b"HTTP/1.1 404"
        client = come(sock)
        asyncio.get_running_loop().call_soon(stop.set)
        await serving
        return client

    with closing(asyncio.run(serve())) as client:
        gc.collect()
        assert client.recv(1) == b""


def test_whoever_does_not_read_its_answer_is_let_go() -> None:
    sock = socket.create_server(("127.0.0.1", 0))

    async def answer(_: Request) -> Response:
        return Response(LONG)

    async def serve() -> socket.socket:
        stop = asyncio.Event()
        serving = asyncio.create_task(serve_on(sock, Starlette(routes=[Route("/", answer)]), stop))
        client = come(sock)
        client.sendall(REQUEST)
        assert await asyncio.to_thread(client.recv, 12) == b"HTTP/1.1 200"
        stop.set()
        await serving
        return client

    with closing(asyncio.run(serve())) as client:
        gc.collect()
        received = 0
        with suppress(ConnectionResetError):
            while data := client.recv(1_000_000):
                received += len(data)
        assert received < len(LONG)
