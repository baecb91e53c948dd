"""NetBox as the lab plays it, without a process or a socket: for tests in which the order of events must be certain."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from lab.netbox import auth
from lab.netbox.openapi import OpenApi
from lab.netbox.server import Server
from lab.netbox.store import Store
from lab.netbox.tables import Registry
from lab.netbox.unique import Races

TOKEN = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class NetBoxInProcess:
    """A server in memory."""

    server: Server
    store: Store
    registry: Registry

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Ask once."""
        return self.ask_together([(method, path, body)])[0]

    def ask_together(self, requests: Sequence[tuple[str, str, Any]]) -> list[httpx.Response]:
        """Ask all at once: every request has arrived before the first is done."""

        async def run() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.server)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://netbox", headers={"Authorization": f"Token {TOKEN}"}
            ) as client:
                calls: list[Awaitable[httpx.Response]] = [
                    client.request(method, f"/api/{path}", json=body) for method, path, body in requests
                ]
                return list(await asyncio.gather(*calls))

        return asyncio.run(run())

    def make(self, path: str, **body: Any) -> dict[str, Any]:
        """Create one object."""
        answer = self.ask("POST", path, body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def device(self, name: str) -> dict[str, Any]:
        """Return a device and what it needs."""
        named = {"name": name, "slug": name.lower()}
        maker = self.make("dcim/manufacturers/", **named)
        kind = self.make("dcim/device-types/", manufacturer=maker["id"], model=name, slug=name.lower())
        role, site = self.make("dcim/device-roles/", **named), self.make("dcim/sites/", **named)
        return self.make("dcim/devices/", name=name, device_type=kind["id"], role=role["id"], site=site["id"])


@contextmanager
def netbox_in_process(version: str = "4.6", path: str = ":memory:", **options: int) -> Iterator[NetBoxInProcess]:
    """Serve a NetBox for the length of the block."""
    registry = Registry(OpenApi(version))
    store = Store(path, registry)
    try:
        server = Server(registry, store, Races(**options))
        auth.admit(server.session(), TOKEN)
        yield NetBoxInProcess(server, store, registry)
    finally:
        store.close()
