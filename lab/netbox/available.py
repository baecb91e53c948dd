"""The next free address, prefix or VLAN: read with GET, taken with POST, one or as many as the list asks for, all or none.

NetBox holds one advisory lock per kind while it gives out, so no two callers get the same; here a request is a transaction on its own.
When there are not enough: 409, and nothing is given (NetBox documentation, "Next available", and ipam/api/views.py).
"""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from lab.netbox import writing
from lab.netbox.addresses import Network, packed, span
from lab.netbox.errors import conflict, invalid
from lab.netbox.listing import page_size
from lab.netbox.render import Body, Renderer
from lab.netbox.session import Session, display
from lab.netbox.store import Row
from lab.netbox.tables import Resource
from lab.netbox.unique import Races

NO_ROOM = "Insufficient resources are available to satisfy the request"
"""The text of the 409 when no free prefix is large enough."""


@dataclass(frozen=True)
class Pool:
    """What a caller needs to give out of one kind of pool."""

    name: str
    """How it is asked for."""
    made: str
    """Label of the model that is created."""
    free: Callable[[Session, Row], Iterator[Body]]
    """Gives what is free, each as the fields that it sets of the object."""
    shown: Callable[[Session, Renderer, Row, Body], Body]
    """Shows one free thing as the GET does."""
    paged: bool = True
    """Whether the GET takes a limit."""


def free(session: Session, renderer: Renderer, pool: Pool, parent: Row, limit: str | None) -> list[Body]:
    """Return what is free: at most a page of it, all of it where NetBox shows all."""
    found = pool.free(session, parent)
    return [pool.shown(session, renderer, parent, item) for item in (islice(found, page_size(limit)) if pool.paged else found)]


def take(session: Session, races: Races, pool: Pool, resource: Resource, parent: Row, body: Any, written: writing.Written) -> list[Row]:
    """Create as many objects as asked for from what is free. Raises ApiError 409 when there are not enough, 400 for a bad request."""
    asked = body if isinstance(body, list) else [body]
    for one in asked:
        if not isinstance(one, dict):
            raise invalid({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {type(one).__name__}."]})
    if pool.made == "ipam.prefix":
        given = fit(session, parent, asked)
    else:
        given = list(islice(pool.free(session, parent), len(asked)))
        if len(given) < len(asked):
            raise conflict(not_enough(pool.name, display(session, resource, parent), len(asked), len(given)))
    made = session.registry.by_label[pool.made]
    bodies = [{**one, **values} for one, values in zip(asked, given, strict=True)]
    if isinstance(body, list):
        return writing.create_all(session, races, made, bodies, written)
    return [writing.create(session, races, made, bodies[0], written)]


def not_enough(pool: str, within: str, asked: int, available: int) -> str:
    """Return the text of the 409 of `available-ips` and `available-vlans`."""
    what = {"available-ips": "IP addresses", "available-vlans": "VLANs"}[pool]
    return f"An insufficient number of {what} are available within {within} ({asked} requested, {available} available)"


def _addresses(session: Session, parent: Row, first: int, last: int) -> Iterator[Body]:
    """Give the free addresses from `first` to `last`, in order; addresses and populated ranges of the same VRF are in use."""
    family, mask = parent["_start"][0], parent["_mask"]
    kind = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address
    bounds = (parent["_vrf"], packed(kind(first)), packed(kind(last)))
    addresses = session.registry.by_label["ipam.ipaddress"]
    used = iter(
        [span(key) for key in session.store.values(addresses, "_start", "_vrf = ? AND _start BETWEEN ? AND ?", bounds, "ORDER BY _start")]
    )
    taken = next(used, None)
    current = first
    while current <= last:
        if taken is not None and taken <= current:
            current = max(current, taken + 1)
            taken = next(used, None)
            continue
        yield {"address": f"{kind(current)}/{mask}", "vrf": parent["vrf"]}
        current += 1


def _in_prefix(session: Session, prefix: Row) -> Iterator[Body]:
    first, last, version = span(prefix["_start"]), span(prefix["_end"]), prefix["_start"][0]
    ranges = _populated(session, prefix)
    if not prefix["is_pool"]:
        # network and broadcast address of IPv4 and the subnet-router anycast address of IPv6 are not given out, but of /31, /32, /127, /128
        wide = prefix["_mask"] < (31 if version == 4 else 127)
        first, last = first + wide, last - (wide and version == 4)
    return (body for body in _addresses(session, prefix, first, last) if not _covered(ranges, body))


def _populated(session: Session, prefix: Row) -> list[tuple[int, int]]:
    ranges = session.registry.by_label["ipam.iprange"]
    if "mark_populated" not in ranges.columns:
        return []
    where = "_vrf = ? AND mark_populated = 1 AND _start <= ? AND _end >= ?"
    rows = session.store.rows(ranges, where, (prefix["_vrf"], prefix["_end"], prefix["_start"]))
    return [(span(row["_start"]), span(row["_end"])) for row in rows]


def _covered(ranges: list[tuple[int, int]], body: Body) -> bool:
    number = int(ipaddress.ip_interface(body["address"]).ip) if ranges else 0
    return any(first <= number <= last for first, last in ranges)


def _in_range(session: Session, parent: Row) -> Iterator[Body]:
    if parent.get("mark_populated"):
        return iter(())
    return _addresses(session, parent, span(parent["_start"]), span(parent["_end"]))


def _show_address(_session: Session, renderer: Renderer, parent: Row, body: Body) -> Body:
    version = ipaddress.ip_interface(body["address"]).version
    return {"family": version, "address": body["address"], "vrf": renderer.nested(_session, "BriefVRF", parent["vrf"]), "description": ""}


def _prefixes(session: Session, parent: Row) -> Iterator[Body]:
    return ({"prefix": str(network), "vrf": parent["vrf"]} for network in _gaps(session, parent))


def _gaps(session: Session, parent: Row) -> list[Network]:
    """Return what no child prefix covers, as the fewest networks, in order."""
    prefixes = session.registry.by_label["ipam.prefix"]
    where = "_vrf = ? AND _start BETWEEN ? AND ? AND _mask > ?"
    children = session.store.rows(
        prefixes, where, (parent["_vrf"], parent["_start"], parent["_end"], parent["_mask"]), "ORDER BY _start, _mask"
    )
    kind = ipaddress.IPv4Address if parent["_start"][0] == 4 else ipaddress.IPv6Address
    found: list[Network] = []
    current = span(parent["_start"])
    for child in children:
        first, last = span(child["_start"]), span(child["_end"])
        if first > current:
            found.extend(ipaddress.summarize_address_range(kind(current), kind(first - 1)))
        current = max(current, last + 1)
    end = span(parent["_end"])
    if current <= end:
        found.extend(ipaddress.summarize_address_range(kind(current), kind(end)))
    return found


def fit(session: Session, parent: Row, asked: list[Body]) -> list[Body]:
    """Return the first free prefix of each length that is asked for. Raises ApiError 400 for a bad length, 409 when one does not fit."""
    problems = [_length_problem(parent, one.get("prefix_length")) for one in asked]
    if any(problems):
        raise invalid([{"prefix_length": [problem]} if problem else {} for problem in problems])
    gaps, given = _gaps(session, parent), []
    for one in asked:
        length = int(one["prefix_length"])
        gap = next((gap for gap in gaps if gap.prefixlen <= length), None)
        if gap is None:
            raise conflict(NO_ROOM)
        network = ipaddress.ip_network(f"{gap.network_address}/{length}")
        position = gaps.index(gap)
        gaps[position : position + 1] = _without(gap, network)
        given.append({"prefix": str(network), "vrf": parent["vrf"]})
    return given


def _length_problem(parent: Row, length: Any) -> str | None:
    longest = 32 if parent["_start"][0] == 4 else 128
    if length is None:
        return "This field is required."
    if isinstance(length, bool) or not isinstance(length, int):
        return "A valid integer is required."
    if length > longest:
        return f"Invalid prefix length ({length}) for IPv{4 if longest == 32 else 6}"
    if length <= parent["_mask"]:
        return f"Prefix length must be longer than that of its parent (/{parent['_mask']})"
    return None


def _without(gap: Network, first: Network) -> list[Network]:
    """Return what is left of a gap when its first part is taken, in order."""
    start, end = int(first.broadcast_address) + 1, int(gap.broadcast_address)
    kind = type(gap.network_address)
    return list(ipaddress.summarize_address_range(kind(start), kind(end))) if start <= end else []


def _show_prefix(session: Session, renderer: Renderer, parent: Row, body: Body) -> Body:
    version = ipaddress.ip_network(body["prefix"]).version
    return {"family": version, "prefix": body["prefix"], "vrf": renderer.nested(session, "BriefVRF", parent["vrf"])}


def _vlans(session: Session, group: Row) -> Iterator[Body]:
    vlans = session.registry.by_label["ipam.vlan"]
    used = set(session.store.values(vlans, "vid", '"group" = ?', (group["id"],)))
    for first, last in sorted(group["vid_ranges"]):
        yield from ({"vid": vid, "group": group["id"]} for vid in range(first, last + 1) if vid not in used)


def _show_vlan(session: Session, renderer: Renderer, _parent: Row, body: Body) -> Body:
    return {"vid": body["vid"], "group": renderer.nested(session, "BriefVLANGroup", body["group"])}


_IPS, _VLANS = Pool("available-ips", "ipam.ipaddress", _in_prefix, _show_address), Pool("available-vlans", "ipam.vlan", _vlans, _show_vlan)
_PREFIXES = Pool("available-prefixes", "ipam.prefix", _prefixes, _show_prefix, paged=False)
POOLS = {
    ("ipam.prefix", _IPS.name): _IPS,
    ("ipam.iprange", _IPS.name): replace(_IPS, free=_in_range),
    ("ipam.prefix", _PREFIXES.name): _PREFIXES,
    ("ipam.vlangroup", _VLANS.name): _VLANS,
}
"""Which pool is behind `<path of the model>/<id>/<name>/`."""
