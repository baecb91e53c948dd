"""The lab's BNG as a stand-in (lab.standin): a Junos personality over SSH, and a control endpoint over HTTP."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.routing import Mount

from lab.credentials import credentials
from lab.hostkeys import host_key, make_known, public_key
from lab.junos import setlines
from lab.junos.database import Database
from lab.junos.history import History
from lab.junos.loading import Load
from lab.junos.operations import Operations
from lab.junos.tree import EMPTY
from lab.netconf.ssh import Sessions, listening
from lab.standin import HOST, Endpoint, Place, control_path, listen
from lab.web import control_app, serve_on

_DAY0 = Path(__file__).with_name("day0.set")


class Junos:
    """BNG-EAST-01. Its folder may hold options.json: {"seconds_per_minute": 1} shortens the minutes of confirmed commits."""

    kind: ClassVar[str] = "junos"

    def __init__(self, place: Place) -> None:
        """Take the place."""
        self._place = place

    def _install(self, database: Database) -> None:
        onto = Load(EMPTY)
        setlines.load(f"set system host-name {self._place.name}\n{_DAY0.read_text()}", onto)
        if onto.errors or onto.warnings:
            raise ValueError(f"day-0: {onto.errors or onto.warnings}")
        database.take(onto.tree, 0)
        database.commit(0, "day-0")

    async def serve(self, ready: Callable[[Endpoint], None], stop: asyncio.Event) -> None:
        """Serve NETCONF and the control endpoint until `stop` is set."""
        place = self._place
        login = credentials(place.lab, place.name).devices[place.name]
        options = place.folder / "options.json"
        history = History(place.folder)
        database = Database(history, login.user, **(json.loads(options.read_text()) if options.exists() else {}))
        if history.is_empty:
            self._install(database)
        sessions = Sessions()
        operations = Operations(database, place.name, sessions.open)

        def picture() -> JsonValue:
            return {**database.picture(), "sessions": list(sessions.open)}

        key = host_key(place.folder)
        ssh, web = listen(place), listen(place, "control")
        port = ssh.getsockname()[1]
        make_known(place.lab, HOST, port, public_key(key))
        control = control_path(place)
        app = Starlette(routes=[Mount(control, control_app(operations.faults, picture))])
        url = f"http://{HOST}:{web.getsockname()[1]}{control}"
        try:
            async with listening(ssh, key, login, operations, sessions), asyncio.TaskGroup() as group:
                group.create_task(serve_on(web, app, stop))
                ready(Endpoint(place.name, self.kind, os.getpid(), HOST, port, None, url))
        finally:
            database.fall_back()
            history.close()
