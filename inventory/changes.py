"""What others have changed in NetBox that may give who waits for a pool what is wanted, from NetBox's own change log.

The log is read on from an id (a webhook is lost when nobody listens at that moment). What we have changed ourselves is passed over: who
releases something says so. A change says that it is worth asking, not that there is something.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from engine.errors import InventoryIncomplete
from inventory.client import PAGE, NetBox
from inventory.fields import CLAIM, OURS, JsonObject
from inventory.ports import PON_TYPES
from inventory.rows import Change, parse
from inventory.sites import Sites

PATH = "core/object-changes"
FIELDS = "id,changed_object_type,action,message,prechange_data,postchange_data"
Pools = dict[str, set[str]]
"""Names of pools, by kind."""


class Changes:
    """Reads the change log."""

    def __init__(self, client: NetBox, sites: Sites) -> None:
        """Read with `client`; `sites` tell which exchange a device belongs to."""
        self._client, self._sites = client, sites
        self._rules: Mapping[str, Callable[[Change, Pools], set[str]]] = {
            "dcim.interface": self._interface,
            "dcim.module": self._port,
            "dcim.device": self._device,
            "ipam.vlan": lambda change, pools: set() if change.action == "create" else pools["vlan"],
            "ipam.vlangroup": lambda _, pools: pools["vlan"],
            "ipam.prefix": _prefix,
            "ipam.ipaddress": _address,
            "ipam.iprange": _address,
        }

    def look(self, after: int | None, pools: Collection[str]) -> tuple[int, set[str]]:
        """See `engine.ports.Inventory.changes`. One request; two when there is more than a page, which is then not read."""
        if after is None:
            return self._newest(), set(pools)
        rows = self._client.read(PATH, {"id__gt": after, "fields": FIELDS}, limit=PAGE)
        if len(rows) == PAGE:
            return self._newest(), set(pools)
        by_kind: Pools = {kind: set() for kind in ("olt-port", "stock", "vlan", "ipv4", "ipv6-prefix")}
        for pool in pools:
            by_kind.setdefault(pool.partition(":")[0], set()).add(pool)
        found = {pool for row in rows for pool in self._pools(parse(Change, row), by_kind)}
        return max((row["id"] for row in rows), default=after), found

    def _newest(self) -> int:
        rows = self._client.read(PATH, {"ordering": "-id", "fields": "id"}, limit=1)
        return int(rows[0]["id"]) if rows else 0

    def _pools(self, change: Change, pools: Pools) -> set[str]:
        rule = self._rules.get(change.changed_object_type)
        return set() if rule is None or change.message.startswith(OURS) else rule(change, pools)

    def _interface(self, change: Change, pools: Pools) -> set[str]:
        """A PON port that came or was opened, a claim that somebody deleted."""
        if change.data.get("type") in PON_TYPES:
            opened = change.action != "delete" and change.data.get("enabled", True) and not change.data.get("mark_connected")
            return self._port(change, pools) if opened else set()
        if change.action != "delete":
            return set()
        return pools["stock"] if change.data.get("name") == CLAIM else self._port(change, pools)

    def _port(self, change: Change, pools: Pools) -> set[str]:
        """Something on a device that may be an OLT."""
        return {pool for pool in pools["olt-port"] if self._serves(pool, lambda site: change.data.get("device") in site.olts)}

    def _device(self, change: Change, pools: Pools) -> set[str]:
        """An OLT that came into service, an ONT that came into stock; the log says the id of a role, not which it is."""
        status, place = change.data.get("status"), change.data.get("site")
        if status == "inventory":
            return pools["stock"]
        return {pool for pool in pools["olt-port"] if self._serves(pool, lambda site: site.id == place)} if status == "active" else set()

    def _serves(self, pool: str, condition: Callable[[Any], bool]) -> bool:
        try:
            return condition(self._sites.get(pool.partition(":")[2]))
        except InventoryIncomplete:  # whoever waits there is told so
            return True


def _address(change: Change, pools: Pools) -> set[str]:
    """An IPv4 address or range that went or was changed."""
    return set() if change.action == "create" or _is_v6(change.data) else pools["ipv4"]


def _prefix(change: Change, pools: Pools) -> set[str]:
    """A pool that came or was changed, a prefix that went."""
    return pools["ipv6-prefix"] if _is_v6(change.data) else pools["ipv4"]


def _is_v6(data: JsonObject) -> bool:
    return any(":" in str(data.get(name, "")) for name in ("prefix", "address", "start_address"))
