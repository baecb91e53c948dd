"""Facts of exchanges: which network elements serve them. Read seldom, kept for a while, shared by all orders."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.errors import InventoryIncomplete
from engine.ports import Site as SiteFacts
from inventory.client import Filters, NetBox
from inventory.rows import Brief, Device, Site, natural, parse

ROLES = ("olt", "access-switch", "bng", "dhcp", "radius", "acs")
"""Slugs of the device roles of network elements and servers. ONTs are stock, not elements."""
KEEP = 60.0
"""Seconds for which the facts of a site are believed."""
FIELDS = "id,name,device_type,site,status,role,platform,primary_ip,custom_fields"
"""What is read of an element. Naming the fields also leaves out config_context, which NetBox computes for each device otherwise."""


@dataclass(frozen=True)
class Known:
    """A site with its elements, by role with underscores, in natural order."""

    id: int
    name: str
    elements: Mapping[str, tuple[Device, ...]]

    @property
    def facts(self) -> SiteFacts:
        """What the order layer sees of it."""
        return SiteFacts(self.name, {role: tuple(device.name or "" for device in devices) for role, devices in self.elements.items()})

    @property
    def olts(self) -> Mapping[int, str]:
        """Its OLTs: id -> name."""
        return {device.id: device.name or "" for device in self.elements.get("olt", ())}


class Sites:
    """The exchanges of one NetBox. Safe to use from several threads."""

    def __init__(self, client: NetBox, clock: Callable[[], float] = time.monotonic) -> None:
        """Read with `client`; `clock` gives the age of what is kept."""
        self._client = client
        self._clock = clock
        self._kept: dict[str, tuple[float, Known]] = {}
        self._ids: dict[str, int] = {}
        self._lock = threading.Lock()

    def get(self, name: str, *, afresh: bool = False) -> Known:
        """Return an exchange. Two requests when it is not known, up to three more when elements are central. Raises InventoryIncomplete."""
        with self._lock:
            read_at, known = self._kept.get(name, (0.0, None))
        if known is not None and not afresh and self._clock() - read_at < KEEP:
            return known
        known = self._read(name)
        with self._lock:
            self._kept[name] = (self._clock(), known)
        return known

    def forget(self) -> None:
        """Believe nothing any more."""
        with self._lock:
            self._kept.clear()
            self._ids.clear()

    def id(self, name: str) -> int:
        """Return the id of a site of any kind, for instance a warehouse. Raises InventoryIncomplete."""
        with self._lock:
            known = self._ids.get(name)
        if known is None:
            known = self._site(name).id
        return known

    def _site(self, name: str) -> Site:
        rows = self._client.read("dcim/sites", {"name": name})
        if not rows:
            raise InventoryIncomplete(f"NetBox has no site {name!r}")
        site = parse(Site, rows[0])
        with self._lock:
            self._ids[name] = site.id
        return site

    def _read(self, name: str) -> Known:
        site = self._site(name)
        elements = self._elements({"site_id": site.id, "role": ROLES})
        missing = [role for role in ROLES if role.replace("-", "_") not in elements]
        if missing:
            elements |= self._central(site, missing)
        return Known(site.id, site.name, elements)

    def _elements(self, filters: Filters) -> dict[str, tuple[Device, ...]]:
        rows = [parse(Device, row) for row in self._client.read("dcim/devices", {**filters, "status": "active", "fields": FIELDS})]
        found: dict[str, list[Device]] = {}
        for device in sorted(rows, key=lambda device: natural(device.name or "")):
            if device.role is not None and device.role.slug is not None and device.name:
                found.setdefault(device.role.slug.replace("-", "_"), []).append(device)
        return {role: tuple(devices) for role, devices in found.items()}

    def _central(self, site: Site, roles: list[str]) -> dict[str, tuple[Device, ...]]:
        """Elements that stand elsewhere: at sites without an OLT, those of the same region or else site group before all others."""
        found = self._elements({"role": roles})
        places = {device.site.id for devices in found.values() for device in devices}
        if not places:
            return {}
        exchanges = {device.site.id for device in self._elements({"role": "olt", "site_id": sorted(places)}).get("olt", ())}
        ranks = self._ranks(site, places - exchanges)
        central = {}
        for role, devices in found.items():
            best = min((ranks[device.site.id] for device in devices if device.site.id in ranks), default=None)
            if best is not None:
                central[role] = tuple(device for device in devices if ranks.get(device.site.id) == best)
        return central

    def _ranks(self, site: Site, places: set[int]) -> dict[int, int]:
        """How near each of these sites is: 0 same region, 1 same group, 2 anywhere. One place alone is near, whatever it is."""
        if len(places) < 2:
            return dict.fromkeys(places, 0)
        ranks = {}
        for row in self._client.read("dcim/sites", {"id": sorted(places)}):
            other = parse(Site, row)
            ranks[other.id] = 0 if _same(site.region, other.region) else 1 if _same(site.group, other.group) else 2
        return ranks


def _same(one: Brief | None, other: Brief | None) -> bool:
    return one is not None and other is not None and one.id == other.id
