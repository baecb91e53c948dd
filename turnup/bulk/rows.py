"""A row of a bulk file: an order, or what is wrong with it. One row never stops the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.catalogue.problems import Path as Where
from engine.catalogue.yaml_lines import Document
from engine.documents import View
from engine.errors import PlaybookInvalid, TurnupError
from engine.requests import OrderRequest
from turnup.playbook import named_in, validated


class RefusedRow(View):
    """A row that was not accepted, and why."""

    line: int
    external_id: str | None
    code: str
    message: str
    remedy: str


@dataclass(frozen=True)
class Row:
    """An order as it was read. `line`: where it begins, from 1."""

    line: int
    request: OrderRequest
    document: Document

    def refused(self, error: TurnupError) -> RefusedRow:
        """This row was refused, placed at the line of the first name in the message that the row has."""
        return refused(error, named_in(error.message, self.document) or self.line, self.request.external_id)


def row(document: Document, line: int) -> Row | RefusedRow:
    """The order that a part of a file asks for, or what is wrong with it."""
    found = validated(document)
    if isinstance(found, OrderRequest):
        return Row(line, found, document)
    message = "; ".join(problem for _, problem in found)
    return refused(PlaybookInvalid(message), max(line, found[0][0]), external_id(document.data))


def refused(error: TurnupError, line: int, name: str | None = None) -> RefusedRow:
    """A row with this error."""
    return RefusedRow(line=line, external_id=name, code=error.code, message=error.message, remedy=error.hint)


def external_id(data: object) -> str | None:
    """The external id of a row that may not be an order."""
    found = data.get("externalId") if isinstance(data, Mapping) else None
    return found if isinstance(found, str) else None


def on_line(data: Any, line: int, repeated: tuple[Where, ...] = ()) -> Document:
    """Data that stands on one line of its file."""
    return Document(data, dict.fromkeys(_paths(data, ()), line), repeated)


def _paths(data: object, path: Where) -> Iterator[Where]:
    if path:
        yield path
    inside = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inside:
        yield from _paths(value, (*path, key))
