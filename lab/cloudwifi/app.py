"""The stand-in for the cloud WiFi platform: /api/v1/inventory."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lab.auth import has_key
from lab.cloudwifi.errors import Wrong, bad_request, forbidden, not_found
from lab.cloudwifi.inventory import Inventory, Refused
from lab.credentials import credentials
from lab.documents import Documents
from lab.standin import Endpoint, Place
from lab.web import Site, serve_site


class CloudWifi:
    """Registers routers by MAC. `Endpoint.url` ends in /api/v1. GET <control>/state: {"inventory": [tag, ...]}."""

    kind: ClassVar[str] = "cloudwifi"

    def __init__(self, place: Place) -> None:
        """Open the state in the folder."""
        self._place = place
        self._key = credentials(place.lab).cloudwifi_api_key
        self._clock = place.clock
        self._inventory = Inventory(Documents(place.folder / "cloudwifi.db"))

    async def serve(self, ready: Callable[[Endpoint], None], stop: asyncio.Event) -> None:
        """Serve until told to stop."""
        one = "/api/v1/inventory/{serial}"
        routes = [
            Route("/api/v1/inventory", self._guarded(self._list), methods=["GET"]),
            Route(one, self._guarded(self._get), methods=["GET"]),
            Route(one, self._guarded(self._register), methods=["POST"]),
            Route(one, self._guarded(self._change), methods=["PUT"]),
            Route(one, self._guarded(self._delete), methods=["DELETE"]),
        ]
        site = Site(Starlette(routes=routes), lambda: {"inventory": list(self._inventory.all())})
        await serve_site(self._place, self.kind, site, ready, stop, path="/api/v1")

    def _guarded(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Ask for the key first, and tell what the inventory refuses."""

        async def guarded(request: Request) -> Response:
            if not has_key(request, "x-api-key", self._key):
                return forbidden(request.method)
            try:
                return await handler(request)
            except Refused as refused:
                return bad_request(request.method, refused.wrong)

        return guarded

    async def _list(self, _: Request) -> Response:
        return JSONResponse({"taglist": self._inventory.all()})

    async def _get(self, request: Request) -> Response:
        tag = self._inventory.get(request.path_params["serial"])
        return JSONResponse(tag) if tag else not_found(request.method)

    async def _register(self, request: Request) -> Response:
        return JSONResponse(self._inventory.register(request.path_params["serial"], await _tag(request), self._clock.now()))

    async def _change(self, request: Request) -> Response:
        tag = self._inventory.change(request.path_params["serial"], await _tag(request), self._clock.now())
        return JSONResponse(tag) if tag else not_found(request.method)

    async def _delete(self, request: Request) -> Response:
        if not self._inventory.delete(request.path_params["serial"]):
            return not_found(request.method)
        return JSONResponse({"Operation": "DELETE", "Code": 0, "Details": "Command completed."})


async def _tag(request: Request) -> dict[str, Any]:
    try:
        given = json.loads(await request.body())
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Refused(Wrong.JSON)
    return given
