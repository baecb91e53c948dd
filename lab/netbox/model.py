"""What is said of a model: what NetBox' OpenAPI document leaves out.

Fields, choices, nullability and references come from the document (`lab.netbox.openapi`); here are defaults, uniqueness, ordering, what
deleting does, and which relations filters go through.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Unique:
    """A set of columns that no two objects share (a null never collides, as in SQL)."""

    columns: tuple[str, ...]
    where: str | None = None
    """SQL condition under which the constraint holds."""
    key: str | None = None
    """Under which key the 400 stands; default: the field, or `non_field_errors` for several."""
    message: str | None = None
    """Text of the 400, formatted with the object's columns; default: Django REST framework's."""
    constraint: str | None = None
    """Name of the constraint in the database, as the 500 shows it."""
    in_database: bool = True
    """False: only Python checks it, so requests that race get past (prefixes; custom fields marked unique)."""
    locked: bool = False
    """Checked in Python under an advisory lock: no race gets past, though the database has no constraint (IP addresses)."""


@dataclass(frozen=True)
class Model:
    """One model. `label` is NetBox' name of it (`dcim.interface`), `path` where its list is below /api/."""

    label: str
    path: str
    display: str = "{name}"
    """Its `display`, formatted with its columns."""
    order: tuple[str, ...] = ("name",)
    """Default ordering; `name` sorts naturally (P2 before P12)."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    unique: tuple[Unique, ...] = ()
    cascade: frozenset[str] = frozenset()
    """References whose target takes this object with it when it is deleted."""
    protect: frozenset[str] = frozenset()
    """References whose target cannot be deleted while this object is there. All that are not nullable are protected anyway."""
    via: Mapping[str, str] = field(default_factory=dict)
    """Filters that follow references: `site` of an interface is `device.site`. Each gives `<name>` and `<name>_id`."""
    natural: str | None = None
    """The column by which filters on this model name it; default: slug, else name."""
    search: tuple[str, ...] = ()
    """Columns that `q` looks into, besides name and description."""
    counts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Computed counts: field -> (label of the counted model, its column)."""
    changes: bool = True
    """Whether object changes are recorded."""
    read_only: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    """Further columns that the engine keeps, with their SQL types."""
    unkept: frozenset[str] = frozenset()
    """Fields that requests may name but that follow from other objects."""
    sequential: bool = False
    """Whether a list is created one by one: the first error is the answer, and each sees those before it (devices)."""
    tree: bool = False
    """Whether a filter by one of these includes its descendants."""


NAMED = (Unique(("name",)), Unique(("slug",)))
"""Models that are known by a name and a slug, each unique."""
