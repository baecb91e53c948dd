"""What earlier attempts took: found in NetBox by the marks on it, so that asking again gives the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.ports import Allocation, Mark, Need
from inventory import addresses, ports, stock, vlans
from inventory.available import Kind
from inventory.client import KEYS, NetBox, chunks
from inventory.fields import CustomFields, JsonObject
from inventory.rows import Device, Interface, parse

ORDERS = 40
"""Orders per read, by the length of the request line."""
PATHS = {
    ports.KIND: "dcim/interfaces",
    stock.KIND: "dcim/interfaces",
    vlans.KIND: vlans.PATH,
    addresses.IPV4: addresses.ADDRESSES,
    addresses.IPV6_PREFIX: addresses.PREFIXES,
}
"""Kind of resource -> where its objects are."""


@dataclass
class Found:
    """Allocations by mark, and what bears a mark a second time."""

    allocations: dict[Mark, Allocation] = field(default_factory=dict)
    doubled: list[Allocation] = field(default_factory=list)
    """To be given back: a mark stands for one resource. The oldest is kept."""


class Finder:
    """Looks for marks."""

    def __init__(self, client: NetBox, kinds: Sequence[Kind]) -> None:
        """Find what `kinds` gave, ports and ONTs."""
        self._client = client
        self._kinds = {kind.name: kind for kind in kinds}

    def find(self, needs: Sequence[Need]) -> Found:
        """Return what bears the marks of these needs: one request per model and 40 orders, one more when ONTs were found."""
        found = Found()
        by_mark = {str(need.mark): need for need in needs}
        orders = sorted({need.mark.order for need in needs})
        for path in dict.fromkeys(PATHS[need.kind] for need in needs):
            rows = [row for part in chunks(orders, ORDERS) for row in self._client.read(path, {"cf_order_id": part})]
            hits = [(by_mark[mark], row) for row in rows if (mark := _mark(row)) in by_mark and PATHS[by_mark[mark].kind] == path]
            for allocation in self._allocations(hits):
                if allocation.mark in found.allocations:
                    found.doubled.append(allocation)
                else:
                    found.allocations[allocation.mark] = allocation
        return found

    def _allocations(self, hits: Sequence[tuple[Need, JsonObject]]) -> list[Allocation]:
        """What the rows stand for, the oldest first."""
        claims = [(need, parse(Interface, row)) for need, row in hits if need.kind in (ports.KIND, stock.KIND)]
        onts = self._onts([claim.device.id for need, claim in claims if need.kind == stock.KIND])
        taken = [self._kinds[need.kind].allocation(need, row) for need, row in hits if need.kind in self._kinds]
        for need, claim in claims:
            if need.kind == stock.KIND:
                taken.append(stock.ont_allocation(need, onts[claim.device.id], claim.id))
            else:
                taken.append(ports.port_allocation(need, claim.device.name or "", claim.name, claim.id))
        return sorted(taken, key=lambda allocation: allocation.objects[0].id)

    def _onts(self, keys: Sequence[int]) -> dict[int, Device]:
        rows = [
            row for part in chunks(sorted(keys), KEYS) for row in self._client.read("dcim/devices", {"id": part, "fields": stock.FIELDS})
        ]
        return {row["id"]: parse(Device, row) for row in rows}


def _mark(row: JsonObject) -> str:
    return CustomFields.model_validate(row.get("custom_fields") or {}).order_item or ""
