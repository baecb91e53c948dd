"""Order playbooks: one order in a YAML file, written by an engineer. docs/playbooks.md lists the fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from engine.catalogue.problems import Path as Where
from engine.catalogue.problems import spelled
from engine.catalogue.yaml_lines import Document, NotYaml, read
from engine.errors import BadInput, CatalogueInvalid, PlaybookInvalid, SettingsInvalid
from engine.requests import Address, Customer, ItemRequest, OrderRequest
from engine.suggest import unknown

_MODELS: Mapping[Where, type[BaseModel]] = {(): OrderRequest, ("customer",): Customer, ("address",): Address, ("items",): ItemRequest}


@dataclass(frozen=True)
class Playbook:
    """An order as it was read, and where in the file each of its values stands."""

    request: OrderRequest
    file: Path
    document: Document

    def placed(self, error: BadInput) -> BadInput:
        """The same error with file and line before its message: of the first name in it that the playbook has.

        What is wrong with settings or catalogue is not the playbook's fault: then without them.
        """
        found = named_in(error.message, self.document)
        place = f"{self.file}: " if found is None else f"{self.file}:{found}: "
        if isinstance(error, SettingsInvalid | CatalogueInvalid):
            place = ""
        return type(error)(f"{place}{error.message}", target=error.target, remedy=error.hint)


def load(file: Path) -> Playbook:
    """Read and validate a playbook. Raises PlaybookInvalid with everything that is wrong, each with file, line and field."""
    try:
        document = read(text_of(file))
    except NotYaml as error:
        raise PlaybookInvalid(f"{file}:{error.line}: not YAML: {error}") from None
    request = validated(document)
    if not isinstance(request, OrderRequest):
        raise PlaybookInvalid("\n".join(f"{file}:{line}: {problem}" for line, problem in request))
    return Playbook(request, file, document)


def text_of(file: Path) -> str:
    """The text of a file, with its line ends as they are. Raises PlaybookInvalid."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PlaybookInvalid(f"{file} cannot be read: {reason}") from None


def validated(document: Document) -> OrderRequest | list[tuple[int, str]]:
    """The order that a document asks for, or everything that is wrong with it, each with its line."""
    problems = [(document.line(path), f"{spelled(path)}: the key is there twice") for path in document.repeated]
    try:
        request = OrderRequest.model_validate(document.data)
    except ValidationError as error:
        return problems + list(_problems(error, document))
    return problems or request


def named_in(message: str, document: Document) -> int | None:
    """The line of the first name in a message, among those in `backticks`, that the document has."""
    names = re.findall(r"`([^`]+)`", message)
    return next((line for name in names for path, line in document.lines.items() if path and _is(document, path, name)), None)


def _is(document: Document, path: Where, name: str) -> bool:
    return path[-1] == name or (path[-1] in ("offering", "specification") and _at(document.data, path) == name)


def _problems(error: ValidationError, document: Document) -> Iterator[tuple[int, str]]:
    seen: set[Where] = set()
    for found in error.errors(include_url=False, include_input=False):
        path = _known_part(document.data, found["loc"])
        message = found["msg"].removeprefix("Value error, ")
        if found["type"] == "extra_forbidden":
            message = unknown("field", str(found["loc"][-1]), _fields(path[:-1]))
        elif found["type"] == "missing":
            message = f"`{found['loc'][-1]}` is missing"
        elif found["type"] == "model_type":
            message = "a mapping of fields is needed here"
        elif found["type"] == "string_type":
            message = "text is needed here; numbers and dates are text when they stand in quotes"
        elif path in seen:
            continue  # a value that may have several types: one complaint is enough
        seen.add(path)
        where = f"{spelled(path)}: " if path else ""
        yield document.line(path), f"{where}{message}"


def _known_part(data: object, loc: tuple[int | str, ...]) -> Where:
    """Pydantic's location as far as the document goes (it also names members of unions, and fields that are missing)."""
    path: list[str | int] = []
    for part in loc:
        inside = _at(data, tuple(path))
        there = part in inside if isinstance(inside, Mapping) else isinstance(inside, list) and isinstance(part, int)
        if not there:
            break
        path.append(part)
    return tuple(path)


def _at(data: Any, path: Where) -> Any:
    for part in path:
        data = next((value for key, value in data.items() if str(key) == part), None) if isinstance(data, Mapping) else data[part]
    return data


def _fields(path: Where) -> list[str]:
    """Names, as they are written in a playbook, of the fields at this place."""
    model = _MODELS.get(tuple(part for part in path if isinstance(part, str)))
    return [field.alias or name for name, field in model.model_fields.items()] if model else []
