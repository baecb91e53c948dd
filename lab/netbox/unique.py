"""Uniqueness, and what the losers of a race for a unique value see.

NetBox validates first and lets the database decide last, several requests at a time. So the loser of a race gets a 400 when its validation
came after the winner's commit, and a 500 with IntegrityError when it came before. What only Python checks (prefixes, custom fields marked
unique) lets such a late request through: the value is there twice. This server does one request at a time; a request *raced* with a write
that was kept after the request had arrived, and of these every few are treated as if validated too early.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from lab.netbox import customfields
from lab.netbox.errors import ApiError, integrity_error, invalid
from lab.netbox.model import Unique
from lab.netbox.session import Session
from lab.netbox.store import Row
from lab.netbox.tables import Resource, constraint_name

_REMEMBERED = 4096
SLIP_THROUGH = 2
"""So many racing requests get past a check that only Python makes, for one value: with the winner 3, as 20 at once on a real NetBox."""


class Races:
    """Remembers which objects were written lately, and decides what the losers of races see."""

    def __init__(self, integrity_error_every: int = 5) -> None:
        """Of the losers of races every `integrity_error_every`-th is answered 500, beginning with the first; the others 400."""
        self.kept = 0
        """Number of the last request whose writes were kept."""
        self._every = integrity_error_every
        self._lost = 0
        self._written: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._slipped: OrderedDict[tuple[str, Any], int] = OrderedDict()

    def note(self, written: list[tuple[str, int]]) -> None:
        """Remember the objects (label, id) that a request wrote, once they are kept."""
        self.kept += 1
        for key in written:
            self._written[key] = self.kept
        while len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)

    def raced(self, session: Session, label: str, key: int) -> bool:
        """Return whether the object was written after the request had arrived."""
        return self._written.get((label, key), 0) > session.arrived

    def refused_by_database(self) -> bool:
        """Return whether this loser of a race is refused by the database (500) rather than by validation (400)."""
        self._lost += 1
        return self._lost % self._every == 1 if self._every > 1 else True

    def slips_through(self, label: str, value: Any) -> bool:
        """Return whether a racing request gets past a check that only Python makes."""
        count = self._slipped.pop((label, value), 0)
        self._slipped[label, value] = count + 1
        while len(self._slipped) > _REMEMBERED:
            self._slipped.popitem(last=False)
        return count < SLIP_THROUGH


def check(session: Session, races: Races, resource: Resource, row: Row, own: int | None) -> None:
    """Refuse a row that has a unique value of another object than `own`. Raises ApiError 400 or 500."""
    for unique in resource.uniques:
        other = _other(session, resource, unique, row, own)
        if other is None:
            continue
        raced = races.raced(session, resource.label, other)
        if raced and unique.in_database and races.refused_by_database():
            raise database_error(session, resource, unique, row)
        values = tuple(row.get(column) for column in unique.columns)
        if raced and not unique.in_database and not unique.locked and races.slips_through(resource.label, values):
            continue
        raise invalid({_key(unique): [_message(resource, unique, row)]})
    for field, value in _unique_fields(session, resource, row):
        other = customfields.taken_by(session, resource, field, value, own)
        if other is not None and not (races.raced(session, resource.label, other) and races.slips_through(field["name"], value)):
            raise invalid({"__all__": [f"Custom field '{field['name']}' must have a unique value."]})


def database_error(session: Session, resource: Resource, unique: Unique, row: Row) -> ApiError:
    """Return the 500 that the database's refusal causes."""
    columns = ", ".join(f"{name}_id" if name in resource.references else name for name in unique.columns)
    values = ", ".join(str(row.get(name)) for name in unique.columns)
    return integrity_error(constraint_name(resource, unique), f"({columns})=({values})", session.api.minor, session.api.release)


def violated(session: Session, resource: Resource, row: Row) -> Unique:
    """Return the constraint of the database that an insert of `row` violated."""
    hit = (
        unique for unique in resource.uniques if unique.in_database and _other(session, resource, unique, row, row.get("id")) is not None
    )
    return next(hit, resource.uniques[0])


def _other(session: Session, resource: Resource, unique: Unique, row: Row, own: int | None) -> int | None:
    values = [row.get(column) for column in unique.columns]
    if any(value is None for value in values):
        return None  # as in SQL, a null equals nothing
    where = " AND ".join(f'"{column}" = ?' for column in unique.columns)
    if unique.where:
        if row.get(unique.where.split()[0]) is not None:
            return None
        where += f" AND {unique.where}"
    found = session.store.values(resource, "id", f"{where} AND id IS NOT ?", (*values, own), "LIMIT 1")
    return int(found[0]) if found else None


def _unique_fields(session: Session, resource: Resource, row: Row) -> Iterator[tuple[Row, Any]]:
    for name, field in session.custom_fields(resource.label).items() if "custom_fields" in resource.kept else ():
        value = (row.get("custom_fields") or {}).get(name)
        if field["unique"] and value not in (None, ""):
            yield field, value


def _key(unique: Unique) -> str:
    if unique.key:
        return unique.key
    return unique.columns[0] if len(unique.columns) == 1 else "non_field_errors"


def _message(resource: Resource, unique: Unique, row: Row) -> str:
    if unique.message:
        return unique.message.format(**row)
    if len(unique.columns) == 1:
        words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in resource.verbose).strip()
        return f"{words} with this {unique.columns[0].replace('_', ' ')} already exists."
    return f"The fields {', '.join(unique.columns)} must make a unique set."
