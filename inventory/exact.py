"""The one resource that somebody asked for by name (`engine.ports.Need.exact`), instead of any free one of a pool.

It is claimed as all others are, by creating what can exist only once. A person may name what the pool does not give out by itself: a
port in quarantine or kept back, an ONT that is not in stock any more. What is another order's is never given. A VLAN, address or prefix
that somebody has entered in NetBox by hand, and that bears nobody's mark, is taken over.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence

from engine.errors import InventoryIncomplete, InventoryRefused
from engine.ports import Allocation, Need, Shortage
from inventory import addresses, ports, stock, vlans
from inventory.available import Kind, body_of
from inventory.client import NetBox
from inventory.fields import CLAIM, IMPORTED, AllocState, JsonObject
from inventory.look import Candidate, View, look
from inventory.needs import Results, label, obstacle, pool_of
from inventory.refusal import ClaimLost
from inventory.rows import Device, Interface, Row, parse
from inventory.sites import Sites

BLIND = 5
"""How often a claim that was lost is tried again at the next place of the same port."""


class _NotFree(Exception):
    """It cannot be had; the message says why."""


class Exact:
    """Claims what is asked for by name. Such needs are rare: each costs two or three requests of its own."""

    def __init__(self, client: NetBox, sites: Sites, kinds: Mapping[str, Kind]) -> None:
        """`kinds`: those that NetBox gives out by itself."""
        self._client, self._sites, self._kinds = client, sites, kinds
        self._ways: Mapping[str, Callable[[Need, str], Allocation]] = {
            ports.KIND: self._port,
            stock.KIND: self._ont,
            vlans.KIND: self._vlan,
            addresses.IPV4: self._address,
            addresses.IPV6_PREFIX: self._prefix,
        }

    def take(self, needs: Sequence[Need], results: Results) -> None:
        """Claim what the needs name; those that name nothing, or have a result, are left alone. Raises InventoryError."""
        for need in needs:
            if need.exact is None or need.mark in results:
                continue
            found = obstacle(need, results)
            results[need.mark] = self._one(need, need.exact) if found is None else found

    def _one(self, need: Need, name: str) -> Allocation | Shortage:
        try:
            return self._ways[need.kind](need, name)
        except (_NotFree, InventoryRefused) as error:  # a claim that was lost, or what NetBox does not take, e.g. a VLAN out of range
            return Shortage(need.mark, True, label(need), f"{need.mark.name} {name} cannot be had: {error}", name)

    # -- claimed by creating an interface ------------------------------------------------------------------------------
    def _port(self, need: Need, name: str) -> Allocation:
        device, _, port_name = name.partition(":")
        olts = {olt: key for key, olt in self._sites.get(pool_of(need), afresh=True).olts.items()}
        if device not in olts:
            raise _NotFree(f"{device or 'it'} is no active OLT of {pool_of(need)} (write it as DEVICE:PORT)")
        for _ in range(BLIND):
            place = self._place(olts[device], device, port_name)
            try:
                (row,) = self._client.create("dcim/interfaces", [place.claim(need)])
            except ClaimLost:
                continue  # somebody else has this place; the port may have another
            return ports.port_allocation(need, device, place.name, row["id"])
        raise _NotFree("others were faster")

    def _place(self, key: int, device: str, name: str) -> Candidate:
        """A free place of a port: quarantine and marks of people do not count, they are why it was named."""
        rows = look(self._client, [View(frozenset({key}), frozenset({name}))])
        port = next((row for row in rows if row.name == name and row.type in ports.PON_TYPES and row.parent is None), None)
        if port is None:
            raise _NotFree(f"{device} has no PON port {name!r}")
        if not port.enabled or port.mark_connected:
            raise _NotFree("it is disabled" if not port.enabled else "it is marked as connected")
        _unused(port)
        used = {row.name for row in rows if row.parent is not None and row.parent.id == port.id}
        places = (f"{name}/{onu}" for onu in range(1, (port.custom_fields.onu_capacity or 1) + 1))
        free = next((place for place in places if place not in used), None)
        if free is None:
            raise _NotFree("it is taken")
        return Candidate(key, free, port.id)

    def _ont(self, need: Need, name: str) -> Allocation:
        rows = self._client.read("dcim/devices", {"asset_tag": name, "role": stock.ROLE, "fields": stock.FIELDS})
        if not rows:
            raise _NotFree("NetBox has no ONT with this asset tag")
        device = parse(Device, rows[0])
        if device.device_type.model != need.pool.get("model"):
            raise _NotFree(f"it is a {device.device_type.model}, not a {need.pool.get('model')}")
        _unused(device)
        try:
            (row,) = self._client.create("dcim/interfaces", [Candidate(device.id, CLAIM).claim(need)])
        except ClaimLost:
            raise _NotFree("it is taken") from None
        return stock.ont_allocation(need, device, parse(Interface, row).id)

    # -- created, or taken over ----------------------------------------------------------------------------------------
    def _vlan(self, need: Need, name: str) -> Allocation:
        if not name.isdigit():
            raise _NotFree("a VLAN is named by its number")
        group = self._kinds[vlans.KIND].sources(pool_of(need))[0].key
        own = {"name": vlans.vlan_name(need.mark)}
        return self._created(need, vlans.PATH, {"group_id": group, "vid": int(name)}, {"vid": int(name), "group": group, **own}, own)

    def _address(self, need: Need, name: str) -> Allocation:
        address = _parsed(ipaddress.IPv4Address, name, "an IPv4 address")
        inside = self._expected(need, {"address": f"{address}/32"})
        full = f"{address}/{inside.attributes['prefix_length']}"
        return self._created(need, addresses.ADDRESSES, {"address": str(address)}, {"address": full}, {})

    def _prefix(self, need: Need, name: str) -> Allocation:
        prefix = str(_parsed(ipaddress.IPv6Network, name, "an IPv6 prefix"))
        self._expected(need, {"prefix": prefix})
        return self._created(need, addresses.PREFIXES, {"prefix": prefix}, {"prefix": prefix}, {})

    def _expected(self, need: Need, row: JsonObject) -> Allocation:
        """What it would be, if it is of the pool."""
        try:
            return self._kinds[need.kind].allocation(need, row)
        except InventoryIncomplete as error:
            raise _NotFree(error.message.partition(": ")[2]) from None

    def _created(self, need: Need, path: str, where: Mapping[str, str | int], body: JsonObject, own: JsonObject) -> Allocation:
        """Create it, or mark the one that is there and nobody's. `own`: what of its body a VLAN that is taken over gets, too."""
        rows = self._client.read(path, dict(where))
        if rows:
            (row,) = self._client.update(path, [self._unmarked(rows) | body_of(need) | own], seen=[rows[0].get("last_updated")])
        else:
            (row,) = self._client.create(path, [body_of(need) | body])
            self._sole(path, where, row, need)
        return self._kinds[need.kind].allocation(need, row)

    def _unmarked(self, rows: Sequence[JsonObject]) -> JsonObject:
        for row in rows:
            _unused(parse(Row, row))
        if len(rows) > 1:
            raise _NotFree("NetBox has it more than once")
        return {"id": rows[0]["id"]}

    def _sole(self, path: str, where: Mapping[str, str | int], row: JsonObject, need: Need) -> None:
        """Addresses and prefixes can exist twice where NetBox is set so: who finds a second one beside theirs gives it back."""
        if need.kind != vlans.KIND and len(self._client.read(path, dict(where))) > 1:
            self._client.delete(path, {row["id"]: f"turnup: given back by {need.mark}"[:200]})
            raise _NotFree("somebody else took it at the same moment")


def _unused(row: Row) -> None:
    """Raise _NotFree when it serves somebody: an order of ours, or a customer who was there before."""
    if row.custom_fields.order_item:
        raise _NotFree(f"it is taken by {row.custom_fields.order_item}")
    if IMPORTED in row.tags or row.custom_fields.alloc_state in (AllocState.ACTIVE, AllocState.RELEASING):
        raise _NotFree("it is in use")


def _parsed(kind: Callable[[str], ipaddress.IPv4Address | ipaddress.IPv6Network], text: str, what: str) -> object:
    try:
        return kind(text)
    except ValueError:
        raise _NotFree(f"it is not {what}") from None
