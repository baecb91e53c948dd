"""What the SSH devices of the lab have in common as stand-ins: login, host key, NETCONF port, control endpoint."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from lab.credentials import credentials
from lab.hostkeys import host_key, make_known, public_key
from lab.netconf.session import Personality
from lab.netconf.ssh import Sessions, listening
from lab.standin import HOST, Endpoint, Place, control_path, listen
from lab.web import control_app, serve_on


@dataclass(frozen=True)
class Device:
    """A server that is ready to take sessions."""

    personality: Personality
    sessions: Sessions
    state: Callable[[], JsonValue]
    """All that it holds, for tests and the independent check of an order's outcome."""
    control: Sequence[BaseRoute] = field(default_factory=tuple)
    """Routes of its own on the control endpoint."""


async def serve(place: Place, kind: str, device: Device, ready: Callable[[Endpoint], None], stop: asyncio.Event) -> None:
    """Serve NETCONF on one port and the control endpoint on another until `stop` is set. Then no session is left."""
    login = credentials(place.lab, place.name).devices[place.name]
    key = host_key(place.folder)
    ssh, web = listen(place), listen(place, "control")
    port = ssh.getsockname()[1]
    make_known(place.lab, HOST, port, public_key(key))
    control = control_path(place)
    app = Starlette(routes=[Mount(control, control_app(device.personality.faults, device.state, device.control))])
    url = f"http://{HOST}:{web.getsockname()[1]}{control}"
    async with listening(ssh, key, login, device.personality, device.sessions), asyncio.TaskGroup() as group:
        group.create_task(serve_on(web, app, stop))
        ready(Endpoint(place.name, kind, os.getpid(), HOST, port, None, url))
