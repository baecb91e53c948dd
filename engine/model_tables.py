"""Markdown tables of pydantic models, for the reference pages in docs/."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from engine.catalogue import models

_WORDS: Sequence[tuple[Any, str]] = (
    (str, "text"),
    (int, "integer"),
    (float, "number"),
    (bool, "boolean"),
    (Path, "path"),
    (SecretStr, "text (secret)"),
    (datetime, "time with zone"),
    (models.Scalar, "text, number or boolean"),
    (models.Expression, "expression"),
    (models.Condition, "condition"),
)
"""Types that have a word. Not a mapping: annotations with a Field cannot be hashed."""
_GENERIC = {get_args(models.Expression)[1].description, get_args(models.Condition)[1].description}
"""Descriptions that say no more than the type."""


def rows(model: type[BaseModel], name: Callable[[str, FieldInfo], str] = lambda name, _: name) -> Iterator[str]:
    """The lines of a table of the model's own fields: name, type, default, meaning. `name` spells a field for the reader."""
    yield "| field | type | default | meaning |\n|---|---|---|---|"
    for key, field, annotation in fields(model):
        yield f"| `{name(key, field)}` | {type_of(annotation)} | {default_of(field)} | {cell(meaning_of(field))} |"
    yield ""


def fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo, Any]]:
    """Name, facts and annotation of each field."""
    hints = typing.get_type_hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        yield name, field, hints[name]


def type_of(annotation: Any) -> str:
    """A type for people."""
    known = next((word for kind, word in _WORDS if kind == annotation), None)
    if known is not None:
        return known
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return type_of(arguments[0])
    if origin in (Union, UnionType):
        return _alternatives(a for a in arguments if a is not type(None))
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is tuple:
        return f"list of {type_of(arguments[0])}"
    if origin is dict:
        return f"mapping to {type_of(arguments[1])}"
    if issubclass(annotation, StrEnum):
        return " or ".join(f"`{value}`" for value in annotation)
    if issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    raise LookupError(f"no word for {annotation}")


def default_of(field: FieldInfo) -> str:
    """What holds when nothing is said: `-` for nothing, or for what only the meaning can tell."""
    if field.is_required():
        return "**needed**"
    if field.default is PydanticUndefined or field.default in (None, "", (), {}) or isinstance(field.default, BaseModel):
        return "-"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def meaning_of(field: FieldInfo) -> str:
    """The field's description, unless its type says it already."""
    return "" if field.description in _GENERIC else field.description or ""


def cell(text: str) -> str:
    """Text that may stand in a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def _alternatives(types: Iterable[Any]) -> str:
    members = tuple(types)
    if set(members) == set(get_args(models.Scalar)):
        return "text, number or boolean"
    return " or ".join(map(type_of, members))
