"""VLANs from VLAN groups.

The name of a VLAN is the mark of its allocation. NetBox lets a name exist only once in a group, so asking twice for the same VLAN is
refused by the database itself.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from engine.errors import InventoryIncomplete
from engine.ports import Allocation, Mark, Need, ObjectRef
from inventory.available import Source
from inventory.client import NetBox
from inventory.fields import JsonObject
from inventory.needs import label, pool_of
from inventory.rows import VlanGroup, parse

KIND = "vlan"
PATH = "ipam/vlans"
NAME_LENGTH = 64
"""Longest name of a VLAN in NetBox (ipam/models/vlans.py)."""


class Vlans:
    """VLANs, pool by name of the VLAN group."""

    name = KIND

    def __init__(self, client: NetBox) -> None:
        """Know no group yet."""
        self._client = client
        self._groups: dict[str, Source] = {}
        self._lock = threading.Lock()

    def sources(self, pool: str, *, afresh: bool = False) -> Sequence[Source]:
        """Return the group of that name. Raises InventoryIncomplete for none and for several."""
        with self._lock:
            known = self._groups.get(pool)
        if known is None or afresh:
            rows = [parse(VlanGroup, row) for row in self._client.read("ipam/vlan-groups", {"name": pool})]
            if len(rows) != 1:
                raise InventoryIncomplete(f"NetBox has {len(rows) or 'no'} VLAN group{'s' if rows else ''} {pool!r}")
            known = Source(f"ipam/vlan-groups/{rows[0].id}/available-vlans", rows[0].id)
            with self._lock:
                self._groups[pool] = known
        return [known]

    def body(self, need: Need) -> JsonObject:
        """Name the VLAN."""
        return {"name": vlan_name(need.mark)}

    def allocation(self, need: Need, row: JsonObject) -> Allocation:
        """Return the VLAN as what the order layer gets."""
        objects = (ObjectRef("ipam.vlans", row["id"]),) if "id" in row else ()
        attributes: dict[str, str | int] = {"vid": int(row["vid"]), "name": vlan_name(need.mark), "group": pool_of(need)}
        return Allocation(need.mark, need.kind, need.service, attributes, objects, label(need))

    def shown(self, _need: Need, free: Sequence[JsonObject], count: int) -> list[JsonObject]:
        """Return the first of what is free."""
        return list(free[:count])


def vlan_name(mark: Mark) -> str:
    """Return the name of the VLAN of this mark; the end of a long one tells it apart."""
    return str(mark)[-NAME_LENGTH:]
