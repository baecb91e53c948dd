"""Rows of the tables and the plain data of engine.tree: one function each way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from engine.errors import ErrorClass
from engine.ports import Allocation, Mark, ObjectRef, Trouble
from engine.states import Level, OrderState
from engine.tree import Instance, Item, Order, Step, StepKind, StepState

Row = dict[str, Any]
T = TypeVar("T", Order, Item, Step, Instance)


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def trouble_from(value: Mapping[str, Any] | None) -> Trouble | None:
    """A trouble as it was stored."""
    return Trouble(**{**value, "error_class": ErrorClass(value["error_class"])}) if value else None


def trouble_row(value: Trouble | None) -> Row | None:
    """A trouble as it is stored."""
    return None if value is None else {**vars(value), "error_class": str(value.error_class)}


_IN: Mapping[type, Mapping[str, Callable[[Any], Any]]] = {
    Order: {"level": Level, "state": OrderState, "created": datetime.fromisoformat, "started": _time, "ended": _time},
    Item: {
        "level": Level,
        "state": OrderState,
        "serves": tuple,
        "depends_on": tuple,
        "trouble": trouble_from,
        "started": _time,
        "ended": _time,
    },
    Step: {"kind": StepKind, "state": StepState, "needs": tuple, "trouble": trouble_from, "ended": _time},
    Instance: {"level": Level, "started": _time},
}
_NAMES = {cls: tuple(f.name for f in fields(cls)) for cls in _IN}


def read(cls: type[T], row: Mapping[Any, Any]) -> T:
    """The object of a row."""
    convert = _IN[cls]
    return cls(**{name: convert[name](row[name]) if name in convert else row[name] for name in _NAMES[cls]})


def write(value: Order | Item | Step | Instance) -> Row:
    """The row of an object."""
    return {name: _out(getattr(value, name)) for name in _NAMES[type(value)]}


def _out(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Trouble):
        return trouble_row(value)
    if isinstance(value, dict):
        return dict(value)  # so that a later change of the object is seen as a change of the row
    return value if isinstance(value, int | float | None) else str(value)


def read_allocation(row: Mapping[Any, Any]) -> Allocation:
    """The allocation of a row."""
    mark = Mark(row["order"], row["item"], row["name"])
    return Allocation(mark, row["kind"], row["service"], row["attributes"], tuple(ObjectRef(model, id_) for model, id_ in row["objects"]))


def write_allocation(value: Allocation, root: str, state: str) -> Row:
    """The row of an allocation."""
    return {
        **value.mark._asdict(),
        "root": root,
        "kind": value.kind,
        "service": value.service,
        "attributes": dict(value.attributes),
        "objects": [list(ref) for ref in value.objects],
        "state": state,
    }
