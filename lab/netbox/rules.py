"""What NetBox checks of a model beyond its schema, and the columns that follow from others: one function per model.

They are called before uniqueness is checked.
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from lab.netbox.addresses import bounds, packed
from lab.netbox.errors import invalid
from lab.netbox.session import Session
from lab.netbox.store import Row
from lab.netbox.tables import Resource

_SHARED = ("anycast", "vip", "vrrp", "hsrp", "glbp", "carp")
"""Roles of addresses that may be there more than once."""

Rule = Callable[[Session, Resource, Row], None]


def _network(text: Any, field: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    try:
        return ipaddress.ip_interface(str(text))
    except ValueError:
        raise invalid({field: [f"Invalid IP address format: {text}"]}) from None


def _table(session: Session, row: Row) -> Row:
    """Columns that follow from the VRF: 0 is the global table; `_table` is null where the same address may be there twice."""
    found = session.refer("VRF", row["vrf"]) if row["vrf"] is not None else None
    if found is None:
        return {"_vrf": 0, "_table": 0, "_where": "global table"}
    vrf = found[1]
    return {"_vrf": vrf["id"], "_table": vrf["id"] if vrf["enforce_unique"] else None, "_where": f"VRF {vrf['name']}"}


def _prefix(session: Session, _resource: Resource, row: Row) -> None:
    network = _network(row["prefix"], "prefix").network  # host bits are cleared without a word
    if not network.prefixlen:
        raise invalid({"prefix": ["Cannot create prefix with /0 mask."]})
    first, last = bounds(network)
    row.update(_table(session, row), prefix=str(network), _start=first, _end=last, _mask=network.prefixlen)


def _address(session: Session, _resource: Resource, row: Row) -> None:
    interface = _network(row["address"], "address")
    row.update(_table(session, row), address=interface.with_prefixlen, _start=packed(interface.ip), _mask=interface.network.prefixlen)
    if row["role"] in _SHARED:
        row["_table"] = None
    row["dns_name"] = (row["dns_name"] or "").lower()


def _range(session: Session, resource: Resource, row: Row) -> None:
    start, end = _network(row["start_address"], "start_address"), _network(row["end_address"], "end_address")
    if start.version != end.version:
        raise invalid({"end_address": ["Starting and ending IP address versions must match"]})
    if start.network.prefixlen != end.network.prefixlen:
        raise invalid({"end_address": ["Starting and ending IP address masks must match"]})
    if end.ip <= start.ip:  # type: ignore[operator]  # same version, checked above
        raise invalid({"end_address": [f"Ending address must be greater than the starting address ({start})"]})
    row.update(_table(session, row), start_address=str(start), end_address=str(end), _mask=start.network.prefixlen)
    row.update(_start=packed(start.ip), _end=packed(end.ip))
    where = "_vrf = ? AND _start <= ? AND _end >= ? AND id IS NOT ?"
    others = session.store.rows(resource, where, (row["_vrf"], row["_end"], row["_start"], row.get("id")))
    if others:
        other = f"{others[0]['start_address']}-{others[0]['end_address']}"
        raise invalid({"__all__": [f"Defined addresses overlap with range {other} in {row['_where']}"]})


def _generic(type_field: str, key_field: str) -> Rule:
    """Check that a pair such as scope_type, scope_id points to an object that is there."""

    def rule(session: Session, _resource: Resource, row: Row) -> None:
        label, key = row[type_field], row[key_field]
        if label is not None and label not in session.registry.by_label:
            raise invalid({type_field: [f"Invalid content type: {label}"]})
        if label is not None and key is None:
            raise invalid({key_field: ["This field may not be null."]})
        if label is not None and session.generic(label, key) is None:
            raise invalid({key_field: [f"Invalid object ID: {key}"]})

    return rule


def _vlan_group(session: Session, resource: Resource, row: Row) -> None:
    ranges = row["vid_ranges"]
    ok = isinstance(ranges, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(end, int) for end in pair) for pair in ranges
    )
    if not ok:
        raise invalid({"vid_ranges": ["Invalid VLAN ID ranges."]})
    for first, last in ranges:
        if first > last or first < 1 or last > 4094:
            raise invalid(
                {"vid_ranges": [f"Ending VLAN ID in range must be greater than or equal to the starting VLAN ID ({first}-{last})"]}
            )
    _generic("scope_type", "scope_id")(session, resource, row)


def _vlan(session: Session, _resource: Resource, row: Row) -> None:
    if row["group"] is None:
        return
    group = session.get(session.registry.by_label["ipam.vlangroup"], row["group"])
    if group and not any(first <= row["vid"] <= last for first, last in group["vid_ranges"]):
        ranges = ", ".join(f"{first}-{last}" for first, last in group["vid_ranges"])
        raise invalid({"vid": [f"VID must be in ranges {ranges} for VLANs in group {group['name']}"]})


def _interface(session: Session, resource: Resource, row: Row) -> None:
    for field in ("parent", "bridge", "lag"):
        other = session.get(resource, row[field]) if row[field] is not None else None
        if other is None:
            continue
        if other["id"] == row.get("id"):
            raise invalid({field: [f"An interface cannot be its own {field}."]})
        if other["device"] != row["device"]:
            raise invalid({field: [f"The selected {field} interface ({other['name']}) belongs to a different device ({other['device']})"]})
    if row["parent"] is not None and row["type"] != "virtual":
        raise invalid({"parent": ["Only virtual interfaces may be assigned to a parent interface."]})
    if row["type"] == "virtual" and row["mark_connected"]:
        raise invalid({"mark_connected": ["Virtual interfaces cannot be marked as connected."]})


def _device(session: Session, _resource: Resource, row: Row) -> None:
    row["asset_tag"] = row["asset_tag"] or None
    row["name"] = row["name"] or None
    interfaces = session.registry.by_label["dcim.interface"]
    for field, version in (("primary_ip4", 4), ("primary_ip6", 6)):
        found = session.refer("IPAddress", row[field]) if row[field] is not None else None
        if found is None:
            continue
        address = found[1]
        if address["_start"][0] != version:
            raise invalid({field: [f"{address['address']} is not an IPv{version} address."]})
        at = session.get(interfaces, address["assigned_object_id"]) if address["assigned_object_type"] == "dcim.interface" else None
        if at is None or at["device"] != row.get("id"):
            raise invalid({field: [f"The specified IP address ({address['address']}) is not assigned to this device."]})
    location = session.refer("Location", row["location"]) if row["location"] is not None else None
    if location and location[1]["site"] != row["site"]:
        raise invalid({"location": [f"Location {location[1]['name']} does not belong to site {row['site']}."]})


def _module(session: Session, _resource: Resource, row: Row) -> None:
    row["asset_tag"] = row["asset_tag"] or None
    bay = session.refer("ModuleBay", row["module_bay"])
    if bay and bay[1]["device"] != row["device"]:
        raise invalid({"__all__": [f"Module must be installed within a module bay belonging to the assigned device ({row['device']})."]})


def _template(_session: Session, _resource: Resource, row: Row) -> None:
    if (row["device_type"] is None) == (row["module_type"] is None):
        which = "either a device type or a module type" if row["device_type"] is None else "a device type or a module type, not both"
        raise invalid({"__all__": [f"A component template must be associated with {which}."]})


def _custom_field(_session: Session, _resource: Resource, row: Row) -> None:
    row["related_object_filter"] = row.get("related_object_filter") or None
    selecting = row["type"] in ("select", "multiselect")
    if selecting and row["choice_set"] is None:
        raise invalid({"choice_set": ["Selection fields must specify a set of choices."]})
    if not selecting and row["choice_set"] is not None:
        raise invalid({"choice_set": ["Choices may be set only on selection fields."]})


def _choice_set(_session: Session, _resource: Resource, row: Row) -> None:
    pairs = row["extra_choices"]
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise invalid({"extra_choices": ["Each choice must be a list of a value and a label."]})


def _object_types(_session: Session, _resource: Resource, row: Row) -> None:
    """Models of NetBox that are not played may be named as well: what is checked is the shape."""
    labels = row["object_types"]
    if not isinstance(labels, list) or not all(isinstance(label, str) and label.count(".") == 1 for label in labels):
        raise invalid({"object_types": ["Invalid value. Specify a content type as '<app_label>.<model_name>'."]})


_SCOPED = _generic("scope_type", "scope_id")
_ASSIGNED = _generic("assigned_object_type", "assigned_object_id")


def _all(*rules: Rule) -> Rule:
    def rule(session: Session, resource: Resource, row: Row) -> None:
        for each in rules:
            each(session, resource, row)

    return rule


RULES: dict[str, Rule] = {
    "dcim.interface": _interface,
    "dcim.device": _device,
    "dcim.module": _module,
    "dcim.interfacetemplate": _template,
    "dcim.modulebaytemplate": _template,
    "ipam.prefix": _all(_prefix, _SCOPED),
    "ipam.ipaddress": _all(_address, _ASSIGNED),
    "ipam.iprange": _range,
    "ipam.vlangroup": _vlan_group,
    "ipam.vlan": _vlan,
    "extras.customfield": _all(_object_types, _custom_field),
    "extras.customlink": _object_types,
    "extras.eventrule": _object_types,
    "extras.customfieldchoiceset": _choice_set,
    "extras.journalentry": _ASSIGNED,
    "vpn.l2vpntermination": _ASSIGNED,
}
