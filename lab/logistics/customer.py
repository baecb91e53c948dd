"""The customer, who opens the parcel and plugs the router in: its ONT shows at the OLT, its TR-069 client calls the ACS. And who pulls
it out again to send it back."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from lab.logistics.model import ShipmentItem
from lab.registry import EMBEDDED, endpoints
from lab.standin import Endpoint

_SETTINGS = {"ssid": "ssid", "security": "security", "passphrase": "wifiPassword"}
"""What the warehouse sets up, and the product characteristic that says it."""


@dataclass(frozen=True)
class Label:
    """What is printed on a router."""

    serial: str
    pon_serial: str
    mac: str
    product_class: str
    settings: Mapping[str, str]
    """What the warehouse set up before it left: ssid, security, passphrase."""


def label_of(item: ShipmentItem) -> Label:
    """Return the label of a router: what the order says of it (`ponSerial`, `macAddress`), else what the vendor prints.

    This vendor numbers all three alike: HWT2340098 has the PON serial HWTC02340098 and the MAC 48:57:54:34:00:98.
    """
    product = item.product
    serial = product.productSerialNumber
    number = int(re.sub(r"\D", "", serial)[-8:] or 0)
    tail = f"{number:06}"[-6:]
    return Label(
        serial=serial,
        pon_serial=product.characteristic("ponSerial") or f"HWTC{number:08}",
        mac=product.characteristic("macAddress") or f"48:57:54:{tail[:2]}:{tail[2:4]}:{tail[4:]}",
        product_class=item.sku or "HG8245H",
        settings={name: value for name, given in _SETTINGS.items() if (value := product.characteristic(given))},
    )


class Customer:
    """Finds OLTs and the ACS by the lab's endpoint files."""

    def __init__(self, lab: Path, client: httpx.AsyncClient) -> None:
        """Look in the lab's folder."""
        self._lab = lab
        self._client = client

    async def plug_in(self, label: Label) -> bool:
        """Plug a router in; False when nobody is there to notice: to be tried again. Doing it twice changes nothing.

        The ONT is shown to every OLT: the one that expects it lets it range. The router is as the warehouse packed it: of the customer
        who had it before it remembers nothing.
        """
        olts, servers = self._there("olt"), self._there("acs")
        if not servers or (not olts and self._has("olt")):
            return False
        await self._show(olts, label, present=True)
        router = {"serial": label.serial, "mac": label.mac, "productClass": label.product_class, "settings": dict(label.settings)}
        for server in servers:
            await self._post(server, "/plug-in", {**router, "fresh": True})
        return True

    async def pull_out(self, label: Label) -> bool:
        """Pull a router out; False when one is down that would notice: to be tried again. Doing it twice changes nothing."""
        olts, servers = self._there("olt"), self._there("acs")
        if any(not there and self._has(kind) for kind, there in (("olt", olts), ("acs", servers))):
            return False
        await self._show(olts, label, present=False)
        for server in servers:
            await self._post(server, "/unplug", {"serial": label.serial}, expected={404})
        return True

    def _there(self, kind: str) -> list[Endpoint]:
        return [endpoint for endpoint in endpoints(self._lab).values() if endpoint.kind == kind]

    async def _show(self, olts: Sequence[Endpoint], label: Label, *, present: bool) -> None:
        for olt in olts:
            await self._post(olt, "/onts", {"serial": label.pon_serial, "present": present})

    def _has(self, kind: str) -> bool:
        """Whether the lab ever had a stand-in of this kind, be it down at the moment."""
        return any((self._lab / listing.name).exists() for listing in EMBEDDED if listing.kind == kind)

    async def _post(self, endpoint: Endpoint, path: str, body: dict[str, Any], expected: Collection[int] = ()) -> None:
        answer = await self._client.post(endpoint.control + path, json=body)
        if answer.status_code not in expected:
            answer.raise_for_status()
