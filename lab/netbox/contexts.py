"""Config contexts: data that devices get by site, role, platform, ... (NetBox documentation, "Configuration contexts")."""

from typing import Any

from lab.netbox.session import Session
from lab.netbox.store import Row

_SCOPES = {
    "sites": "site",
    "locations": "location",
    "device_types": "device_type",
    "roles": "role",
    "platforms": "platform",
    "tenants": "tenant",
}
_NEVER = ("regions", "site_groups", "cluster_types", "cluster_groups", "clusters", "tenant_groups")


def of_device(session: Session, device: Row) -> dict[str, Any]:
    """Return the data of all active contexts that apply to a device, later weights over earlier ones, its own data last."""
    contexts = session.registry.by_label["extras.configcontext"]
    rows = session.store.rows(contexts, "is_active = 1", tail="ORDER BY weight, name")
    merged: dict[str, Any] = {}
    for context in rows:
        if _applies(context, device) and _tagged(session, context, device):
            merged = _merge(merged, context["data"] or {})
    return _merge(merged, device["local_context_data"] or {})


def _applies(context: Row, device: Row) -> bool:
    """Return whether a context is for this device: of each scope that it names, one must fit."""
    if any(context.get(scope) for scope in _NEVER):
        return False  # nothing in the lab is in a region, group or cluster
    return all(not context[scope] or device[column] in context[scope] for scope, column in _SCOPES.items())


def _tagged(session: Session, context: Row, device: Row) -> bool:
    if not context["tags"]:
        return True
    tags = session.registry.by_label["extras.tag"]
    slugs = {tag["slug"] for key in device["tags"] or () if (tag := session.get(tags, key)) is not None}
    return bool(slugs & set(context["tags"]))


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Lay one document over another: dictionaries are merged, all else is replaced."""
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        merged[name] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
