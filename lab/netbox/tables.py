"""Models bound to the schema of one version: which fields each keeps and shows, and the table that keeps them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from lab.netbox.model import Model, Unique
from lab.netbox.models import MODELS
from lab.netbox.openapi import Component, Endpoint, Field, Kind, OpenApi

_TYPES = {
    Kind.TEXT: "TEXT",
    Kind.INTEGER: "INTEGER",
    Kind.NUMBER: "REAL",
    Kind.BOOLEAN: "INTEGER",
    Kind.CHOICE: "TEXT",
    Kind.REFERENCE: "INTEGER",
    Kind.MANY: "TEXT",
    Kind.JSON: "TEXT",
}
_KEPT_READ_ONLY = {"created": Kind.TEXT, "last_updated": Kind.TEXT}
_NATURAL = "_sort"


@dataclass(frozen=True)
class Resource:
    """A model as one version shows it. `shown` are the fields of answers, `taken` those of requests."""

    model: Model
    endpoint: Endpoint
    shown: Component
    taken: Component

    @cached_property
    def label(self) -> str:
        """NetBox' name of the model, `dcim.interface`."""
        return self.model.label

    @cached_property
    def table(self) -> str:
        """Name of its table."""
        return self.label.replace(".", "_")

    @cached_property
    def verbose(self) -> str:
        """The model's name in messages, `Interface`."""
        return self.endpoint.component.removesuffix("WithConfigContext")

    @cached_property
    def kept(self) -> dict[str, Field]:
        """The fields that are columns: what requests may set, when it was written, and all of a model that only the engine writes."""
        names = [name for name in self.shown if name in self.taken or name in _KEPT_READ_ONLY]
        names = [name for name in names if name not in self.model.unkept]
        if self.model.read_only:
            names = [name for name in self.shown if name not in ("id", "url", "display", "display_url", "changed_object")]
        return {name: self.shown[name] for name in names}

    @cached_property
    def columns(self) -> dict[str, str]:
        """Columns and their SQL types, without the id."""
        columns = {name: _TYPES[field.kind] for name, field in self.kept.items()}
        columns |= self.model.columns
        if "name" in columns:
            columns[_NATURAL] = "TEXT"
        return columns

    @cached_property
    def documents(self) -> tuple[str, ...]:
        """Columns that hold JSON."""
        return tuple(name for name, field in self.kept.items() if field.kind in (Kind.JSON, Kind.MANY))

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """Columns that hold a truth value (SQLite gives 0 and 1)."""
        return tuple(name for name, field in self.kept.items() if field.kind is Kind.BOOLEAN)

    @cached_property
    def references(self) -> dict[str, str]:
        """Columns that refer to another object -> the component they are shown as."""
        return {name: field.target or "" for name, field in self.kept.items() if field.kind is Kind.REFERENCE}

    @cached_property
    def many(self) -> dict[str, str]:
        """Columns that hold a list of ids -> the component they are shown as."""
        return {name: field.target or "" for name, field in self.kept.items() if field.kind is Kind.MANY}

    @cached_property
    def uniques(self) -> tuple[Unique, ...]:
        """The constraints whose columns this version has."""
        return tuple(unique for unique in self.model.unique if set(unique.columns) <= self.columns.keys())

    def ddl(self) -> Iterator[str]:
        """Give the SQL that makes the table and its indexes when they are not there."""
        columns = ", ".join(f'"{name}" {kind}' for name, kind in self.columns.items())
        # AUTOINCREMENT: as in NetBox, the id of a deleted object is never given again
        yield f'CREATE TABLE IF NOT EXISTS "{self.table}" (id INTEGER PRIMARY KEY AUTOINCREMENT, {columns})'
        for unique in self.uniques:
            if unique.in_database:
                yield f"CREATE UNIQUE INDEX IF NOT EXISTS {_index(self.table, unique)} ON {self._on(unique)}"
        for name in self.many:
            # few lists have anything in them: who looks for a tag or a VLAN need not read all others
            yield f'CREATE INDEX IF NOT EXISTS "{self.table}_{name}_some" ON "{self.table}" (id) WHERE "{name}" <> \'[]\''
        for names in self._indexed():
            on = ", ".join(f'"{name}"' for name in names)
            yield f'CREATE INDEX IF NOT EXISTS "{self.table}_{"_".join(names)}" ON "{self.table}" ({on})'

    def _on(self, unique: Unique) -> str:
        columns = ", ".join(f'"{name}"' for name in unique.columns)
        return f'"{self.table}" ({columns})' + (f" WHERE {unique.where}" if unique.where else "")

    def _indexed(self) -> Iterator[tuple[str, ...]]:
        yield from ((name,) for name in self.references)
        for name in ("name", "slug", "serial", "request_id", "_digest"):
            if name in self.columns:
                yield (name,)
        order = tuple("_sort" if name == "name" else name for name in self.model.order)
        if set(order) <= self.columns.keys():
            yield order
        yield from (unique.columns for unique in self.uniques if not unique.in_database)
        if "_start" in self.columns:
            yield ("_vrf", "_start")
        if "assigned_object_id" in self.columns:
            yield ("assigned_object_id", "assigned_object_type")


def constraint_name(resource: Resource, unique: Unique) -> str:
    """Return the constraint's name as PostgreSQL would show it."""
    return unique.constraint or f"{resource.table}_{'_'.join(unique.columns)}_key"


def _index(table: str, unique: Unique) -> str:
    return f'"{table}_{"_".join(unique.columns)}_{"part" if unique.where else "all"}_unique"'


class Registry:
    """All resources of one version: by label, by path, and by the component that they are shown as elsewhere."""

    def __init__(self, api: OpenApi, models: Iterable[Model] = MODELS) -> None:
        """Bind `models` to the document `api`."""
        self.api = api
        self.by_label: dict[str, Resource] = {}
        self.by_path: dict[str, Resource] = {}
        for model in models:
            endpoint = api.endpoints[model.path]
            taken = api.component(endpoint.request) if endpoint.request else {}
            resource = Resource(model, endpoint, api.component(endpoint.component), taken)
            self.by_label[model.label] = self.by_path[model.path] = resource
        self._by_name = {label.partition(".")[2]: resource for label, resource in self.by_label.items()}

    def __iter__(self) -> Iterator[Resource]:
        """Give all resources."""
        return iter(self.by_label.values())

    def of_component(self, component: str) -> Resource | None:
        """Return the resource that a component such as `BriefDevice` or `NestedInterface` shows; None when it is not played."""
        base = component.removeprefix("Brief").removeprefix("Nested").removesuffix("WithConfigContext")
        return self._by_name.get(base.lower())

    def pointing_at(self, label: str) -> Iterator[tuple[Resource, str]]:
        """Give every (resource, column) that refers to objects of the model `label`."""
        for resource in self:
            for column, component in resource.references.items():
                target = self.of_component(component)
                if target is not None and target.label == label:
                    yield resource, column

    def listing(self, label: str) -> Iterator[tuple[Resource, str]]:
        """Give every (resource, column) that lists ids of objects of the model `label`."""
        for resource in self:
            for column, component in resource.many.items():
                target = self.of_component(component)
                if target is not None and target.label == label:
                    yield resource, column
