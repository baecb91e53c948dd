"""The stand-in for Kea: two servers on two HTTP control sockets, as Kea 3.0 has them (no control agent)."""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from lab.auth import is_logged_in
from lab.credentials import credentials
from lab.fault_injection import Answers, Call, FaultInjection
from lab.faults import Fault, Faults
from lab.kea.commands import REFUSED, Daemon, answer
from lab.kea.configuration import V4, V6, Family
from lab.standin import HOST, Endpoint, Place, control_path, listen
from lab.web import control_app, serve_on, under_control


class Kea:
    """DHCPv4 and DHCPv6 in one process; `Endpoint.urls` has the control socket of each by service (`dhcp4`, `dhcp6`).

    A fault's `on` is a command ("reservation-add"), a command of one service ("dhcp6 reservation-add"), or "POST /". A refusal is
    result 1 with the text `error.text`, or an HTTP error when the fault has a `status`. Kea's memory has no "full" of its own:
    exhaustion is a result 1 too. The control endpoint also takes leases, which no client asks for here: POST <control>/leases
    {"service": "dhcp4", "lease": {"ip-address": ...}}.
    """

    kind: ClassVar[str] = "kea"

    def __init__(self, place: Place) -> None:
        """Read the servers' configuration files."""
        self._place = place
        self._login = credentials(place.lab).kea
        self._daemons = {family.service: Daemon(family, place.folder, place.profile) for family in (V4, V6)}
        self._faults = Faults()

    async def serve(self, ready: Callable[[Endpoint], None], stop: asyncio.Event) -> None:
        """Serve both control sockets; the control endpoint of the stand-in is beside DHCPv4's."""
        socks = {V4: listen(self._place), V6: listen(self._place, V6.service)}
        urls = {family.service: f"http://{HOST}:{sock.getsockname()[1]}/" for family, sock in socks.items()}
        path = control_path(self._place)
        control = control_app(self._faults, self._state, [Route("/leases", self._add_lease, methods=["POST"])])
        apps: dict[Family, ASGIApp] = {V4: under_control(path, control, self._guarded(V4)), V6: self._guarded(V6)}
        async with asyncio.TaskGroup() as group:
            for family, sock in socks.items():
                group.create_task(serve_on(sock, apps[family], stop))
            port = socks[V4].getsockname()[1]
            base = f"http://{HOST}:{port}{path}"
            ready(Endpoint(self._place.name, self.kind, os.getpid(), HOST, port, urls[V4.service], base, urls))

    def _guarded(self, family: Family) -> FaultInjection:
        daemon = self._daemons[family.service]

        async def command(request: Request) -> Response:
            if not is_logged_in(request, self._login):
                return JSONResponse({"result": 401, "text": "Unauthorized"}, 401, {"WWW-Authenticate": 'Basic realm="kea"'})
            given = _command(await request.body())
            if given is None:
                return JSONResponse({"result": 400, "text": "Bad Request"}, 400)
            return JSONResponse([daemon.do(given["command"], given.get("arguments", {}))])

        def names(call: Call) -> Sequence[str]:
            given = _command(call.body)
            own = (given["command"], f"{family.service} {given['command']}") if given else ()
            return (f"{call.method} {call.path}", *own)

        app = Starlette(routes=[Route("/{path:path}", command, methods=["POST"])])
        return FaultInjection(app, self._faults, Answers(_refused, _refused), names)

    def _state(self) -> dict[str, Any]:
        """What both servers hold, by service: {"reservations": [...], "leases": [...]}."""
        return {name: {"reservations": list(daemon.hosts), "leases": daemon.leases} for name, daemon in self._daemons.items()}

    async def _add_lease(self, request: Request) -> Response:
        given = await request.json()
        self._daemons[given["service"]].leases.append(given["lease"])
        return Response(status_code=201)


def _command(body: bytes) -> dict[str, Any] | None:
    """Return the command of a request, None when it is none. `service` is for the control agent of old and ignored."""
    try:
        given = json.loads(body)
    except ValueError:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("command"), str) or not isinstance(given.get("arguments", {}), dict):
        return None
    return given


def _refused(fault: Fault, _: Call) -> Response:
    error = dict(fault.error or {"text": "refused on demand"})
    if fault.status is not None:
        return JSONResponse({"result": fault.status, **error}, fault.status)
    return JSONResponse([{**answer(REFUSED, ""), **error}])
