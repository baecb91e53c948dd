"""The stand-in for NetBox: its place, its options, its answers to faults, and what it shows on the control endpoint.

Options are read from `options.json` in its folder: `{"version": "4.6", "integrity_error_every": 5}`. Which version it plays is part of the
file name of its database: the other version starts empty.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import JSONResponse, Response

from lab.credentials import credentials
from lab.fault_injection import Answers, Call, plain_exhaustion
from lab.faults import Fault
from lab.netbox import auth
from lab.netbox.available import NO_ROOM, not_enough
from lab.netbox.errors import server_error
from lab.netbox.openapi import VERSIONS, OpenApi
from lab.netbox.server import Server
from lab.netbox.store import Store
from lab.netbox.tables import Registry
from lab.netbox.unique import Races
from lab.standin import Endpoint, Place
from lab.web import Site, serve_site


class Options(BaseModel):
    """What `options.json` may say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal["4.6", "4.4"] = "4.6"
    """Which NetBox is played: 4.6.8 or 4.4.10."""
    integrity_error_every: Annotated[int, Field(ge=1)] = 5
    """Of the losers of races for a unique value every so many are answered 500 with IntegrityError, the others 400."""


class NetBox:
    """NetBox' REST API, with the state in one SQLite file."""

    kind: ClassVar[str] = "netbox"

    def __init__(self, place: Place) -> None:
        """Take the place; nothing is opened yet."""
        self._place = place

    async def serve(self, ready: Callable[[Endpoint], None], stop: asyncio.Event) -> None:
        """Serve until `stop` is set."""
        options = read_options(self._place)
        registry = Registry(OpenApi(options.version))
        store = Store(self._place.folder / f"netbox-{options.version}.sqlite", registry)
        try:
            server = Server(registry, store, Races(options.integrity_error_every))
            registry.api.forget_source()
            known = credentials(self._place.lab)
            for token in (known.netbox_token, known.netbox_token_v2):
                auth.admit(server.session(), token)
            site = Site(server, lambda: state(registry, store), answers=Answers(_refused(options.version), exhausted))
            await serve_site(self._place, self.kind, site, ready, stop)
        finally:
            store.close()


def read_options(place: Place) -> Options:
    """Return the options of a place, the defaults where it has none. Raises pydantic.ValidationError."""
    path = place.folder / "options.json"
    return Options.model_validate_json(path.read_text()) if path.exists() else Options()


def state(registry: Registry, store: Store) -> JsonValue:
    """Return all objects but tokens and the change log: `{"dcim.device": [{"id": 1, "name": ...}, ...], ...}`, references as ids."""
    hidden = {"users.token", "core.objectchange"}
    whole = {
        resource.label: [{name: value for name, value in row.items() if not name.startswith("_")} for row in store.rows(resource)]
        for resource in registry
        if resource.label not in hidden
    }
    shown: JsonValue = json.loads(json.dumps(whole))
    return shown


def exhausted(fault: Fault, call: Call) -> Response:
    """Answer as NetBox does when nothing is left: an empty list, or the 409 of a pool. What is neither has no such answer (507)."""
    pool = call.path.rstrip("/").rpartition("/")[2]
    if call.method == "GET":
        empty_page: dict[str, JsonValue] = {"count": 0, "next": None, "previous": None, "results": []}
        return JSONResponse([] if pool.startswith("available-") else empty_page)
    if not pool.startswith("available-"):
        return plain_exhaustion(fault, call)
    asked = json.loads(call.body or b"{}")
    count = len(asked) if isinstance(asked, list) else 1
    detail = NO_ROOM if pool == "available-prefixes" else not_enough(pool, "the pool", count, 0)
    return JSONResponse(dict(fault.error or {"detail": detail}), fault.status or 409)


def _refused(version: str) -> Callable[[Fault, Call], Response]:
    def refused(fault: Fault, _call: Call) -> Response:
        """Answer as NetBox does when something breaks within it."""
        body = server_error("OperationalError", "refused on demand", version, VERSIONS[version])
        return JSONResponse(dict(fault.error or body), fault.status or 500)

    return refused
