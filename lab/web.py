"""How the HTTP stand-ins serve: uvicorn in the stand-in's own event loop, faults before the application, the control endpoint beside it.

The SSH devices use `control_app` and `serve_on` for their control port.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import uvicorn
from pydantic import JsonValue, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from lab.fault_injection import Answers, FaultInjection, OperationNames, method_and_path
from lab.faults import Fault, Faults
from lab.standin import HOST, Endpoint, Place, accept_no_more, control_path, listen

Handler = Callable[[Request], Awaitable[Response]]


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers (the process has its own) and without its ten wake-ups a second."""

    def __init__(self, config: uvicorn.Config, stop: asyncio.Event) -> None:
        super().__init__(config)
        self._stop = stop

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for sock in sockets or ():
            await accept_no_more(sock)
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):  # its request hung, and was cancelled
            connection.transport.abort()
        await asyncio.sleep(0)  # lets them be closed


async def serve_on(sock: socket.socket, app: ASGIApp, stop: asyncio.Event) -> None:
    """Serve `app` on a listening socket until `stop` is set; requests that still hang then are cancelled after a second, and cut off."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        date_header=False,  # kept up to date by the wake-ups that we do without
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    await _Server(config, stop).serve([sock])


def control_app(faults: Faults, state: Callable[[], JsonValue], routes: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the control endpoint: /faults, /kill, /state, and what the stand-in adds in `routes`.

    GET /faults lists what waits, POST /faults adds (`lab.faults.Fault`), DELETE /faults or /faults/{number} forgets.
    POST /kill ends the process at once, as `kill -9` does: the caller sees its connection die. GET /state shows all that it holds.
    """

    async def show_faults(_: Request) -> Response:
        return JSONResponse([{"number": number, **fault.model_dump(mode="json")} for number, fault in faults])

    async def add_fault(request: Request) -> Response:
        try:
            return JSONResponse({"number": faults.add(Fault.model_validate_json(await request.body()))}, 201)
        except ValidationError as error:
            return Response(error.json(include_url=False), 400, media_type="application/json")
        except ValueError as error:  # a fault that this stand-in cannot show
            return JSONResponse({"error": str(error)}, 400)

    async def clear_faults(_: Request) -> Response:
        faults.clear()
        return Response(status_code=204)

    async def remove_fault(request: Request) -> Response:
        return Response(status_code=204 if faults.remove(request.path_params["number"]) else 404)

    async def kill(_: Request) -> Response:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")

    async def show_state(_: Request) -> Response:
        return JSONResponse(state())

    return Starlette(
        routes=[
            Route("/faults", show_faults, methods=["GET"]),
            Route("/faults", add_fault, methods=["POST"]),
            Route("/faults", clear_faults, methods=["DELETE"]),
            Route("/faults/{number:int}", remove_fault, methods=["DELETE"]),
            Route("/kill", kill, methods=["POST"]),
            Route("/state", show_state, methods=["GET"]),
            *routes,
        ]
    )


def under_control(path: str, control: ASGIApp, app: ASGIApp | None = None) -> ASGIApp:
    """Return an application that has the control endpoint under `path`, and `app` everywhere else."""
    return Starlette(routes=[Mount(path, control), *([Mount("", app)] if app else [])])


@dataclass(frozen=True)
class Site:
    """What an HTTP stand-in consists of."""

    app: ASGIApp
    state: Callable[[], JsonValue]
    """All that it holds, for tests and the independent check of an order's outcome."""
    faults: Faults = field(default_factory=Faults)
    answers: Answers = field(default_factory=Answers)
    """How this system says no."""
    operations: OperationNames = method_and_path
    """The names that a fault's `on` is matched with."""
    control: Sequence[BaseRoute] = ()
    """Routes of its own on the control endpoint."""

    def guarded(self) -> ASGIApp:
        """Return the application with the faults before it."""
        return FaultInjection(self.app, self.faults, self.answers, self.operations)


async def serve_site(
    place: Place,
    kind: str,
    site: Site,
    ready: Callable[[Endpoint], None],
    stop: asyncio.Event,
    *,
    path: str = "",
    urls: Mapping[str, str] | None = None,
) -> None:
    """Serve a stand-in that has one port: its application, and the control endpoint under a path of its own.

    `path` is appended to the announced URL; `urls` are further addresses to announce.
    """
    sock = listen(place)
    port = sock.getsockname()[1]
    base = f"http://{HOST}:{port}"
    control = control_path(place)
    app = under_control(control, control_app(site.faults, site.state, site.control), site.guarded())
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_on(sock, app, stop))
        ready(Endpoint(place.name, kind, os.getpid(), HOST, port, base + path, base + control, dict(urls or {})))
