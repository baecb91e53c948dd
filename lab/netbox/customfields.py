"""Custom fields: values of fields that users define, checked against their definitions.

NetBox 4.6 refuses a custom field that the model does not have, 4.4 keeps it silently (and never shows it).
"""

import datetime
import re
from typing import Any

from lab.netbox.errors import invalid
from lab.netbox.session import Session
from lab.netbox.store import Row
from lab.netbox.tables import Resource

_NUMBERS = {"integer": "Value must be an integer.", "decimal": "Value must be a decimal."}


def merged(session: Session, resource: Resource, sent: Any, kept: dict[str, Any] | None) -> dict[str, Any]:
    """Return the custom fields of an object after a request: what was sent laid over what is `kept` (None: the object is new)."""
    if not isinstance(sent, dict):
        text = "Invalid data format. Custom field data must be passed as a dictionary mapping field names to their values."
        raise invalid({"custom_fields": [text]})
    known = session.custom_fields(resource.label)
    unknown = sorted(sent.keys() - known.keys())
    if unknown and session.api.major_minor >= (4, 5):
        raise invalid({"custom_fields": {name: [f"Custom field '{name}' does not exist for this object type."] for name in unknown}})
    values = {**(defaults(session, resource) if kept is None else kept), **sent}
    for name, field in known.items():
        problem = _problem(session, field, values.get(name))
        if problem:
            raise invalid({"__all__": [f"Invalid value for custom field '{name}': {problem}"]})
        if field["required"] and values.get(name) in (None, ""):
            raise invalid({"__all__": [f"Missing required custom field '{name}'."]})
    return values


def defaults(session: Session, resource: Resource) -> dict[str, Any]:
    """Return what a new object has when the request says nothing."""
    return {name: field["default"] for name, field in session.custom_fields(resource.label).items() if field["default"] is not None}


def _problem(session: Session, field: Row, value: Any) -> str | None:
    """Return what is wrong with a value, None when it is legal."""
    if value in (None, "", []):
        return None
    kind = field["type"]
    if kind in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int if kind == "integer" else (int, float))):
        return _NUMBERS[kind]
    if kind == "boolean" and not isinstance(value, bool):
        return "Value must be true or false."
    if kind in ("date", "datetime"):
        return _no_date(kind, value)
    if kind in ("text", "longtext", "url") and not isinstance(value, str):
        return "Value must be a string."
    if kind in ("text", "longtext") and field["validation_regex"] and not re.match(field["validation_regex"], value):
        return f"Value must match regex '{field['validation_regex']}'"
    if kind in ("select", "multiselect"):
        return _no_choice(session, field, value if isinstance(value, list) else [value])
    return _outside(field, value) if kind in _NUMBERS else None


def _no_date(kind: str, value: Any) -> str | None:
    reader = datetime.date.fromisoformat if kind == "date" else datetime.datetime.fromisoformat
    try:
        reader(value)
    except (TypeError, ValueError):
        shape = "YYYY-MM-DD" if kind == "date" else "YYYY-MM-DD HH:MM:SS"
        return f"{'Date' if kind == 'date' else 'Date and time'} values must be in ISO 8601 format ({shape})."
    return None


def _no_choice(session: Session, field: Row, values: list[Any]) -> str | None:
    found = session.refer("CustomFieldChoiceSet", field["choice_set"])
    legal = [choice[0] for choice in found[1]["extra_choices"]] if found else []
    wrong = [value for value in values if value not in legal]
    return f"Invalid choice ({wrong[0]}) for choice set {found[1]['name'] if found else ''}." if wrong else None


def _outside(field: Row, value: float) -> str | None:
    if field["validation_minimum"] is not None and value < field["validation_minimum"]:
        return f"Value must be at least {field['validation_minimum']}"
    if field["validation_maximum"] is not None and value > field["validation_maximum"]:
        return f"Value must not exceed {field['validation_maximum']}"
    return None


def taken_by(session: Session, resource: Resource, field: Row, value: Any, own: int | None) -> int | None:
    """Return the id of another object that has this value of a custom field marked unique."""
    where = "json_extract(custom_fields, ?) = ? AND id IS NOT ?"
    found = session.store.rows(resource, where, (f'$."{field["name"]}"', value, own))
    return int(found[0]["id"]) if found else None


def drop(session: Session, field: Row) -> None:
    """Remove the values of a custom field that is deleted from all objects."""
    for label in field["object_types"]:
        resource = session.registry.by_label.get(label)
        if resource is None or resource.kept.get("custom_fields") is None:
            continue
        for row in session.store.rows(resource, "json_extract(custom_fields, ?) IS NOT NULL", (f'$."{field["name"]}"',)):
            rest = {name: value for name, value in row["custom_fields"].items() if name != field["name"]}
            session.store.update(resource, row["id"], {"custom_fields": rest})
