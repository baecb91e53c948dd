"""What to ask a Junos router for, to see what it holds of `set` lines: filters of get-configuration, in XML.

An entry is read whole when no line names an entry within it, and at the second entry at the latest: the unit of an interface, not all
units of it. Entries that only lead there are not asked for (all their other units would come along) and are taken to be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lxml import etree

from engine.errors import TemplateFailed
from tasks.change.junos_tree import Level, joined, lines, table, words_of

_ENTRY = {"interfaces": "interface", "routing-instances": "instance"}
"""Where an entry's element is not called as the word before its name, but is within that (Junos XML API)."""
_DEEPEST = 2


class Step(NamedTuple):
    """An element on the way to a statement; `name` is that of an entry, empty for what is there only once."""

    element: str
    name: str
    line: str
    """The `set` line that leads there."""


Way = tuple[Step, ...]


@dataclass(frozen=True)
class Selection:
    """`filter` is what to ask for, None: nothing; `taken` are the `set` lines of what only leads there."""

    filter: etree._Element | None
    taken: tuple[str, ...]


def selection(fragments: Iterable[str]) -> Selection:
    """Return what to ask for to see what a router holds of these fragments."""
    ways = dict.fromkeys(way for text in fragments for way in _ways(text))
    outer = {way[: n + 1] for way in ways for n, step in enumerate(way) if step.name and any(inner.name for inner in way[n + 1 :])}
    root = _Place(etree.Element("configuration"))
    taken: dict[str, None] = {}
    for way in ways:
        asked = _asked(way, outer)
        root.take(asked)
        taken.update(dict.fromkeys(step.line for step in asked[:-1] if step.name))
    return Selection(root.element if len(root.element) else None, tuple(taken))


def _asked(way: Way, outer: set[Way]) -> Way:
    """As far as the way is asked for: what is further comes along."""
    entries = 0
    for n, step in enumerate(way):
        entries += bool(step.name)
        if step.name and (entries == _DEEPEST or way[: n + 1] not in outer):
            return way[: n + 1]
    return way


class _Place:
    """An element of the filter; what is below it is added unless all of it is selected already."""

    def __init__(self, element: etree._Element) -> None:
        self.element = element
        self._below: dict[tuple[str, str], _Place] = {}
        self._whole = False

    def take(self, way: Way) -> None:
        if self._whole:
            return
        if not way:
            self._whole = True
            for place in self._below.values():
                self.element.remove(place.element)
            return
        step = way[0].element, way[0].name
        if step not in self._below:
            element = etree.SubElement(self.element, step[0])
            if step[1]:
                etree.SubElement(element, "name").text = step[1]
            self._below[step] = _Place(element)
        self._below[step].take(way[1:])


def _ways(text: str) -> Iterator[Way]:
    for _, line in lines(text):
        verb, _, rest = line.partition(" ")
        try:
            alternatives = words_of(rest) if verb == "set" else []
        except TemplateFailed:  # of a device: what our table does not know cannot be compared
            continue
        yield from (tuple(_steps(words)) for words in alternatives)


def _steps(words: Sequence[str]) -> list[Step]:
    level: Level | str | None = table()
    steps: list[Step] = []
    for n, word in enumerate(words):
        if not isinstance(level, Mapping):
            break
        line = f"set {joined(words[: n + 1])}"
        below = level.get(word) if word not in ("*", "=", ".") else None
        if below is not None:
            steps.append(Step(word, "", line))
        elif "*" in level and steps and not steps[-1].name:
            below = level["*"]
            above = steps[-1].element
            if above in _ENTRY:
                steps.append(Step(_ENTRY[above], word, line))
            else:
                steps[-1] = Step(above, word, line)
        level = below
    return steps
