"""The smallest stand-in: counts and echoes. For the tests of what all stand-ins share."""

import asyncio
from collections.abc import Callable
from typing import ClassVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lab.standin import Endpoint, Place
from lab.web import Site, serve_site


class Echo:
    kind: ClassVar[str] = "echo_standin:Echo"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._seen: list[str] = []

    async def serve(self, ready: Callable[[Endpoint], None], stop: asyncio.Event) -> None:
        app = Starlette(routes=[Route("/echo/{word}", self._echo, methods=["POST"])])
        await serve_site(self._place, self.kind, Site(app, lambda: {"seen": [*self._seen]}), ready, stop)

    async def _echo(self, request: Request) -> Response:
        self._seen.append(request.path_params["word"])
        return JSONResponse({"body": (await request.body()).decode()})


class Broken:
    kind: ClassVar[str] = "echo_standin:Broken"

    def __init__(self, place: Place) -> None:
        raise OSError("no room at the inn")
