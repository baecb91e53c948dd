"""The lab's OLT and access switch as stand-ins (lab.standin)."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import ClassVar

from lxml import etree
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lab.files import write_atomically
from lab.netconf import day0
from lab.netconf.datastore import Datastore
from lab.netconf.errors import RpcFailed
from lab.netconf.operations import Operations
from lab.netconf.schema import load_schema
from lab.netconf.serving import Device, serve
from lab.netconf.ssh import Sessions
from lab.netconf.state import Ont, OperationalState
from lab.netconf.store import Store
from lab.netconf.yang import Yang
from lab.standin import Endpoint, Place


class _OntAtPort(BaseModel):
    """What POST <control>/onts takes: an ONT is plugged in, or pulled out. `port` is where one shows that nobody expects (CT-3.12)."""

    model_config = ConfigDict(extra="forbid")

    serial: str = Field(pattern=r"^[ -~]{4}[0-9a-fA-F]{8}$")
    present: bool = True
    port: str | None = None


class _LineCard(BaseModel):
    """What POST <control>/line-cards takes: a line card is fitted, and an engineer has configured its ports."""

    model_config = ConfigDict(extra="forbid")

    slot: int = Field(ge=1, le=17)


class Olt:
    """OLT-EAST-07. Its folder may hold options.json, read when it is started for the first time: {"onts": 100} provisions lines."""

    kind: ClassVar[str] = "olt"

    def __init__(self, place: Place) -> None:
        """Take the place."""
        self._place = place
        self._onts: dict[str, Ont] = {}

    def day0(self) -> etree._Element:
        """Return what it holds when it is started for the first time."""
        options = self._place.folder / "options.json"
        return day0.olt(self._place.name, **(json.loads(options.read_text()) if options.exists() else {}))

    async def serve(self, ready: Callable[[Endpoint], None], stop: asyncio.Event) -> None:
        """Serve NETCONF and the control endpoint until `stop` is set."""
        self._load_onts()
        schema = load_schema()
        yang = Yang(schema)
        store = Store(self._place.folder)
        datastore = Datastore(schema, yang, store)
        try:
            if datastore.is_empty:
                datastore.install(self.day0())
            state = OperationalState(schema, datastore.running, self._onts, self._place.clock.now().isoformat())
            sessions = Sessions()

            def picture() -> JsonValue:
                return {**datastore.picture(), "sessions": list(sessions.open), "onts": [asdict(ont) for ont in self._onts.values()]}

            operations = Operations(datastore, schema, yang, state.source, sessions.open)
            device = Device(operations, sessions, picture, self._routes(datastore))
            await serve(self._place, self.kind, device, ready, stop)
        finally:
            datastore.fall_back()  # a device that goes down forgets what was not confirmed
            store.close()

    def _routes(self, datastore: Datastore) -> list[Route]:
        async def fit(request: Request) -> Response:
            try:
                card = _LineCard.model_validate_json(await request.body())
                datastore.add(day0.line_card(self._place.name, card.slot))
            except ValidationError as error:
                return Response(error.json(include_url=False), 400, media_type="application/json")
            except RpcFailed as error:
                return Response(str(error), 409)
            return Response(status_code=204)

        cards = [Route("/line-cards", fit, methods=["POST"])] if self.kind == Olt.kind else []
        return [Route("/onts", self._plug, methods=["POST"]), *cards]

    # --- ONTs

    def _load_onts(self) -> None:
        path = self._place.folder / "onts.json"
        if path.exists():
            self._onts.update({ont["serial"]: Ont(**ont) for ont in json.loads(path.read_text())})

    async def _plug(self, request: Request) -> Response:
        try:
            wish = _OntAtPort.model_validate_json(await request.body())
        except ValidationError as error:
            return Response(error.json(include_url=False), 400, media_type="application/json")
        if wish.present:
            self._onts[wish.serial] = Ont(wish.serial, self._place.clock.now().isoformat(), wish.port)
        else:
            self._onts.pop(wish.serial, None)
        write_atomically(self._place.folder / "onts.json", json.dumps([asdict(ont) for ont in self._onts.values()]))
        return Response(status_code=204)


class Switch(Olt):
    """ASW-EAST-07: the same server with a switch's configuration."""

    kind: ClassVar[str] = "switch"

    def day0(self) -> etree._Element:
        """Return what it holds when it is started for the first time."""
        return day0.switch(self._place.name)
