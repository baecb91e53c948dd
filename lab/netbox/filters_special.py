"""Filters that are more than a comparison of one column: networks, assignments, and what a model is known by elsewhere."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lab.netbox import sql
from lab.netbox.addresses import bounds, packed
from lab.netbox.errors import not_played
from lab.netbox.session import Session
from lab.netbox.tables import Resource

Sql = tuple[str, list[Any]]
Special = Callable[[Session, Resource, Sequence[str]], Sql]
_NOTHING: Sql = ("0", [])
_ON_INTERFACE = "assigned_object_type = 'dcim.interface'"
_TRUE = frozenset({"true", "1", "t", "yes", "on"})


def _any(parts: Sequence[Sql]) -> Sql:
    return " OR ".join(f"({test})" for test, _ in parts) or "0", [value for _, values in parts for value in values]


def _inside(text: str, *, included: bool) -> Sql:
    """What lies in a network. A text that is no network finds nothing, as in NetBox."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return _NOTHING
    return f"_start >= ? AND _start <= ? AND _mask {'>=' if included else '>'} ?", [*bounds(network), network.prefixlen]


def _within(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    return _inside(values[0], included=False)


def _within_include(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    return _inside(values[0], included=True)


def _contains(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    try:
        first, last = bounds(ipaddress.ip_network(values[0], strict=False))
    except ValueError:
        return _NOTHING
    return "_start <= ? AND _end >= ?", [first, last]


def _prefix(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    parts = []
    for text in values:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            continue
        parts.append(("_start = ? AND _mask = ?", [packed(network.network_address), network.prefixlen]))
    return _any(parts)


def _parent(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    """Addresses or ranges within any of the networks."""
    parts = []
    for text in values:
        try:
            parts.append(("_start >= ? AND _start <= ?", list(bounds(ipaddress.ip_network(text, strict=False)))))
        except ValueError:
            continue
    return _any(parts)


def _address(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    """An address with a mask means exactly that one, without it any mask."""
    parts: list[Sql] = []
    for text in values:
        try:
            interface = ipaddress.ip_interface(text)
        except ValueError:
            continue
        if "/" in text:
            parts.append(("_start = ? AND _mask = ?", [packed(interface.ip), interface.network.prefixlen]))
        else:
            parts.append(("_start = ?", [packed(interface.ip)]))
    return _any(parts)


def _family(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    return _any([("substr(_start, 1, 1) = ?", [bytes([int(float(value))])]) for value in values])


def _mask_length(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    return _any([("_mask = ?", [int(value)]) for value in values])


def _scope(label: str, column: str) -> Special:
    """Objects whose scope is one of these sites or locations."""

    def get(session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
        target = session.registry.by_label[label]
        keys = session.store.values(target, "id", sql.among(column, len(values)), values)
        return f"scope_type = '{label}' AND {sql.among('scope_id', len(keys))}", keys

    return get


def _assigned_interface(column: str) -> Special:
    """Addresses of these interfaces."""

    def get(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
        return f"{_ON_INTERFACE} AND {sql.pointing('assigned_object_id', 'dcim_interface', sql.among(column, len(values)))}", list(values)

    return get


def _of_device(column: str) -> Special:
    """Addresses of the interfaces of these devices."""

    def get(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
        devices = sql.pointing("device", "dcim_device", sql.among(column, len(values)))
        return f"{_ON_INTERFACE} AND {sql.pointing('assigned_object_id', 'dcim_interface', devices)}", list(values)

    return get


def _flag(test: str) -> Special:
    def get(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
        return (test if values[0].lower() in _TRUE else f"NOT ({test})"), []

    return get


def _kind(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    virtual = "type IN ('virtual', 'lag', 'bridge')"
    tests = {"physical": f"NOT {virtual} AND type NOT LIKE 'ieee802.11%'", "virtual": virtual, "wireless": "type LIKE 'ieee802.11%'"}
    return tests.get(values[0], "0"), []


def _vlan(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    """Interfaces that carry a VLAN (by id)."""
    key = int(values[0]) if values[0].isdigit() else 0
    return f"untagged_vlan = ? OR ({sql.member('tagged_vlans')})", [key, key]


def _device_status(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    return sql.pointing("device", "dcim_device", sql.among("status", len(values))), list(values)


def _group_vlans(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    inner = "SELECT value FROM json_each(vid_ranges) WHERE json_extract(value, '$[0]') <= ? AND json_extract(value, '$[1]') >= ?"
    return f"EXISTS ({inner})", [int(values[0]), int(values[0])]


def _moment(column: str, comparison: str) -> Special:
    def get(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
        # the text of a time sorts as the time does once it is written in the same way
        return f'datetime("{column}") {comparison} datetime(?)', [values[0]]

    return get


def _user(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
    return sql.among("user_name", len(values)), list(values)


def _text_in(column: str) -> Special:
    def get(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
        return sql.among(column, len(values)), list(values)

    return get


def _contained(column: str) -> Special:
    """Objects whose list contains one of the values."""

    def get(_session: Session, _resource: Resource, values: Sequence[str]) -> Sql:
        return sql.member(column, len(values)), list(values)

    return get


def _absent(what: str) -> Special:
    def get(_session: Session, _resource: Resource, _values: Sequence[str]) -> Sql:
        raise not_played(what)

    return get


_CONTENT_TYPE_IDS = _absent("filters by the number of an object type; use its name")

SPECIAL: Mapping[tuple[str, str], Special] = {
    ("ipam.prefix", "prefix"): _prefix,
    ("ipam.prefix", "within"): _within,
    ("ipam.prefix", "within_include"): _within_include,
    ("ipam.prefix", "contains"): _contains,
    ("ipam.prefix", "family"): _family,
    ("ipam.prefix", "mask_length"): _mask_length,
    ("ipam.prefix", "site"): _scope("dcim.site", "slug"),
    ("ipam.prefix", "site_id"): _scope("dcim.site", "id"),
    ("ipam.prefix", "location"): _scope("dcim.location", "slug"),
    ("ipam.prefix", "location_id"): _scope("dcim.location", "id"),
    ("ipam.iprange", "parent"): _parent,
    ("ipam.iprange", "contains"): _contains,
    ("ipam.iprange", "family"): _family,
    ("ipam.iprange", "start_address"): _address,
    ("ipam.ipaddress", "address"): _address,
    ("ipam.ipaddress", "parent"): _parent,
    ("ipam.ipaddress", "family"): _family,
    ("ipam.ipaddress", "mask_length"): _mask_length,
    ("ipam.ipaddress", "interface"): _assigned_interface("name"),
    ("ipam.ipaddress", "interface_id"): _assigned_interface("id"),
    ("ipam.ipaddress", "device"): _of_device("name"),
    ("ipam.ipaddress", "device_id"): _of_device("id"),
    ("ipam.ipaddress", "assigned_to_interface"): _flag("assigned_object_id IS NOT NULL"),
    ("ipam.ipaddress", "assigned"): _flag("assigned_object_id IS NOT NULL"),
    ("ipam.vlangroup", "site"): _scope("dcim.site", "id"),
    ("ipam.vlangroup", "location"): _scope("dcim.location", "id"),
    ("ipam.vlangroup", "contains_vid"): _group_vlans,
    ("dcim.device", "has_primary_ip"): _flag("primary_ip4 IS NOT NULL OR primary_ip6 IS NOT NULL"),
    ("dcim.interface", "kind"): _kind,
    ("dcim.interface", "vlan_id"): _vlan,
    ("dcim.interface", "device_status"): _device_status,
    ("dcim.modulebay", "device_status"): _device_status,
    ("dcim.interface", "connected"): _flag("mark_connected = 1"),
    ("dcim.interface", "occupied"): _flag("mark_connected = 1"),
    ("dcim.interface", "cabled"): _flag("0"),
    ("core.objectchange", "user"): _user,
    ("core.objectchange", "time_after"): _moment("time", ">="),
    ("core.objectchange", "time_before"): _moment("time", "<="),
    ("core.objectchange", "changed_object_type"): _text_in("changed_object_type"),
    ("extras.journalentry", "created_after"): _moment("created", ">="),
    ("extras.journalentry", "created_before"): _moment("created", "<="),
    ("", "object_type"): _contained("object_types"),
    ("", "event_type"): _contained("event_types"),
    ("", "object_type_id"): _CONTENT_TYPE_IDS,
    ("", "changed_object_type_id"): _CONTENT_TYPE_IDS,
    ("", "assigned_object_type_id"): _CONTENT_TYPE_IDS,
}
