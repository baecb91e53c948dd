"""Fields that are not kept but follow from other objects: one function each.

The key is (label of the model, field), or ("", field) for a field that every model has.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.netbox import contexts, sql
from lab.netbox.addresses import span
from lab.netbox.session import Session, display
from lab.netbox.store import Row
from lab.netbox.tables import Resource

if TYPE_CHECKING:
    from lab.netbox.render import Renderer

Computed = Callable[["Renderer", Session, Resource, Row], Any]


def _url(_renderer: Renderer, session: Session, resource: Resource, row: Row) -> str:
    return f"{session.base}/api/{resource.model.path}/{row['id']}/"


def _display_url(_renderer: Renderer, session: Session, resource: Resource, row: Row) -> str:
    return f"{session.base}/{resource.model.path}/{row['id']}/"


def _display(_renderer: Renderer, session: Session, resource: Resource, row: Row) -> str:
    return display(session, resource, row)


def _generic(type_column: str, key_column: str) -> Computed:
    """Show in brief the object that a pair of columns points to."""

    def get(renderer: Renderer, session: Session, _resource: Resource, row: Row) -> Any:
        found = session.generic(row[type_column], row[key_column])
        if found is None:
            return None
        return renderer.as_component(session, found[0], renderer.brief(found[0].endpoint.component), found[1])

    return get


def _family(column: str) -> Computed:
    def get(_renderer: Renderer, _session: Session, _resource: Resource, row: Row) -> dict[str, Any]:
        version = ipaddress.ip_interface(row[column]).version
        return {"value": version, "label": f"IPv{version}"}

    return get


def _primary_ip(renderer: Renderer, session: Session, _resource: Resource, row: Row) -> Any:
    """NetBox prefers IPv6 unless PREFER_IPV4 is set; a lab that has both on a device would see it."""
    return renderer.nested(session, "BriefIPAddress", row["primary_ip6"] or row["primary_ip4"])


def _config_context(_renderer: Renderer, session: Session, _resource: Resource, row: Row) -> dict[str, Any]:
    return contexts.of_device(session, row)


def _related(label: str, column: str, component: str) -> Computed:
    """Show all objects of a model that point here."""

    def get(renderer: Renderer, session: Session, _resource: Resource, row: Row) -> list[Any]:
        other = session.registry.by_label[label]
        rows = session.store.rows(other, f'"{column}" = ?', (row["id"],))
        return [renderer.as_component(session, other, component, found) for found in rows]

    return get


def _installed_module(renderer: Renderer, session: Session, _resource: Resource, row: Row) -> Any:
    modules = session.registry.by_label["dcim.module"]
    found = session.store.rows(modules, "module_bay = ?", (row["id"],))
    return renderer.as_component(session, modules, "BriefModule", found[0]) if found else None


def _bay_occupied(_renderer: Renderer, session: Session, _resource: Resource, row: Row) -> bool:
    return session.store.count(session.registry.by_label["dcim.module"], "module_bay = ?", (row["id"],)) > 0


def _interface_addresses(_renderer: Renderer, session: Session, _resource: Resource, row: Row) -> int:
    where = "assigned_object_id = ? AND assigned_object_type = 'dcim.interface'"
    return session.store.count(session.registry.by_label["ipam.ipaddress"], where, (row["id"],))


def _depth(_renderer: Renderer, session: Session, resource: Resource, row: Row) -> int:
    depth, above = 0, row.get("parent")
    while above is not None:
        found = session.get(resource, above)
        depth, above = depth + 1, found["parent"] if found else None
    return depth


def _prefix_children(_renderer: Renderer, session: Session, resource: Resource, row: Row) -> int:
    where = "_vrf = ? AND _start >= ? AND _start <= ? AND _mask > ?"
    return session.store.count(resource, where, (row["_vrf"], row["_start"], row["_end"], row["_mask"]))


def _prefix_depth(_renderer: Renderer, session: Session, resource: Resource, row: Row) -> int:
    where = "_vrf = ? AND _start <= ? AND _end >= ? AND _mask < ?"
    return session.store.count(resource, where, (row["_vrf"], row["_start"], row["_end"], row["_mask"]))


def _range_size(_renderer: Renderer, _session: Session, _resource: Resource, row: Row) -> int:
    first, last = span(row["_start"]), span(row["_end"])
    return last - first + 1


def _total_vlan_ids(_renderer: Renderer, _session: Session, _resource: Resource, row: Row) -> int:
    return sum(last - first + 1 for first, last in row["vid_ranges"])


def _utilization(renderer: Renderer, session: Session, resource: Resource, row: Row) -> str:
    used = session.store.count(session.registry.by_label["ipam.vlan"], '"group" = ?', (row["id"],))
    return f"{used * 100 / max(1, _total_vlan_ids(renderer, session, resource, row)):.2f}%"


def _choices_count(_renderer: Renderer, _session: Session, _resource: Resource, row: Row) -> int:
    return len(row["extra_choices"] or ())


_DATA_TYPES = {
    "integer": "integer",
    "decimal": "decimal",
    "boolean": "boolean",
    "object": "object",
    "multiobject": "array",
    "multiselect": "array",
    "json": "object",
}


def _data_type(_renderer: Renderer, _session: Session, _resource: Resource, row: Row) -> str:
    return _DATA_TYPES.get(row["type"], "string")


def _tagged_items(_renderer: Renderer, session: Session, _resource: Resource, row: Row) -> int:
    total = 0
    for resource, column in session.registry.listing("extras.tag"):
        total += session.store.count(resource, sql.member(column), (row["id"],))
    return total


def _token_key(_renderer: Renderer, _session: Session, _resource: Resource, row: Row) -> Any:
    return row["_key"]


def _never_shown(_renderer: Renderer, _session: Session, _resource: Resource, _row: Row) -> None:
    """A token's secret is shown once, in the answer that made it."""


def custom_fields_of(session: Session, resource: Resource, row: Row) -> dict[str, Any]:
    """Return the value of every custom field of the model, null for those that the object does not set."""
    kept = row["custom_fields"] or {}
    return {name: kept.get(name) for name in session.custom_fields(resource.label)}


COMPUTED: dict[tuple[str, str], Computed] = {
    ("", "url"): _url,
    ("", "display_url"): _display_url,
    ("", "display"): _display,
    ("dcim.device", "primary_ip"): _primary_ip,
    ("dcim.device", "config_context"): _config_context,
    ("dcim.interface", "bridge_interfaces"): _related("dcim.interface", "bridge", "NestedInterface"),
    ("dcim.interface", "count_ipaddresses"): _interface_addresses,
    ("dcim.modulebay", "installed_module"): _installed_module,
    ("dcim.modulebay", "_occupied"): _bay_occupied,
    ("dcim.location", "_depth"): _depth,
    ("dcim.devicerole", "_depth"): _depth,
    ("dcim.platform", "_depth"): _depth,
    ("ipam.prefix", "family"): _family("prefix"),
    ("ipam.prefix", "scope"): _generic("scope_type", "scope_id"),
    ("ipam.prefix", "children"): _prefix_children,
    ("ipam.prefix", "_depth"): _prefix_depth,
    ("ipam.iprange", "family"): _family("start_address"),
    ("ipam.iprange", "size"): _range_size,
    ("ipam.ipaddress", "family"): _family("address"),
    ("ipam.ipaddress", "assigned_object"): _generic("assigned_object_type", "assigned_object_id"),
    ("ipam.ipaddress", "nat_outside"): _related("ipam.ipaddress", "nat_inside", "NestedIPAddress"),
    ("ipam.vlangroup", "scope"): _generic("scope_type", "scope_id"),
    ("ipam.vlangroup", "total_vlan_ids"): _total_vlan_ids,
    ("ipam.vlangroup", "utilization"): _utilization,
    ("extras.customfieldchoiceset", "choices_count"): _choices_count,
    ("extras.customfield", "data_type"): _data_type,
    ("extras.tag", "tagged_items"): _tagged_items,
    ("extras.journalentry", "assigned_object"): _generic("assigned_object_type", "assigned_object_id"),
    ("extras.eventrule", "action_object"): _generic("action_object_type", "action_object_id"),
    ("core.objectchange", "changed_object"): _generic("changed_object_type", "changed_object_id"),
    ("vpn.l2vpntermination", "assigned_object"): _generic("assigned_object_type", "assigned_object_id"),
    ("users.token", "key"): _token_key,
    ("users.token", "token"): _never_shown,
}
