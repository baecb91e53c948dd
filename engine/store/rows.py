"""Rows of the tables and the plain data of engine.tree: one function each way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from pydantic_core import to_json

from engine.errors import ErrorClass
from engine.model import Action, Event, Instance, Item, Order, Step, StepKind, StepState
from engine.ports import Allocation, Mark, ObjectRef, Trouble
from engine.states import Level, OrderState, ProductState, ServiceState

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
_NOTHING: frozenset[str] = frozenset()
_NAMES = {cls: tuple(f.name for f in fields(cls)) for cls in _IN}


def read(cls: type[T], row: Mapping[Any, Any]) -> T:
    """The object of a row."""
    convert = _IN[cls]
    values = {name: row[name] for name in _NAMES[cls]}
    for name, converted in convert.items():
        values[name] = converted(values[name])
    found = cls.__new__(cls)  # not by its constructor: setting attribute by attribute would cost ten times as much
    found.__dict__.update(values, is_new=False, changes=_NOTHING)
    return found


def write(value: Stored, columns: Iterable[str] | None = None) -> Row:
    """The row of an object, or these columns of it, as engine.store.bulk takes it."""
    own = value.__dict__
    return {name: plain(own[name]) for name in columns or _NAMES[type(value)]}


def plain(value: Any) -> Any:
    """A value as drivers take it: time and JSON as text."""
    convert = _OUT.get(type(value))
    return value if convert is None else convert(value)


def _json(value: Any) -> str:
    return to_json(value).decode()


def _seconds(value: datetime) -> str:
    return value.isoformat(timespec="seconds")


_OUT: Mapping[type, Callable[[Any], Any]] = {
    datetime: _seconds,
    **dict.fromkeys((dict, list, tuple), _json),
    Trouble: lambda trouble: _json(trouble_row(trouble)),
    **dict.fromkeys((Action, Level, OrderState, ServiceState, ProductState, StepKind, StepState), str),
}


def write_event(event: Event) -> Row:
    """The row of an event."""
    return {
        "root": event.root,
        "order": event.order,
        "item": event.item,
        "type": event.type,
        "at": _seconds(event.at),
        "data": _json(event.data),
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
        "attributes": _json(dict(value.attributes)),
        "objects": _json(value.objects),
        "asked": _json(dict(value.asked)),
        "subscription": subscription,
        "state": state,
        "pool": value.pool,
    }
