"""Reading bulk files: which they are, and their rows."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.yaml_lines import Document, NotYaml, read_all
from engine.errors import PlaybookInvalid
from turnup.bulk.columns import Columns
from turnup.bulk.rows import RefusedRow, Row, on_line, refused, row
from turnup.playbook import text_of

Found: TypeAlias = Row | RefusedRow
_CSV, _LINES = (".csv", ".tsv"), (".jsonl", ".ndjson")
_DELIMITERS = ",;\t"
_MARK, _ENTRY = re.compile(r"---(\s|$)"), re.compile(r"-(\s|$)|\[")
"""What begins a document of a YAML file, and a list."""


def is_bulk(file: Path) -> bool:
    """Whether a file holds many orders: CSV, JSON Lines, or YAML with several documents or a list. Files that cannot be read do not."""
    if file.suffix.lower() in (*_CSV, *_LINES):
        return True
    try:
        return _is_many(text_of(file))
    except PlaybookInvalid:
        return False


def _is_many(text: str) -> bool:
    """By the look of its lines: also YAML that cannot be read to its end."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "%"))]
    if lines and _MARK.match(lines[0]):
        del lines[0]
    return bool(lines) and bool(_ENTRY.match(lines[0]) or any(_MARK.match(line) for line in lines))


def read(file: Path, catalogue: Catalogue) -> list[Found]:
    """All rows. Raises PlaybookInvalid when the file as a whole cannot be understood."""
    text = text_of(file)
    if file.suffix.lower() in _CSV:
        found = list(_csv(file, text, catalogue))
    elif file.suffix.lower() in _LINES:
        found = list(_json_lines(text))
    else:
        found = list(_yaml(file, text))
    if not found:
        raise PlaybookInvalid(f"{file} has no orders")
    return found


# ---------------------------------------------------------------------------------------------------------------------- CSV


def _csv(file: Path, text: str, catalogue: Catalogue) -> Iterator[Found]:
    lines = list(io.StringIO(text, newline=""))  # splitlines would also split at what is no line end in CSV
    above = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    header = "".join(lines[above : above + 1])
    delimiter = next((each for each in _DELIMITERS if each in header), ",")
    records = _records(file, csv.reader(lines[above:], delimiter=delimiter, strict=True), above)
    first, names = next(records, (1, []))
    columns = Columns(names, catalogue)
    problems = [f"{file}:{first}: {problem}" for problem in columns.problems()] if names else []
    if problems:
        raise PlaybookInvalid("\n".join(problems))
    for line, cells in records:
        if len(cells) != len(columns.names):
            count = f"the row has {len(cells)} cells, the header {len(columns.names)}"
            yield refused(PlaybookInvalid(f"{count}; what has a `{delimiter}` in it stands in double quotes"), line, columns.name(cells))
        else:
            yield row(on_line(columns.order(cells), line), line)


def _records(file: Path, reader: Any, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it begins; a quoted cell may go over several. Without empty ones."""
    while True:
        line = skipped + reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise PlaybookInvalid(f"{file}:{line}: not CSV: {error}") from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


# --------------------------------------------------------------------------------------------------------------- JSON Lines


def _json_lines(text: str) -> Iterator[Found]:
    for line, said in enumerate(text.split("\n"), start=1):
        if said.strip():
            yield _json_line(said, line)


def _json_line(said: str, line: int) -> Found:
    repeated: list[str] = []
    try:
        data = json.loads(said, object_pairs_hook=_noting(repeated))
    except json.JSONDecodeError as error:
        return refused(PlaybookInvalid(f"not JSON: {error.msg} (column {error.colno})"), line)
    except RecursionError:
        return refused(PlaybookInvalid("not an order: it is nested too deeply"), line)
    return row(on_line(data, line, tuple((name,) for name in repeated)), line)


def _noting(repeated: list[str]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """Makes an object, and notes keys that it has twice: json would take the last one without a word."""

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name, value in pairs:
            if name in data:
                repeated.append(name)
            data[name] = value
        return data

    return made


# --------------------------------------------------------------------------------------------------------------------- YAML


def _yaml(file: Path, text: str) -> Iterator[Found]:
    try:
        documents = read_all(text)
    except NotYaml as error:
        raise PlaybookInvalid(f"{file}:{error.line}: not YAML: {error}") from None
    for document in documents:
        for each in _entries(document):
            line = min(each.lines.values(), default=document.line((0,)))
            yield row(each, line)


def _entries(document: Document) -> Iterator[Document]:
    """The orders of a document: itself, or those of its list."""
    if not isinstance(document.data, list):
        yield document
        return
    lines: list[dict[Any, int]] = [{} for _ in document.data]
    for path, line in document.lines.items():
        lines[int(path[0])][path[1:]] = line
    for index, data in enumerate(document.data):
        repeated = tuple(path[1:] for path in document.repeated if path[0] == index)
        yield Document(data, lines[index], repeated)
