"""One request's view of the objects: who asks, what was read already, and where changes are noted."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.netbox import sql
from lab.netbox.openapi import OpenApi
from lab.netbox.store import Row, Store
from lab.netbox.tables import Registry, Resource

_TICK = timedelta(microseconds=1)


class Stamps:
    """Gives the times of writes: real time, and never the same twice, so that an ETag stands for one state only."""

    def __init__(self) -> None:
        """Start with now."""
        self._last = datetime.now(UTC)

    def next(self) -> str:
        """Return the time as NetBox shows it, `2024-03-11T09:00:00.123456Z`."""
        self._last = max(datetime.now(UTC), self._last + _TICK)
        return self._last.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Session:
    """What the parts of one request share."""

    store: Store
    registry: Registry
    stamps: Stamps
    base: str = ""
    """Scheme and authority of the request, for `url` fields."""
    arrived: int = 0
    """Number of the last write that was kept when the request arrived: what came later, it races with."""
    user: Row | None = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    fields: dict[str, dict[str, Row]] = field(default_factory=dict)
    """Custom fields by object type, kept between requests; cleared when one changes."""
    _seen: dict[tuple[str, int], Row | None] = field(default_factory=dict)

    @property
    def api(self) -> OpenApi:
        """The document of the version that is played."""
        return self.registry.api

    def get(self, resource: Resource, key: int) -> Row | None:
        """Return an object by id, reading it once a request."""
        known = (resource.label, key)
        if known not in self._seen:
            self._seen[known] = self.store.get(resource, key)
        return self._seen[known]

    def see(self, resource: Resource, row: Row) -> None:
        """Remember a row that was read in another way."""
        self._seen[resource.label, row["id"]] = row

    def forget(self) -> None:
        """Read everything anew: something was written."""
        self._seen.clear()

    def custom_fields(self, label: str) -> dict[str, Row]:
        """Return the custom fields of a model, by name, in the order in which they are shown."""
        if label not in self.fields:
            resource = self.registry.by_label["extras.customfield"]
            rows = self.store.rows(resource, sql.member("object_types"), (label,), "ORDER BY group_name, weight, name")
            self.fields[label] = {row["name"]: row for row in rows}
        return self.fields[label]

    def refer(self, component: str, key: int) -> tuple[Resource, Row] | None:
        """Return the object that a reference shown as `component` points to; None when it is gone or its model is not played."""
        resource = self.registry.of_component(component)
        row = self.get(resource, key) if resource is not None else None
        return (resource, row) if resource is not None and row is not None else None

    def generic(self, label: str | None, key: int | None) -> tuple[Resource, Row] | None:
        """Return the object that a pair such as `scope_type`, `scope_id` points to."""
        resource = self.registry.by_label.get(label or "")
        row = self.get(resource, key) if resource is not None and key is not None else None
        return (resource, row) if resource is not None and row is not None else None


def display(session: Session, resource: Resource, row: Row) -> str:
    """Return an object's `display`: its model's pattern, in which a column that is a reference stands for the object it points to."""
    values: dict[str, Any] = {**row}
    for name, component in resource.references.items():
        if f"{{{name}[" in resource.model.display and row.get(name) is not None:
            found = session.refer(component, row[name])
            values[name] = found[1] if found else {}
    if resource.label == "dcim.device" and not row.get("name"):
        device_type = session.refer("DeviceType", row["device_type"])
        return f"{device_type[1]['model'] if device_type else ''} ({row['id']})"
    if resource.label == "extras.customfield" and not row.get("label"):
        return str(row["name"]).replace("_", " ").capitalize()
    return resource.model.display.format(**values)
