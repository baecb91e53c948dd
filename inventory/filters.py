"""The filters that we use, per list. NetBox ignores a filter that it does not know and returns *everything*
(netbox-community/netbox#19579), so `inventory.client` refuses to send one that is not here; a test compares this table with
the OpenAPI documents of 4.4 and 4.6.

pynetbox' own check (`strict_filters`) downloads the 13 MB schema of the server first, which takes it 20 seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

SHOW = frozenset({"limit", "offset", "ordering", "fields", "exclude"})
"""Parameters that say how to show, not what. `fields` and `exclude` work in 4.4 and 4.6; the OpenAPI documents do not have them all."""

_SLUG = frozenset({"id", "name", "slug"})

FILTERS: Mapping[str, frozenset[str]] = {
    "core/object-changes": frozenset({"id__gt", "request_id"}),
    "dcim/device-roles": _SLUG,
    "dcim/device-types": _SLUG - {"name"} | {"model"},
    "dcim/devices": frozenset({"id", "name", "role", "site_id", "status", "device_type", "device_type_id", "asset_tag", "tag__n"}),
    "dcim/interface-templates": frozenset({"device_type_id", "module_type_id"}),
    "dcim/interfaces": frozenset({"id", "name", "name__regex", "device_id", "device_status", "type", "tag__n"}),
    "dcim/locations": _SLUG,
    "dcim/manufacturers": _SLUG,
    "dcim/module-bay-templates": frozenset({"device_type_id"}),
    "dcim/module-bays": frozenset({"device_id"}),
    "dcim/module-types": frozenset({"id", "model"}),
    "dcim/modules": frozenset({"device_id"}),
    "dcim/platforms": _SLUG,
    "dcim/sites": _SLUG,
    "extras/custom-field-choice-sets": frozenset({"name"}),
    "extras/custom-fields": frozenset({"name"}),
    "extras/custom-links": frozenset({"name"}),
    "extras/tags": _SLUG,
    "ipam/ip-addresses": frozenset({"id", "address", "device_id", "tag__n"}),
    "ipam/prefixes": frozenset({"id", "description", "prefix", "within", "tag__n"}),
    "ipam/roles": _SLUG,
    "ipam/vlan-groups": _SLUG,
    "ipam/vlans": frozenset({"id", "group_id", "vid", "tag__n"}),
}
"""Path of the list below /api/ -> filters. Custom fields (`cf_<name>`) are besides: `inventory.client` checks those by what comes back."""
