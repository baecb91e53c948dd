"""Junos `set` lines as statements, each with a path that is the same in every fragment that states it.

A line does not say what its words are: `description X` replaces, `interface X` adds, `unit 1042` is a level with more below.
junos_statements.yaml says it; its head explains the notation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast

import yaml

from engine.errors import TemplateFailed
from tasks.change.masking import guarded

Level = Mapping[str, "Level | str"]

_WORD = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*)"(?=\s|$)|(?P<plain>[^\s"\\\[\]{};#]+|[\[\]])(?=\s|$)')
_PLAIN = re.compile(r"[^\s\"\\\[\]{};#]+")


@dataclass(frozen=True)
class Statement:
    """One thing that is there: a list entry, a flag, a value."""

    path: str
    parent: str
    """Path of the statement that this one is below, empty when there is none."""
    words: tuple[str, ...]
    """Of the `set` line that states it."""
    value: str | None = None
    """What another `set` of the same path replaces: the last word."""
    replaced_with_all_below: bool = False
    """It has a value and may have statements below (`=` in the table)."""

    @property
    def indexed(self) -> str:
        """The value as it may be kept in an index."""
        return guarded(self.path.rpartition(" ")[2], self.path, self.value or "")

    def set(self) -> str:
        """The line that states it, and with it all it is below."""
        return f"set {joined(self.words)}"

    def delete(self) -> str:
        """The line that takes it away with all that is below it. A value is not said: Junos knows which one it holds."""
        return f"delete {joined(self.words if self.value is None else self.words[:-1])}"


@cache
def table() -> Level:
    """What templates may state. Read once."""
    return cast("Level", yaml.safe_load(files(__package__).joinpath("junos_statements.yaml").read_text(encoding="utf-8")))


def statements(words: Sequence[str], *, tolerant: bool = False) -> Iterator[Statement]:
    """What the words of a `set` line state, from the outermost level inwards.

    `tolerant`: words that the table does not know end it, as do lines that it knows to be longer. Raises TemplateFailed otherwise.
    """
    try:
        yield from _below(table(), tuple(words), (), (), "")
    except TemplateFailed:
        if not tolerant:
            raise


def _below(level: Level, left: tuple[str, ...], path: tuple[str, ...], said: tuple[str, ...], parent: str) -> Iterator[Statement]:
    """`path`: identity of the level, `said`: words that lead to it; they differ where a name can be replaced."""
    if "." in level:
        yield (here := Statement(joined(path), parent, said))
        parent = here.path
    if not left and parent != joined(path):
        raise TemplateFailed(f"`set {joined(said)}` says nothing yet: a word is missing")
    while left:
        word, left = left[0], left[1:]
        known = level.get(word) if word not in ("*", "=", ".") else None
        if isinstance(known, str):
            # as in Junos, another statement of the same level may follow on the line: `vlan-tags outer 100 inner 200`
            statement, left = _leaf(known, left, (*path, word), (*said, word), parent)
            yield statement
            continue
        if known is not None:
            yield from _below(known, left, (*path, word), (*said, word), parent)
        elif isinstance(names := level.get("*"), Mapping):
            yield (entry := Statement(joined((*path, word)), parent, (*said, word)))
            yield from _below(names, left, (*path, word), entry.words, entry.path)
        elif isinstance(one := level.get("="), Mapping):
            yield (entry := Statement(joined(path), parent, (*said, word), word, replaced_with_all_below=True))
            yield from _below(one, left, path, entry.words, entry.path)
        else:
            where = f"`{joined(said)}`" if said else "the top level"
            raise TemplateFailed(f"the table of Junos statements does not know {_quoted(word)} below {where}")
        return


def _leaf(kind: str, left: tuple[str, ...], path: tuple[str, ...], said: tuple[str, ...], parent: str) -> tuple[Statement, tuple[str, ...]]:
    """The statement, and the words that are left behind it."""
    if kind == "flag":
        return Statement(joined(path), parent, said), left
    if not left:
        raise TemplateFailed(f"`set {joined(said)}` lacks its value")
    value, words = left[0], (*said, left[0])
    if kind == "value":
        return Statement(joined(path), parent, words, value), left[1:]
    return Statement(joined((*path, value)), parent, words), left[1:]


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of the lines that are neither empty nor comments."""
    for number, line in enumerate(text.splitlines(), 1):
        if (stripped := line.strip()) and not stripped.startswith("#"):
            yield number, stripped


def words_of(line: str) -> list[tuple[str, ...]]:
    """The words of a line; one list of words for each value of a final `[ a b ]`. Raises TemplateFailed."""
    words: list[str] = []
    position = 0
    while position < len(line):
        found = _WORD.match(line, position)
        if found is None:
            raise TemplateFailed("not words of a Junos line: check quotes, brackets and the characters ; { } #")
        quoted = found["quoted"]
        words.append(found["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        position = found.end()
        while line[position : position + 1].isspace():
            position += 1
    if "[" not in words:
        return [tuple(words)]
    start = words.index("[")
    if words[-1] != "]" or start + 2 > len(words) - 1:
        raise TemplateFailed("[ needs values and a ] at the end of the line")
    return [(*words[:start], value) for value in words[start + 1 : -1]]


def joined(words: Sequence[str]) -> str:
    """Words as in a line, quoted where they must be."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
