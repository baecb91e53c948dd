"""The routers that are plugged in: each calls the ACS when it starts, at its interval, and when it is asked to."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from lab.acs import soap
from lab.acs.cpe import Cpe, from_document, to_document
from lab.acs.devices import Identity, Parameter, timestamp
from lab.clock import LabClock
from lab.credentials import Login
from lab.documents import Documents

_RETRIES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Real seconds between attempts to reach the ACS; the last one for ever (TR-069, 3.2.1.1, is slower)."""

_CALM = 4.0
"""Real seconds between two periodic Informs at least. While a parcel is on the road a lab day passes in seconds, or in none where
nobody wants to wait for parcels: the routers would do nothing but call, and the ACS nothing but answer."""

_log = logging.getLogger(__name__)


@dataclass
class _Plugged:
    """A router that lives: its memory, its task, and who waits for its next session."""

    cpe: Cpe
    state: dict[str, Any]
    task: "asyncio.Task[None] | None" = None
    called: asyncio.Event = field(default_factory=asyncio.Event)
    done: "list[asyncio.Future[None]]" = field(default_factory=list)


class Routers:
    """All routers that were ever plugged in, by serial number. Their memory is on disk: they go on after a restart."""

    def __init__(self, documents: Documents, clock: LabClock, login: Login) -> None:
        """Let them call the ACS with this login."""
        self._documents = documents
        self._clock = clock
        self._url = ""
        self._login = login
        self._plugged: dict[str, _Plugged] = {}

    def start(self, url: str) -> None:
        """Bring back to life what was plugged in; the ACS is at `url`."""
        self._url = url
        for serial, document in self._documents.all("router"):
            if document["plugged"]:
                self._begin(serial, document)

    async def stop(self) -> None:
        """End all of them; they stay plugged in."""
        tasks = [router.task for router in self._plugged.values() if router.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def plug_in(self, identity: Identity, settings: dict[str, Parameter], *, fresh: bool = False) -> bool:
        """Plug a router in: it boots and calls the ACS. False when it is plugged in already.

        `settings` are those with which it left the box: one that was plugged in before has its own, unless it is `fresh` again.
        """
        if identity.serial in self._plugged:
            return False
        old = None if fresh else self._documents.get("router", identity.serial)
        document = old or {**to_document(Cpe(identity, settings)), "bootstrapped": False}
        self._begin(identity.serial, {**document, "plugged": True, "next_inform": None})
        return True

    def unplug(self, serial: str) -> bool:
        """Pull a router's plug; it keeps its memory. False when it is not plugged in."""
        router = self._plugged.pop(serial, None)
        if router is None:
            return False
        if router.task:
            router.task.cancel()
        router.state["plugged"] = False
        self._save(serial, router)
        return True

    async def call(self, device_id: str, patience: float) -> bool:
        """Have a router call the ACS (a connection request); False when it does not within `patience` real seconds."""
        for router in self._plugged.values():
            if router.cpe.identity.device_id == device_id:
                done = asyncio.get_running_loop().create_future()
                router.done.append(done)
                router.called.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(done, patience)
                return done.done() and not done.cancelled()
        return False

    def state(self) -> dict[str, Any]:
        """Return every router's memory by serial number."""
        return dict(self._documents.all("router"))

    def _begin(self, serial: str, document: dict[str, Any]) -> None:
        state = {name: document[name] for name in ("plugged", "bootstrapped", "next_inform")}
        router = self._plugged[serial] = _Plugged(from_document(document), state)
        self._save(serial, router)
        router.task = asyncio.create_task(self._live(serial, router), name=f"router {serial}")

    def _save(self, serial: str, router: _Plugged) -> None:
        self._documents.put("router", serial, {**to_document(router.cpe), **router.state})

    async def _live(self, serial: str, router: _Plugged) -> None:
        events: Collection[str] = ["1 BOOT"] if router.state["bootstrapped"] else ["0 BOOTSTRAP", "1 BOOT"]
        if router.state["next_inform"] is not None:
            events = await self._until_due(router)
        while True:
            await self._session(router, events)
            router.state["bootstrapped"] = True
            if router.cpe.upgrade():
                events = ["1 BOOT", "4 VALUE CHANGE"]
                self._save(serial, router)
                continue
            due = self._clock.now() + timedelta(seconds=router.cpe.periodic_interval)
            router.state["next_inform"] = due.isoformat()
            self._save(serial, router)
            for done in router.done:
                if not done.done():
                    done.set_result(None)
            router.done.clear()
            events = await self._until_due(router)

    async def _session(self, router: _Plugged, events: Collection[str]) -> None:
        """Call the ACS until it answers."""
        for attempt in itertools.count():
            try:
                await router.cpe.session(self._url, self._login, events, timestamp(self._clock.now()))
            except (httpx.HTTPError, soap.BadMessage) as error:
                _log.warning("router %s does not get through: %r", router.cpe.identity.serial, error)
                await asyncio.sleep(_RETRIES[min(attempt, len(_RETRIES) - 1)])
            else:
                return

    async def _until_due(self, router: _Plugged) -> list[str]:
        """Wait for the next Inform and return why it is due."""
        due = asyncio.create_task(self._periodic(datetime.fromisoformat(router.state["next_inform"])))
        called = asyncio.create_task(router.called.wait())
        try:
            await asyncio.wait((due, called), return_when=asyncio.FIRST_COMPLETED)
            if not router.called.is_set():
                return ["2 PERIODIC"]
            router.called.clear()
            return ["6 CONNECTION REQUEST"]
        finally:
            due.cancel()
            called.cancel()

    async def _periodic(self, due: datetime) -> None:
        await asyncio.gather(asyncio.sleep(_CALM), self._clock.sleep_until(due))
