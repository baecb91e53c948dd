"""The stand-in for the ACS: northbound interface on one port, CWMP on another, and the routers that are plugged in."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from lab.acs import soap
from lab.acs.cpe import factory_settings
from lab.acs.devices import Devices, Identity
from lab.acs.northbound import Northbound
from lab.acs.presets import Presets
from lab.acs.routers import Routers
from lab.acs.sessions import Sessions
from lab.auth import is_logged_in
from lab.credentials import credentials
from lab.documents import Documents
from lab.fault_injection import Call, FaultInjection
from lab.faults import Faults
from lab.standin import HOST, Endpoint, Place, control_path, listen
from lab.web import control_app, serve_on, under_control


class _Settings(BaseModel):
    """What the warehouse set up."""

    model_config = ConfigDict(extra="forbid")

    ssid: str = ""
    security: str = "WPA2"
    passphrase: str = ""


class _Plug(BaseModel):
    """What POST <control>/plug-in takes: the router as its label says, and as it left the warehouse."""

    model_config = ConfigDict(extra="forbid")

    serial: str
    mac: str
    oui: str = "00259E"
    productClass: str = "HG8245H"  # noqa: N815 as CWMP and GenieACS write it
    manufacturer: str = "Huawei"
    settings: _Settings = _Settings()
    fresh: bool = False
    """It comes from the warehouse: what it was told at a former customer's is gone."""


class Acs:
    """`Endpoint.url` is the northbound interface, `Endpoint.urls["cwmp"]` what routers call.

    A fault's `on` is "PUT /presets/*" and so on, or for CWMP "cwmp Inform", "cwmp SetParameterValuesResponse", "cwmp" (an empty request).
    POST <control>/plug-in {"serial", "mac", "oui"?, "productClass"?, "manufacturer"?, "settings"?: {"ssid", "security", "passphrase"},
    "fresh"?} starts a router, POST <control>/unplug {"serial"} stops it.
    GET <control>/state: {"devices", "presets", "provisions", "files", "tasks", "faults": [...], "routers": {serial: memory}}.
    """

    kind: ClassVar[str] = "acs"

    def __init__(self, place: Place) -> None:
        """Open the state in the folder."""
        self._place = place
        known = credentials(place.lab)
        self._login = known.cwmp
        self._clock = place.clock
        self._documents = Documents(place.folder / "acs.db")
        self._devices = Devices(self._documents)
        presets = Presets(self._documents)
        self._sessions = Sessions(self._documents, self._devices, presets, self._clock.now)
        self._routers = Routers(self._documents, self._clock, known.cwmp)
        self._northbound = Northbound(self._documents, self._devices, presets, self._sessions, self._routers, self._clock, known.acs)
        self._faults = Faults()

    async def serve(self, ready: Callable[[Endpoint], None], stop: asyncio.Event) -> None:
        """Serve both ports and let the routers live."""
        nbi, cwmp = listen(self._place), listen(self._place, "cwmp")
        port = nbi.getsockname()[1]
        url, cwmp_url = (f"http://{HOST}:{sock.getsockname()[1]}" for sock in (nbi, cwmp))
        path = control_path(self._place)
        routes = [Route("/plug-in", self._plug_in, methods=["POST"]), Route("/unplug", self._unplug, methods=["POST"])]
        app = under_control(path, control_app(self._faults, self._state, routes), FaultInjection(self._northbound.app(), self._faults))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(serve_on(nbi, app, stop))
                group.create_task(serve_on(cwmp, self._cwmp(), stop))
                self._routers.start(f"{cwmp_url}/")
                ready(Endpoint(self._place.name, self.kind, os.getpid(), HOST, port, url, url + path, {"cwmp": f"{cwmp_url}/"}))
                await stop.wait()
                await self._routers.stop()  # before the servers, which wait for who is in session
        finally:
            await self._routers.stop()

    def _cwmp(self) -> ASGIApp:
        app = Starlette(routes=[Route("/{path:path}", self._message, methods=["POST"])])
        return FaultInjection(app, self._faults, operations=_rpc)

    async def _message(self, request: Request) -> Response:
        if not is_logged_in(request, self._login):
            return PlainTextResponse("Unauthorized", 401, {"WWW-Authenticate": 'Basic realm="GenieACS"'})
        body = await request.body()
        try:
            message = soap.parse(body) if body.strip() else None
        except soap.BadMessage as error:
            return PlainTextResponse(f"Invalid SOAP: {error}", 400)
        if message is not None and message.name == "Inform":
            cookie, answer = self._sessions.inform(message)
            response = _xml(answer)
            response.set_cookie("session", cookie, httponly=True)
            return response
        try:
            rpc = self._sessions.go_on(request.cookies.get("session", ""), message)
        except KeyError:
            return PlainTextResponse("Invalid session", 400)
        return Response(status_code=204) if rpc is None else _xml(rpc)

    async def _plug_in(self, request: Request) -> Response:
        try:
            plug = _Plug.model_validate_json(await request.body())
        except ValidationError as error:
            return Response(error.json(include_url=False), 400, media_type="application/json")
        identity = Identity(plug.manufacturer, plug.oui, plug.productClass, plug.serial)
        self._routers.plug_in(identity, factory_settings(identity, plug.mac, **plug.settings.model_dump()), fresh=plug.fresh)
        return Response(status_code=204)

    async def _unplug(self, request: Request) -> Response:
        return Response(status_code=204 if self._routers.unplug((await request.json())["serial"]) else 404)

    def _state(self) -> dict[str, Any]:
        names = ("preset", "provision", "file", "task", "fault")
        held = {f"{name}s": [document for _, document in self._documents.all(name)] for name in names}
        return {"devices": list(self._devices), **held, "routers": self._routers.state()}


def _rpc(call: Call) -> Sequence[str]:
    if not call.body.strip():
        return ("cwmp",)
    try:
        return (f"cwmp {soap.parse(call.body).name}",)
    except soap.BadMessage:
        return ()


def _xml(content: bytes) -> Response:
    return Response(content, media_type='text/xml; charset="utf-8"')
