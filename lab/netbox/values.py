"""One field of a request: from what was sent to what is kept, or the text of the error (Django REST framework's and NetBox' own)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from lab.netbox.openapi import Field, Kind
from lab.netbox.session import Session
from lab.netbox.store import Row
from lab.netbox.tables import Resource

_TRUE = frozenset({True, "1", "true", "True", "t", "yes", "on"})
_FALSE = frozenset({False, "0", "false", "False", "f", "no", "off"})
_NOT_A_REFERENCE = "Related objects must be referenced by numeric ID or by dictionary of attributes. Received an unrecognized value: {}"


class BadValue(ValueError):
    """What is wrong with one field."""


def converted(session: Session, kept: Field, taken: Field, value: Any) -> Any:
    """Return the value to keep: `kept` says how it is kept, `taken` what a request may send. Raises BadValue."""
    if value is None:
        if taken.nullable or kept.kind is Kind.JSON:
            return None
        raise BadValue("This field may not be null.")
    if kept.kind is Kind.REFERENCE:
        return reference(session, kept.target or "", value)
    if kept.kind is Kind.MANY:
        return _many(session, kept.target or "", value)
    if kept.kind is Kind.CHOICE or taken.choices is not None:
        return _choice(taken, value)
    return _CONVERT[kept.kind](taken, value)


def _text(field: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadValue("Not a valid string.")
    text = str(value).strip()
    if not text and field.min_length:
        raise BadValue("This field may not be blank.")
    if field.max_length is not None and len(text) > field.max_length:
        raise BadValue(f"Ensure this field has no more than {field.max_length} characters.")
    if field.pattern and text and not re.search(field.pattern, text):
        if field.name == "slug":
            raise BadValue("Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.")
        raise BadValue("This value does not match the required pattern.")
    return text


def _integer(field: Field, value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"[+-]?\d+", str(value)):
        raise BadValue("A valid integer is required.")
    return int(_within(field, int(value)))


def _number(field: Field, value: Any) -> float:
    try:
        return _within(field, float(value))
    except (TypeError, ValueError) as error:
        raise error if isinstance(error, BadValue) else BadValue("A valid number is required.") from None


def _within(field: Field, value: float) -> float:
    if field.minimum is not None and value < field.minimum:
        raise BadValue(f"Ensure this value is greater than or equal to {field.minimum:g}.")
    if field.maximum is not None and value > field.maximum:
        raise BadValue(f"Ensure this value is less than or equal to {field.maximum:g}.")
    return value


def _boolean(_field: Field, value: Any) -> bool:
    if isinstance(value, str | int) and value in _TRUE:
        return True
    if isinstance(value, str | int) and value in _FALSE:
        return False
    raise BadValue("Must be a valid boolean.")


def _json(_field: Field, value: Any) -> Any:
    return value


def _choice(field: Field, value: Any) -> Any:
    if isinstance(value, dict | list):
        raise BadValue('Value must be passed directly (e.g. "foo": 123); do not use a dictionary or list.')
    if value == "":
        if field.blank or field.nullable:
            return None if field.nullable else ""
        raise BadValue("This field may not be blank.")
    if value not in (field.choices or {}):
        raise BadValue(f"{value} is not a valid choice.")
    return value


_CONVERT: Mapping[Kind, Callable[[Field, Any], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.JSON: _json,
}


def _many(session: Session, component: str, value: Any) -> list[int]:
    if not isinstance(value, list):
        raise BadValue(f'Expected a list of items but got type "{type(value).__name__}".')
    return list(dict.fromkeys(reference(session, component, item) for item in value))


def reference(session: Session, component: str, value: Any) -> int:
    """Return the id of the object that a request names by its id or by attributes that only it has. Raises BadValue."""
    resource = session.registry.of_component(component)
    if isinstance(value, dict):
        return _by_attributes(session, resource, value)
    if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value)):
        raise BadValue(_NOT_A_REFERENCE.format(value))
    if resource is None or session.get(resource, int(value)) is None:
        raise BadValue(f"Related object not found using the provided numeric ID: {value}")
    return int(value)


def _by_attributes(session: Session, resource: Resource | None, attributes: Mapping[str, Any]) -> int:
    if resource is not None and "id" in attributes:
        return reference(session, resource.endpoint.component, attributes["id"])
    found = _matching(session, resource, attributes) if resource is not None else []
    if len(found) > 1:
        raise BadValue(f"Multiple objects match the provided attributes: {dict(attributes)}")
    if not found:
        raise BadValue(f"Related object not found using the provided attributes: {dict(attributes)}")
    return int(found[0]["id"])


def _matching(session: Session, resource: Resource, attributes: Mapping[str, Any]) -> list[Row]:
    """Return the objects that have all the attributes; a nested dictionary names a referenced object in the same way."""
    conditions, values = [], []
    for name, value in attributes.items():
        if name not in resource.columns or isinstance(value, list):
            raise BadValue(f"Related object not found using the provided attributes: {dict(attributes)}")
        wanted = reference(session, resource.references[name], value) if isinstance(value, dict) else value
        conditions.append(f'"{name}" IS ?')
        values.append(wanted)
    return session.store.rows(resource, " AND ".join(conditions), values) if conditions else []
