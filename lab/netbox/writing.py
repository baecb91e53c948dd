"""Creating and changing objects: a request's body becomes a row, or the errors that NetBox gives for it."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from lab.netbox import changes, customfields, unique
from lab.netbox.behaviours import AFTER_CREATE, AFTER_UPDATE, BEFORE_CREATE
from lab.netbox.errors import ApiError, invalid
from lab.netbox.openapi import Field, Kind
from lab.netbox.rules import RULES
from lab.netbox.session import Session
from lab.netbox.store import Row
from lab.netbox.tables import Resource
from lab.netbox.unique import Races
from lab.netbox.values import BadValue, converted

Body = Mapping[str, Any]
Written = list[tuple[str, int]]


def create(session: Session, races: Races, resource: Resource, body: Any, written: Written) -> Row:
    """Create one object and what comes with it. Raises ApiError; the caller's transaction is then to be taken back."""
    row = validated(session, resource, body, None)
    unique.check(session, races, resource, row, None)
    return insert(session, resource, row, body, written)


def create_all(session: Session, races: Races, resource: Resource, bodies: list[Any], written: Written) -> list[Row]:
    """Create all objects of a list or none. All are validated before the first is written, so two that are the same end in a 500."""
    if resource.model.sequential:
        return [create(session, races, resource, body, written) for body in bodies]
    rows, errors = [], []
    for body in bodies:
        try:
            row = validated(session, resource, body, None)
            unique.check(session, races, resource, row, None)
        except ApiError as error:
            if error.status != 400:
                raise
            errors.append(error.body)
        else:
            rows.append(row)
            errors.append({})
    if any(errors):
        raise invalid(errors)
    return [insert(session, resource, row, body, written) for row, body in zip(rows, bodies, strict=True)]


def insert(session: Session, resource: Resource, row: Row, body: Body, written: Written) -> Row:
    """Write a validated row, record the change, and make what comes with it (components of a device, of a module)."""
    before = BEFORE_CREATE.get(resource.label)
    if before is not None:
        before(session, row, body)
    now = session.stamps.next()
    row.update({name: now for name in ("created", "last_updated") if name in resource.kept})
    try:
        row["id"] = session.store.insert(resource, row)
    except sqlite3.IntegrityError:
        raise unique.database_error(session, resource, unique.violated(session, resource, row), row) from None
    session.see(resource, row)
    written.append((resource.label, row["id"]))
    changes.record(session, resource, "create", row, after=changes.snapshot(session, resource, row), message=_message(body))
    after = AFTER_CREATE.get(resource.label)
    if after is not None:
        for component, values in after(session, row, body):
            insert(session, component, {**blank(component), **values}, {}, written)
    return row


def update(session: Session, races: Races, resource: Resource, row: Row, body: Any, written: Written, *, partial: bool) -> Row:
    """Change one object. Even a request that changes nothing moves `last_updated`, and so the ETag."""
    before = changes.snapshot(session, resource, row)
    new = validated(session, resource, body, row, partial=partial)
    unique.check(session, races, resource, new, row["id"])
    if "last_updated" in resource.kept:
        new["last_updated"] = session.stamps.next()
    try:
        session.store.update(resource, row["id"], new)
    except sqlite3.IntegrityError:
        raise unique.database_error(session, resource, unique.violated(session, resource, new), new) from None
    session.forget()
    written.append((resource.label, row["id"]))
    after = changes.snapshot(session, resource, new)
    changes.record(session, resource, "update", new, before=before, after=after, message=_message(body))
    follow = AFTER_UPDATE.get(resource.label)
    if follow is not None:
        follow(session)
    return new


def validated(session: Session, resource: Resource, body: Any, row: Row | None, *, partial: bool = False) -> Row:
    """Return the row that a body makes of `row` (None: of nothing). Unknown fields are ignored. Raises ApiError 400."""
    if not isinstance(body, dict):
        raise invalid({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {type(body).__name__}."]})
    new = {**blank(resource), **customs(session, resource)} if row is None else dict(row)
    errors: dict[str, Any] = {}
    for name, taken in resource.taken.items():
        if name not in body:
            if taken.required and not partial:
                errors[name] = ["This field is required."]
            continue
        if name not in resource.kept:
            continue
        try:
            new[name] = _converted(session, resource, resource.kept[name], taken, body[name], row)
        except BadValue as error:
            errors[name] = [str(error)]
    if errors:
        raise invalid(errors)
    _change_tags(session, resource, new, body)
    rule = RULES.get(resource.label)
    if rule is not None:
        rule(session, resource, new)
    return new


def _converted(session: Session, resource: Resource, kept: Field, taken: Field, value: Any, row: Row | None) -> Any:
    if kept.name == "custom_fields":
        return customfields.merged(session, resource, value, (row["custom_fields"] or {}) if row is not None else None)
    return converted(session, kept, taken, value)


def customs(session: Session, resource: Resource) -> Row:
    """Return the custom fields that a new object has by default."""
    return {"custom_fields": customfields.defaults(session, resource)} if "custom_fields" in resource.kept else {}


def _change_tags(session: Session, resource: Resource, row: Row, body: Body) -> None:
    """4.6: `add_tags` and `remove_tags` change the tags that are there."""
    if "tags" not in resource.many or session.api.major_minor < (4, 6):
        return
    field = resource.kept["tags"]
    for name, keep in (("add_tags", True), ("remove_tags", False)):
        if name not in body:
            continue
        try:
            named = converted(session, field, resource.taken["tags"], body[name])
        except BadValue as error:
            raise invalid({name: [str(error)]}) from None
        rest = [key for key in row["tags"] or [] if key not in named]
        row["tags"] = [*rest, *named] if keep else rest


_BLANK: Mapping[Kind, Any] = {Kind.TEXT: "", Kind.BOOLEAN: False, Kind.CHOICE: "", Kind.NUMBER: None, Kind.INTEGER: None}


def blank(resource: Resource) -> Row:
    """Return a row of a model with nothing set: its defaults."""
    row: Row = {}
    for name, field in resource.kept.items():
        if name in resource.model.defaults:
            row[name] = resource.model.defaults[name]
        elif field.kind is Kind.MANY:
            row[name] = []
        elif name in ("custom_fields", "parameters"):
            row[name] = {}
        elif field.nullable or resource.taken.get(name, field).nullable:
            row[name] = None
        else:
            row[name] = _BLANK.get(field.kind)
    return row


def _message(body: Body) -> str:
    return str(body.get("changelog_message") or "")
