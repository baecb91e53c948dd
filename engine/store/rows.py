"""Rows of the tables and the plain data of engine.tree: one function each way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from engine.errors import ErrorClass
from engine.model import Action, Event, Instance, Item, Order, Step, StepKind, StepState
from engine.ports import Allocation, Mark, ObjectRef, Trouble
from engine.states import Level, OrderState

Row = dict[str, Any]
Stored: TypeAlias = Order | Item | Step | Instance
T = TypeVar("T", Order, Item, Step, Instance)


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def trouble_from(value: Mapping[str, Any] | None) -> Trouble | None:
    """A trouble as it was stored."""
    return Trouble(**{**value, "error_class": ErrorClass(value["error_class"])}) if value else None


def trouble_row(value: Trouble | None) -> Row | None:
    """A trouble as it is stored."""
    return None if value is None else {**vars(value), "error_class": str(value.error_class)}


_LEVELS, _STATES = {str(level): level for level in Level}, {str(state): state for state in OrderState}
_ACTIONS = {str(action): action for action in Action}
_KINDS, _STEP_STATES = {str(kind): kind for kind in StepKind}, {str(state): state for state in StepState}

_IN: Mapping[type, Mapping[str, Callable[[Any], Any]]] = {
    Order: {
        "level": _LEVELS.__getitem__,
        "state": _STATES.__getitem__,
        "created": datetime.fromisoformat,
        "started": _time,
        "ended": _time,
    },
    Item: {
        "level": _LEVELS.__getitem__,
        "state": _STATES.__getitem__,
        "action": _ACTIONS.__getitem__,
        "serves": tuple,
        "depends_on": tuple,
        "trouble": trouble_from,
        "started": _time,
        "ended": _time,
    },
    Step: {
        "kind": _KINDS.__getitem__,
        "state": _STEP_STATES.__getitem__,
        "needs": tuple,
        "overdue": _time,
        "trouble": trouble_from,
        "ended": _time,
    },
    Instance: {"level": _LEVELS.__getitem__, "started": _time, "ended": _time},
}
_NAMES = {cls: tuple(f.name for f in fields(cls)) for cls in _IN}


def read(cls: type[T], row: Mapping[Any, Any]) -> T:
    """The object of a row."""
    convert = _IN[cls]
    values = {name: row[name] for name in _NAMES[cls]}
    for name, converted in convert.items():
        values[name] = converted(values[name])
    found = cls.__new__(cls)  # not by its constructor: setting attribute by attribute would cost ten times as much
    found.__dict__.update(values, is_new=False, changed=False)
    return found


def columns(cls: type[Stored]) -> tuple[str, ...]:
    """Names of the columns that the objects of a class fill."""
    return _NAMES[cls]


def write(value: Stored) -> Row:
    """The row of an object."""
    return {name: _out(getattr(value, name)) for name in _NAMES[type(value)]}


def _out(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Trouble):
        return trouble_row(value)
    return value if isinstance(value, int | float | dict | None) else str(value)


def write_event(event: Event) -> Row:
    """The row of an event."""
    return {
        "root": event.root,
        "order": event.order,
        "item": event.item,
        "type": event.type,
        "at": event.at.isoformat(timespec="seconds"),
        "data": dict(event.data),
    }


def read_allocation(row: Mapping[Any, Any]) -> Allocation:
    """The allocation of a row."""
    mark = Mark(row["order"], row["item"], row["name"])
    objects = tuple(ObjectRef(model, id_) for model, id_ in row["objects"])
    pool = row["pool"] or f"{row['kind']}:*"
    return Allocation(mark, row["kind"], row["service"], row["attributes"], objects, pool, row["asked"])


def write_allocation(value: Allocation, root: str, subscription: str, state: str) -> Row:
    """The row of an allocation."""
    return {
        **value.mark._asdict(),
        "root": root,
        "kind": value.kind,
        "service": value.service,
        "attributes": dict(value.attributes),
        "objects": [list(ref) for ref in value.objects],
        "asked": dict(value.asked),
        "subscription": subscription,
        "state": state,
        "pool": value.pool,
    }
