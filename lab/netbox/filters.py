"""Query parameters of a list, as SQL conditions.

Which parameters exist is read from NetBox' document; **a parameter that it does not name is ignored**, as NetBox does, and so everything is
returned. One that it names and that is not played here is answered 501. Repeated values mean "or", different parameters "and".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.netbox import lookups, sql
from lab.netbox.errors import invalid, not_played
from lab.netbox.filters_special import SPECIAL
from lab.netbox.openapi import Kind
from lab.netbox.session import Session
from lab.netbox.tables import Resource

CONTROLS = frozenset({"limit", "offset", "start", "ordering", "brief", "fields", "omit", "exclude", "format", "include"})
"""Parameters that say how to show, not what."""
_BY_REQUEST = {"created_by_request": ("create",), "updated_by_request": ("update",), "modified_by_request": ("create", "update")}
_NULL = "null"


@dataclass
class Condition:
    """A growing SQL condition with its bound values."""

    parts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, sql: str, values: Iterable[Any] = ()) -> None:
        """Require `sql` as well."""
        self.parts.append(f"({sql})")
        self.values.extend(values)

    @property
    def sql(self) -> str:
        """The whole condition."""
        return " AND ".join(self.parts) or "1"


Parameters = Mapping[str, Sequence[str]]


def condition(session: Session, resource: Resource, parameters: Parameters) -> Condition:
    """Return what the parameters of a list ask for. Raises ApiError 400 for an illegal value, 501 for a filter that is not played."""
    found = Condition()
    for name, values in parameters.items():
        if name in CONTROLS:
            continue
        if name.startswith("cf_"):
            _custom(session, resource, name, values, found)
        elif name in resource.endpoint.filters and any(value != "" for value in values):
            _known(session, resource, name, [value for value in values if value != ""], found)
    return found


def _known(session: Session, resource: Resource, name: str, values: Sequence[str], found: Condition) -> None:
    base, _, lookup = name.partition("__")
    special = SPECIAL.get((resource.label, base)) or SPECIAL.get(("", base))
    if special is not None:
        test, bound = special(session, resource, values)
        found.add(f"NOT ({test})" if lookup == "n" else test, bound)
    elif name in _BY_REQUEST:
        actions = _BY_REQUEST[name]
        where = f"request_id = ? AND changed_object_type = ? AND {sql.among('action', len(actions))}"
        changed = f"SELECT changed_object_id FROM core_objectchange WHERE {where}"  # noqa: S608 values are bound
        found.add(f"id IN ({changed})", (values[0], resource.label, *actions))
    elif base == "q":
        _search(resource, values[0], found)
    elif base in ("tag", "tag_id") and "tags" in resource.many:
        _tag(session, base, values, lookup, found)
    elif not _related(session, resource, base, lookup, values, found):
        _column(resource, base, lookup, values, found)


def _column(resource: Resource, base: str, lookup: str, values: Sequence[str], found: Condition) -> None:
    if base != "id" and base not in resource.kept:
        raise not_played(f"the filter {base!r} of {resource.label}")
    kind = Kind.INTEGER if base == "id" else resource.kept[base].kind
    if kind is Kind.CHOICE and not lookup:
        legal = resource.kept[base].choices or {}
        for value in values:
            if value not in legal and value != _NULL:
                raise invalid({base: [f"Select a valid choice. {value} is not one of the available choices."]})
    name = f"{base}__{lookup}" if lookup else base
    found.add(*lookups.compare(f'"{base}"', kind, lookup, values, name))


def _custom(session: Session, resource: Resource, name: str, values: Sequence[str], found: Condition) -> None:
    """Filter by a custom field; `loose` (the default of a text field) means: contains, whatever the case."""
    base, _, lookup = name.removeprefix("cf_").partition("__")
    definition = session.custom_fields(resource.label).get(base) if "custom_fields" in resource.kept else None
    if definition is None or definition["filter_logic"] == "disabled":
        return
    kind = {"integer": Kind.INTEGER, "decimal": Kind.NUMBER, "boolean": Kind.BOOLEAN}.get(definition["type"], Kind.TEXT)
    loose = definition["filter_logic"] == "loose" and definition["type"] in ("text", "longtext", "url", "json")
    column = f"json_extract(custom_fields, '$.\"{base}\"')"
    found.add(*lookups.compare(column, kind, lookup or ("ic" if loose else ""), values, name))


def _search(resource: Resource, text: str, found: Condition) -> None:
    columns = [name for name in ("name", "description", *resource.model.search) if name in resource.columns]
    pattern = f"%{lookups.escaped(text)}%"
    found.add(" OR ".join(f"\"{name}\" LIKE ? ESCAPE '\\'" for name in columns), [pattern] * len(columns))


def _tag(session: Session, base: str, values: Sequence[str], lookup: str, found: Condition) -> None:
    """Filter by tags: all that are named must be there (`__any`: one of them)."""
    tags = session.registry.by_label["extras.tag"]
    keys, _ = _targets(session, tags, values, by_id=base == "tag_id", parameter=base)
    joined = (" OR " if lookup in ("any", "n") else " AND ").join(f"({sql.member('tags')})" for _ in keys)
    found.add(f"NOT ({joined})" if lookup == "n" else joined, keys)


def _related(session: Session, resource: Resource, base: str, lookup: str, values: Sequence[str], found: Condition) -> bool:
    """Filter by what a reference points to, `<name>_id` by id and `<name>` by slug or name; False when `base` is no reference."""
    by_id = base.endswith("_id") and base.removesuffix("_id") in {*resource.references, *resource.model.via}
    name = base.removesuffix("_id") if by_id else base
    path = resource.model.via.get(name, name)
    if path.split(".")[0] not in resource.references:
        return False
    target, wrap = _walk(session, resource, path)
    if target is None:
        found.add("0")  # of a model that is not played there are no objects
        return True
    keys, null = _targets(session, target, values, by_id=by_id, parameter=base)
    inside = wrap(len(keys)) if keys else "0"
    column = path.split(".")[0]
    test = f'{inside} OR "{column}" IS NULL' if null else inside
    found.add(f"NOT ({test})" if lookup == "n" else test, keys)
    return True


def _walk(session: Session, resource: Resource, path: str) -> tuple[Resource | None, Callable[[int], str]]:
    """Follow a path of references; returns the model at its end, and how to ask that the id there is among some values."""
    first, _, rest = path.partition(".")
    target = session.registry.of_component(resource.references[first])
    if not rest or target is None:
        return target, lambda count: sql.among(first, count)
    end, inner = _walk(session, target, rest)
    table = target.table
    return end, lambda count: sql.pointing(first, table, inner(count))


def _targets(session: Session, target: Resource, values: Sequence[str], *, by_id: bool, parameter: str) -> tuple[list[int], bool]:
    """Return the ids that the values name, with descendants where models form a tree. Raises ApiError 400 for a value that names none."""
    column = "id" if by_id else target.model.natural or ("slug" if "slug" in target.columns else "name")
    keys: list[int] = []
    for value in values:
        if value == _NULL:
            continue
        if by_id and not value.lstrip("-").isdigit():
            raise invalid({parameter: [f"“{value}” is not a valid value."]})
        named = session.store.values(target, "id", f'"{column}" = ?', (value,))
        if not named:
            raise invalid({parameter: [f"Select a valid choice. {value} is not one of the available choices."]})
        keys.extend(named)
    if target.model.tree:
        keys = _with_descendants(session, target, keys)
    return keys, _NULL in values


def _with_descendants(session: Session, target: Resource, keys: list[int]) -> list[int]:
    found, level = list(keys), list(keys)
    while level:
        level = session.store.values(target, "id", sql.among("parent", len(level)), level)
        level = [key for key in level if key not in found]
        found.extend(level)
    return found
