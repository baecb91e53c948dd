"""From rows to answers: the fields of a component in its order, references in brief, choices with their labels.

For each component a plan is made once: a list of names and how to get the value of each.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from lab.netbox.computed import COMPUTED, custom_fields_of
from lab.netbox.openapi import Field, Kind
from lab.netbox.session import Session
from lab.netbox.store import Row
from lab.netbox.tables import Registry, Resource

Body = dict[str, Any]
_Getter = Callable[[Session, Row], Any]
_ABSENT = object()

_EMPTY: Mapping[Kind, Any] = {Kind.TEXT: "", Kind.INTEGER: 0, Kind.BOOLEAN: False, Kind.MANY: (), Kind.JSON: None}


class Renderer:
    """Shows objects as one version of NetBox does."""

    def __init__(self, registry: Registry) -> None:
        """Make the plans of all components that can be shown, so that the document itself may be forgotten."""
        self._registry = registry
        self._plans: dict[tuple[str, str], list[tuple[str, _Getter]]] = {}
        for resource in registry:
            self._plan(resource, resource.endpoint.component)
            base = resource.endpoint.component.removesuffix("WithConfigContext")
            for component in (f"Brief{base}", f"Nested{base}"):
                if registry.api.has(component):
                    self._plan(resource, component)

    def brief(self, component: str) -> str:
        """Return the component that shows an object in brief."""
        base = component.removesuffix("WithConfigContext")
        if base.startswith(("Brief", "Nested")):
            return base
        return next((name for name in (f"Brief{base}", f"Nested{base}") if self._registry.api.has(name)), component)

    def show(
        self, session: Session, resource: Resource, row: Row, *, only: Collection[str] = (), omit: Collection[str] = (), brief: bool = False
    ) -> Body:
        """Return an object in full, in brief, with `only` some fields, or without those in `omit`."""
        component = self.brief(resource.endpoint.component) if brief else resource.endpoint.component
        plan = self._plan(resource, component)
        if only:
            plan = [(name, getter) for name, getter in plan if name in only]
        elif omit:
            plan = [(name, getter) for name, getter in plan if name not in omit]
        return {name: getter(session, row) for name, getter in plan}

    def show_all(self, session: Session, resource: Resource, rows: Iterable[Row], **how: Any) -> list[Body]:
        """Return several objects, each as `show` does."""
        return [self.show(session, resource, row, **how) for row in rows]

    def nested(self, session: Session, component: str, key: int | None) -> Body | None:
        """Return the object that a reference points to, as `component` shows it; counts are not part of it."""
        found = session.refer(component, key) if key is not None else None
        return self.as_component(session, found[0], component, found[1]) if found else None

    def as_component(self, session: Session, resource: Resource, component: str, row: Row) -> Body:
        """Return an object as a component shows it within another one."""
        plan = self._plan(resource, component)
        counted = resource.model.counts
        return {name: getter(session, row) for name, getter in plan if name not in counted and not name.endswith("_count")}

    def _plan(self, resource: Resource, component: str) -> list[tuple[str, _Getter]]:
        known = (resource.label, component)
        if known not in self._plans:
            fields = self._registry.api.component(component)
            self._plans[known] = [(name, self._getter(resource, field)) for name, field in fields.items()]
        return self._plans[known]

    def _getter(self, resource: Resource, field: Field) -> _Getter:
        name = field.name
        computed = COMPUTED.get((resource.label, name)) or COMPUTED.get(("", name))
        if computed is not None:
            return lambda session, row: computed(self, session, resource, row)
        if name == "custom_fields":
            return lambda session, row: custom_fields_of(session, resource, row)
        if name in resource.model.counts:
            return _counter(self._registry, *resource.model.counts[name])
        if name not in resource.columns and name != "id":
            empty = None if field.nullable else _EMPTY.get(field.kind)
            return lambda _session, _row: list(empty) if isinstance(empty, tuple) else empty
        if field.kind is Kind.CHOICE:
            return _choice(field)
        if field.kind is Kind.REFERENCE:
            component = field.target or ""
            return lambda session, row: self.nested(session, component, row[name])
        if field.kind is Kind.MANY:
            component = self.brief(field.target or "")
            return lambda session, row: [body for key in row[name] or () if (body := self.nested(session, component, key)) is not None]
        return lambda _session, row: row[name]


def _choice(field: Field) -> _Getter:
    labels, name = field.choices or {}, field.name

    def get(_session: Session, row: Row) -> Body | None:
        value = row[name]
        return {"value": value, "label": labels.get(value, value)} if value not in ("", None) else None

    return get


def _counter(registry: Registry, label: str, column: str) -> _Getter:
    def get(session: Session, row: Row) -> int:
        return session.store.count(registry.by_label[label], f'"{column}" = ?', (row["id"],))

    return get
