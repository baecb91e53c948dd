"""The lab's BNG as a stand-in (lab.standin)."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from pydantic import JsonValue

from lab.credentials import credentials
from lab.junos import setlines
from lab.junos.database import Database
from lab.junos.history import History
from lab.junos.loading import Load
from lab.junos.operations import Operations
from lab.junos.tree import EMPTY
from lab.netconf.serving import Device, serve
from lab.netconf.ssh import Sessions
from lab.standin import Endpoint, Place

_DAY0 = Path(__file__).with_name("day0.set")


class Junos:
    """BNG-EAST-01. Its folder may hold options.json: {"seconds_per_minute": 1} shortens the minutes of confirmed commits."""

    kind: ClassVar[str] = "junos"

    def __init__(self, place: Place) -> None:
        """Take the place."""
        self._place = place

    async def serve(self, ready: Callable[[Endpoint], None], stop: asyncio.Event) -> None:
        """Serve NETCONF and the control endpoint until `stop` is set."""
        place = self._place
        options = place.folder / "options.json"
        user = credentials(place.lab, place.name).devices[place.name].user
        history = History(place.folder)
        database = Database(history, user, **(json.loads(options.read_text()) if options.exists() else {}))
        try:
            if history.is_empty:
                install_day0(database, place.name)
            sessions = Sessions()

            def picture() -> JsonValue:
                return {**database.picture(), "sessions": list(sessions.open)}

            device = Device(Operations(database, place.name, sessions.open), sessions, picture)
            await serve(place, self.kind, device, ready, stop)
        finally:
            database.fall_back()  # a device that goes down forgets what was not confirmed
            history.close()


def install_day0(database: Database, name: str) -> None:
    """Commit what the router `name` holds before the first order."""
    onto = Load(EMPTY)
    setlines.load(f"set system host-name {name}\n{_DAY0.read_text()}", onto)
    if onto.errors or onto.warnings:
        raise ValueError(f"day-0: {onto.errors or onto.warnings}")
    database.take(onto.tree, 0)
    database.commit(0, "day-0")
