"""From catalog/*.yaml and templates/ to a checked Catalogue."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.check import check
from engine.catalogue.models import CatalogueFile, CatalogueSettings
from engine.catalogue.problems import Path, Problem, Sources, spelled
from engine.catalogue.yaml_lines import Document, NotYaml, read
from engine.errors import CatalogueInvalid
from engine.suggest import unknown

KINDS: Mapping[str, str] = {"offerings": "id", "products": "id", "services": "id", "resources": "id", "policies": "name"}
"""Kinds of entries that are known by an id, and the field that holds it."""


def load(folder: File, templates: File) -> Catalogue:
    """The catalogue of a folder with YAML files (*.yaml, in the order of their names) and the templates below another.

    Raises CatalogueInvalid that lists everything that is wrong, each with file and line.
    """
    catalogue, problems = examine(folder, templates)
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise CatalogueInvalid(f"{count} in the catalogue\n" + "\n".join(map(str, problems)))
    return catalogue


def examine(folder: File, templates: File) -> tuple[Catalogue, list[Problem]]:
    """The catalogue as far as it can be read, and everything that is wrong with it."""
    problems: list[Problem] = []
    merged: dict[str, list[Any]] = {kind: [] for kind in (*KINDS, "failure_policy")}
    lines: dict[Path, tuple[str, int]] = {}
    settings = CatalogueSettings()
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    if not files:
        problems.append(Problem(str(folder), 0, "", "there is no *.yaml file"))
    for file in files:
        name = f"{folder.name}/{file.name}"
        content, document = _read_file(file, name, problems)
        if content is not None and document is not None:
            _merge(content, document, name, merged, lines, problems)
            settings = content.settings if _settings(content, document, name, lines, problems) else settings
    texts = read_templates(templates)
    content = CatalogueFile.model_construct(None, settings=settings, **{kind: tuple(entries) for kind, entries in merged.items()})
    catalogue = Catalogue.of(content, texts, Sources(lines, templates.name))
    if not problems:  # what is not read would be reported once more wherever it is referenced
        problems = check(catalogue)
    return catalogue, sorted(problems)


def read_templates(folder: File) -> dict[str, str]:
    """Path below the folder -> text, of every *.j2."""
    return {file.relative_to(folder).as_posix(): file.read_text("utf-8") for file in sorted(folder.rglob("*.j2"))}


def _read_file(file: File, name: str, problems: list[Problem]) -> tuple[CatalogueFile | None, Document | None]:
    try:
        document = read(file.read_text("utf-8"))
    except NotYaml as error:
        problems.append(Problem(name, error.line, "", f"not YAML: {error}"))
        return None, None
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(name, 0, "", f"cannot be read: {error}"))
        return None, None
    problems += [Problem(name, document.line(path), _where(document.data, path), "the key is there twice") for path in document.repeated]
    try:
        return CatalogueFile.model_validate(document.data), document
    except ValidationError as error:
        problems += [_problem(name, document, found["loc"], found["type"], found["msg"]) for found in error.errors()]
        return None, None


def _merge(
    content: CatalogueFile,
    document: Document,
    name: str,
    merged: dict[str, list[Any]],
    lines: dict[Path, tuple[str, int]],
    problems: list[Problem],
) -> None:
    """Add the entries of one file and remember where they stand. What is there already is a problem: an id, or the settings."""
    for kind, entries in merged.items():
        for index, entry in enumerate(getattr(content, kind)):
            identity = getattr(entry, KINDS[kind]) if kind in KINDS else len(entries)
            if (kind, identity) in lines:
                file, line = lines[kind, identity]
                problems.append(Problem(name, document.line((kind, index)), str(identity), f"is already at {file}:{line}"))
                continue
            entries.append(entry)
            begin = (kind, index)
            lines.update(
                {(kind, identity, *path[2:]): (name, line) for path, line in document.lines.items() if path[:2] == begin},
            )


def _settings(content: CatalogueFile, document: Document, name: str, lines: dict[Path, tuple[str, int]], problems: list[Problem]) -> bool:
    """Whether the settings are those of this file; two files that have some are a problem."""
    if "settings" not in content.model_fields_set:
        return False
    if ("settings",) in lines:
        file, line = lines["settings",]
        problems.append(Problem(name, document.line(("settings",)), "settings", f"are already at {file}:{line}"))
        return False
    lines.update({path: (name, line) for path, line in document.lines.items() if path[:1] == ("settings",)})
    return True


def _problem(name: str, document: Document, loc: tuple[int | str, ...], kind: str, message: str) -> Problem:
    path = _in_document(document.data, loc)
    if kind == "extra_forbidden":
        message = unknown("field", str(loc[-1]), _fields(CatalogueFile, path[:-1]))
    elif kind == "missing":
        message = f"`{loc[-1]}` is missing"
        path = path[:-1] if path and path[-1] == loc[-1] else path
    return Problem(name, document.line(path), _where(document.data, path), message)


def _in_document(data: object, loc: tuple[int | str, ...]) -> Path:
    """Pydantic's location without what is no way to a value (`[key]`, names of union members, fields that are missing)."""
    path: list[str | int] = []
    for part in loc:
        here: Any = data
        if isinstance(here, dict) and any(str(key) == part for key in here):
            data = next(value for key, value in here.items() if str(key) == part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            data = here[part]
        else:
            break
        path.append(part)
    return tuple(path)


def _where(data: object, path: Path) -> str:
    """The path with the entry's id for its number: `RFS:VLAN-Service.depends_on[0]`."""
    if len(path) >= 2 and path[0] in KINDS:
        entries: Any = data
        entry = entries[path[0]][path[1]]
        identity = entry.get(KINDS[str(path[0])]) if isinstance(entry, dict) else None
        if identity is not None:
            return spelled((str(identity), *path[2:]))
    return spelled(path)


def _fields(model: type[BaseModel], path: Path) -> list[str]:
    """Names of the fields that the model at this path of a document has."""
    here: Any = model
    for part in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            here = here.model_fields[str(part)].annotation
        else:
            here = _element(here)
    here = next(_models(here), None)
    return list(here.model_fields) if here else []


def _element(annotation: Any) -> Any:
    """What a tuple or dict holds."""
    arguments = [a for a in get_args(annotation) if a is not ...]
    return arguments[-1] if arguments else Any


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (UnionType, typing.Union):
        for member in get_args(annotation):
            yield from _models(member)
