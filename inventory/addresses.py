"""IPv4 addresses and IPv6 prefixes from prefixes.

A pool is named by the description of its prefixes, or is one prefix in CIDR notation. Several prefixes of one description are one pool,
used in order: keep a DHCP pool at /20 or smaller, since NetBox looks for a free address one by one.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator, Sequence

from engine.errors import InventoryIncomplete
from engine.ports import Allocation, Need, ObjectRef
from inventory.available import Source
from inventory.client import NetBox
from inventory.fields import JsonObject
from inventory.needs import label, pool_of
from inventory.rows import Prefix, parse

IPV4 = "ipv4"
IPV6_PREFIX = "ipv6-prefix"
ADDRESSES = "ipam/ip-addresses"
PREFIXES = "ipam/prefixes"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LENGTH = 64
"""Bits of a delegated prefix when the catalogue does not say."""


class PrefixPools:
    """The prefixes that are pools, read for both families at once."""

    def __init__(self, client: NetBox) -> None:
        """Know none yet."""
        self._client = client
        self._pools: dict[str, list[Prefix]] = {}
        self._lock = threading.Lock()

    def resolve(self, needs: Sequence[Need]) -> None:
        """Read what is not known of the pools that the needs name: at most one request per way of naming them."""
        names = {pool_of(need) for need in needs}
        with self._lock:
            unknown = names - self._pools.keys()
        self._read(unknown)

    def get(self, name: str, version: int, *, afresh: bool = False) -> list[Prefix]:
        """Return the prefixes of a pool for IP `version`, in order. Raises InventoryIncomplete when there is none."""
        with self._lock:
            known = not afresh and name in self._pools
        if not known:
            self._read({name})
        with self._lock:
            found = [prefix for prefix in self._pools[name] if prefix.network.version == version]
        if not found:
            raise InventoryIncomplete(f"NetBox has no IPv{version} prefix {name!r} (a prefix in CIDR notation or the description of one)")
        return found

    def _read(self, names: set[str]) -> None:
        literal = {name for name in names if _is_network(name)}
        for key, some in (("prefix", literal), ("description", names - literal)):
            if some:
                rows = [parse(Prefix, row) for row in self._client.read(PREFIXES, {key: sorted(some)})]
                usable = sorted((row for row in rows if row.status != "deprecated"), key=lambda row: (row.network.version, row.network))
                with self._lock:
                    self._pools |= {name: [row for row in usable if getattr(row, key) == name] for name in some}


class Addresses:
    """IPv4 addresses."""

    name = IPV4

    def __init__(self, pools: PrefixPools) -> None:
        """Give out of `pools`."""
        self._pools = pools

    def sources(self, pool: str, *, afresh: bool = False) -> Sequence[Source]:
        """Return the prefixes of the pool."""
        return [Source(f"{PREFIXES}/{prefix.id}/available-ips", prefix.id) for prefix in self._pools.get(pool, 4, afresh=afresh)]

    def body(self, _need: Need) -> JsonObject:
        """Nothing besides the marks."""
        return {}

    def allocation(self, need: Need, row: JsonObject) -> Allocation:
        """Return the address as what the order layer gets: with the facts of the pool's prefix that it is from."""
        interface = ipaddress.ip_interface(row["address"])
        prefix = next((prefix for prefix in self._pools.get(pool_of(need), 4) if interface.ip in prefix.network), None)
        if prefix is None:
            raise InventoryIncomplete(f"{need.mark}: {interface.ip} is in no prefix of the pool {pool_of(need)}")
        attributes: dict[str, str | int] = {
            "address": str(interface.ip),
            "prefix_length": prefix.network.prefixlen,
            "subnet": str(prefix.network),
            "gateway": prefix.custom_fields.gateway or "",
            "subnet_id": prefix.custom_fields.dhcp_subnet_id or 0,
            "pool": pool_of(need),
        }
        objects = (ObjectRef("ipam.ip-addresses", row["id"]),) if "id" in row else ()
        return Allocation(need.mark, need.kind, need.service, attributes, objects, label(need))

    def shown(self, _need: Need, free: Sequence[JsonObject], count: int) -> list[JsonObject]:
        """Return the first of what is free."""
        return list(free[:count])


class DelegatedPrefixes:
    """IPv6 prefixes for customers."""

    name = IPV6_PREFIX

    def __init__(self, pools: PrefixPools) -> None:
        """Give out of `pools`."""
        self._pools = pools

    def sources(self, pool: str, *, afresh: bool = False) -> Sequence[Source]:
        """Return the prefixes of the pool."""
        return [Source(f"{PREFIXES}/{prefix.id}/available-prefixes", prefix.id) for prefix in self._pools.get(pool, 6, afresh=afresh)]

    def body(self, need: Need) -> JsonObject:
        """Say how long the prefix shall be."""
        return {"prefix_length": _length(need)}

    def allocation(self, need: Need, row: JsonObject) -> Allocation:
        """Return the prefix as what the order layer gets: with the facts of the pool's prefix that it is from."""
        network = ipaddress.ip_network(row["prefix"])
        source = next((each for each in self._pools.get(pool_of(need), 6) if _within(network, each)), None)
        if source is None:
            raise InventoryIncomplete(f"{need.mark}: {network} is in no prefix of the pool {pool_of(need)}")
        attributes: dict[str, str | int] = {
            "prefix": str(network),
            "pool": pool_of(need),
            "subnet_id": source.custom_fields.dhcp_subnet_id or 0,
        }
        objects = (ObjectRef("ipam.prefixes", row["id"]),) if "id" in row else ()
        return Allocation(need.mark, need.kind, need.service, attributes, objects, label(need))

    def shown(self, need: Need, free: Sequence[JsonObject], count: int) -> list[JsonObject]:
        """Cut the first prefixes of the wanted length out of the free blocks, as NetBox does."""
        length = _length(need)
        blocks = [ipaddress.IPv6Network(row["prefix"]) for row in free]
        cut = (network for block in blocks if block.prefixlen <= length for network in _subnets(block, length))
        return [{"prefix": str(network)} for network, _ in zip(cut, range(count), strict=False)]


def _subnets(block: ipaddress.IPv6Network, length: int) -> Iterator[ipaddress.IPv6Network]:
    return block.subnets(new_prefix=length)


def _within(network: Network, pool: Prefix) -> bool:
    inner, outer = network, pool.network
    return isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network) and inner.subnet_of(outer)


def _length(need: Need) -> int:
    text = need.pool.get("length") or str(LENGTH)
    if not text.isdigit():
        raise InventoryIncomplete(f"{need.mark}: length {text!r} is no number of bits", remedy="Correct the reservation in the catalogue.")
    return int(text)


def _is_network(name: str) -> bool:
    try:
        ipaddress.ip_network(name)
    except ValueError:
        return False
    return True
