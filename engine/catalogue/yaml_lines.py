"""YAML that remembers on which line each value stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from engine.catalogue.problems import Path


@dataclass(frozen=True)
class Document:
    """Plain data and the line of each value in it, by the way to it; `repeated`: keys that a mapping has twice."""

    data: object
    lines: dict[Path, int]
    repeated: tuple[Path, ...]

    def line(self, path: Path) -> int:
        """Line of a value, or of the nearest value above it."""
        return next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 1)


class NotYaml(Exception):
    """The text is not one YAML document. `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read(text: str) -> Document:
    """The one document that a text is. Raises NotYaml."""
    # the loader in Python: it says more clearly what is wrong
    return next(_documents(text, yaml.SafeLoader, one=True), Document({}, {}, ()))


def read_all(text: str) -> list[Document]:
    """All documents of a text, without the empty ones. Raises NotYaml."""
    return list(_documents(text, _FAST, one=False))


_FAST: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _documents(text: str, kind: type[yaml.SafeLoader], *, one: bool) -> Iterator[Document]:
    try:
        loader = kind(text)
    except yaml.YAMLError as error:  # characters that YAML does not allow
        raise NotYaml(str(error).splitlines()[0], 1) from error
    try:
        for node in [loader.get_single_node()] if one else _nodes(loader):
            if node is not None and node.tag != _NULL:
                yield _document(loader, node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYaml(" ".join(filter(None, [error.context, error.problem])), mark.line + 1 if mark else 1) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: what looks like a date but is none
        raise NotYaml(str(error), 1) from error
    finally:
        loader.dispose()


_NULL = "tag:yaml.org,2002:null"


def _nodes(loader: yaml.SafeLoader) -> Iterator[yaml.Node | None]:
    while loader.check_node():
        yield loader.get_node()


def _document(loader: yaml.SafeLoader, node: yaml.Node) -> Document:
    places = list(_places(node, (), ()))
    data = loader.construct_document(node)
    lines: dict[Path, int] = {}
    repeated = []
    for path, line in places:
        if path in lines:
            repeated.append(path)  # PyYAML would take the last one without a word
        lines[path] = line
    return Document(data, lines, tuple(repeated))


def _places(node: yaml.Node, path: Path, above: tuple[yaml.Node, ...]) -> Iterator[tuple[Path, int]]:
    if node in above:
        raise yaml.MarkedYAMLError(problem="an alias that contains itself", problem_mark=node.start_mark)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, str(key.value)), key.start_mark.line + 1
            yield from _places(value, (*path, str(key.value)), (*above, node))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _places(value, (*path, index), (*above, node))
