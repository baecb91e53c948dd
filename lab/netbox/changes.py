"""The change log: one object change for each object that a request made, changed or deleted (`/api/core/object-changes/`)."""

from typing import Any

from lab.netbox.session import Session, display
from lab.netbox.store import Row
from lab.netbox.tables import Resource

_TIMES = ("created", "last_updated")


def snapshot(session: Session, resource: Resource, row: Row) -> dict[str, Any]:
    """Return an object as the change log keeps it: references as ids, tags by name, all custom fields."""
    data = {name: row[name] for name in resource.kept}
    if "custom_fields" in data:
        kept = row["custom_fields"] or {}
        data["custom_fields"] = {name: kept.get(name) for name in session.custom_fields(resource.label)}
    if "tags" in resource.many:
        tags = session.registry.by_label["extras.tag"]
        data["tags"] = sorted(tag["name"] for key in row["tags"] or () if (tag := session.get(tags, key)) is not None)
    return data


def record(
    session: Session, resource: Resource, action: str, row: Row, *, before: Any = None, after: Any = None, message: str = ""
) -> None:
    """Record that `row` was created, updated or deleted; an update that changed nothing but the time is not recorded (as NetBox)."""
    if not resource.model.changes or (action == "update" and _without_times(before) == _without_times(after)):
        return
    log = session.registry.by_label["core.objectchange"]
    user = session.user or {"id": None, "username": ""}
    change = {
        "time": session.stamps.next(),
        "user": user["id"],
        "user_name": user["username"],
        "request_id": session.request_id,
        "action": action,
        "changed_object_type": resource.label,
        "changed_object_id": row["id"],
        "object_repr": display(session, resource, row)[:200],
        "message": message,
        "prechange_data": before,
        "postchange_data": after,
    }
    session.store.insert(log, change)


def _without_times(data: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (data or {}).items() if name not in _TIMES}
