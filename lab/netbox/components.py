"""Interfaces and module bays that a device or module gets from the templates of its type.

In the name of a module's component `{module}` stands for the position of the bay (`LC{module}/P1` in the bay at position 3 is LC3/P1);
in a module within a module each `{module}` stands for one level, from the outside in (NetBox documentation, "Module types").
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lab.netbox.session import Session
from lab.netbox.store import Row
from lab.netbox.tables import Resource

TOKEN = "{module}"  # noqa: S105 not a password
_KINDS = {"dcim.interfacetemplate": "dcim.interface", "dcim.modulebaytemplate": "dcim.modulebay"}
_COPIED = ("name", "label", "type", "enabled", "mgmt_only", "description", "poe_mode", "poe_type", "rf_role", "position")


def of_device(session: Session, device: Row, _body: Mapping[str, Any]) -> Iterator[tuple[Resource, Row]]:
    """Give the components of a new device."""
    for resource, template in _templates(session, "device_type", device["device_type"]):
        yield resource, {**_copy(resource, template), "device": device["id"]}


def of_module(session: Session, module: Row, body: Mapping[str, Any]) -> Iterator[tuple[Resource, Row]]:
    """Give the components of a new module, none when the request says `replicate_components: false`; adopt those there if it asks so."""
    positions = _positions(session, module)
    for resource, template in _templates(session, "module_type", module["module_type"]):
        values = _copy(resource, template)
        values.update({name: resolved(values[name], positions) for name in ("name", "label", "position") if name in values})
        adopted = body.get("adopt_components") and _adopt(session, resource, module, values["name"])
        if not adopted and body.get("replicate_components", True):
            yield resource, {**values, "device": module["device"], "module": module["id"]}


def resolved(text: str, positions: list[str]) -> str:
    """Return `text` with each `{module}` replaced by the position of its level."""
    if text.count(TOKEN) == 1:
        return text.replace(TOKEN, positions[-1])
    for position in positions:
        text = text.replace(TOKEN, position, 1)
    return text


def _templates(session: Session, column: str, key: int) -> Iterator[tuple[Resource, Row]]:
    for label, made in _KINDS.items():
        for template in session.store.rows(session.registry.by_label[label], f'"{column}" = ?', (key,), "ORDER BY _sort"):
            yield session.registry.by_label[made], template


def _copy(resource: Resource, template: Row) -> Row:
    return {name: template[name] for name in _COPIED if name in resource.kept and name in template}


def _positions(session: Session, module: Row) -> list[str]:
    """Return the positions of the bays that the module is in, outermost first."""
    found: list[str] = []
    key: int | None = module["module_bay"]
    while key is not None:
        bay = session.get(session.registry.by_label["dcim.modulebay"], key)
        if bay is None:
            break
        found.insert(0, bay["position"] or "")
        outer = session.get(session.registry.by_label["dcim.module"], bay["module"]) if bay["module"] is not None else None
        key = outer["module_bay"] if outer else None
    return found


def _adopt(session: Session, resource: Resource, module: Row, name: str) -> bool:
    """Take a component of that name, which belongs to no module yet, into the module; False when there is none."""
    found = session.store.rows(resource, "device = ? AND name = ? AND module IS NULL", (module["device"], name))
    for row in found:
        session.store.update(resource, row["id"], {"module": module["id"], "last_updated": session.stamps.next()})
    return bool(found)
