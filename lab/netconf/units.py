"""The configuration as units (see lab.netconf.schema): running, and a candidate as the units that differ from it.

Nothing here copies the whole configuration: an edit, a commit and its reverse cost what they change.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

from lxml import etree

from lab.netconf.names import space
from lab.netconf.schema import Node


class UnitId(NamedTuple):
    """The path of the list and the entry's key; for what a container holds beside units, its path and ""."""

    path: str
    key: str


@dataclass(frozen=True, eq=False)
class Unit:
    """A part of the configuration. Its element is never changed: who wants another makes another unit."""

    id: UnitId
    element: etree._Element

    @cached_property
    def text(self) -> str:
        """The element as XML, with all declarations that it needs."""
        return etree.tostring(self.element, encoding="unicode")

    @cached_property
    def values(self) -> frozenset[str]:
        """All values in it: the names of the units that it may refer to are among them."""
        return frozenset(element.text.strip() for element in self.element.iter() if element.text and not len(element))


Changes = Mapping[UnitId, Unit | None]
"""Units that are to be there, and (None) units that are not."""


class Units(Protocol):
    """A configuration that can be read."""

    def get(self, unit: UnitId) -> Unit | None:
        """Return the unit, None when there is none."""
        ...

    def under(self, path: str) -> Iterator[Unit]:
        """Give the entries of the list at `path`, or what the container there holds beside units."""
        ...

    def named(self, value: str) -> Iterator[Unit]:
        """Give the units with this key, of whatever list."""
        ...

    def mentioning(self, value: str) -> Iterator[Unit]:
        """Give the units in which a leaf has this value."""
        ...


@dataclass
class Index:
    """Units by path, by key and by the values in them."""

    by_path: dict[str, dict[str, Unit]] = field(default_factory=dict)
    by_key: dict[str, dict[UnitId, None]] = field(default_factory=dict)
    by_value: dict[str, dict[UnitId, None]] = field(default_factory=dict)

    def put(self, unit: UnitId, new: Unit | None) -> Unit | None:
        """Set or remove a unit; returns the one that was there."""
        entries = self.by_path.setdefault(unit.path, {})
        old = entries.get(unit.key)
        if new is None:
            entries.pop(unit.key, None)
            _drop(self.by_key, unit.key, unit)
        else:
            entries[unit.key] = new
            self.by_key.setdefault(unit.key, {})[unit] = None
        for value in old.values - (new.values if new else frozenset()) if old else ():
            _drop(self.by_value, value, unit)
        for value in new.values - (old.values if old else frozenset()) if new else ():
            self.by_value.setdefault(value, {})[unit] = None
        return old

    def named(self, value: str) -> Iterator[Unit]:
        """Give the units with this key, of whatever list."""
        return self._all(self.by_key.get(value, ()))

    def mentioning(self, value: str) -> Iterator[Unit]:
        """Give the units in which a leaf has this value."""
        return self._all(self.by_value.get(value, ()))

    def _all(self, units: Iterable[UnitId]) -> Iterator[Unit]:
        return (self.by_path[unit.path][unit.key] for unit in units)


def _drop(index: dict[str, dict[UnitId, None]], word: str, unit: UnitId) -> None:
    known = index.get(word, {})
    known.pop(unit, None)
    if not known:
        index.pop(word, None)


class Running:
    """The running configuration. `generation` counts its changes."""

    def __init__(self, units: Iterable[Unit] = ()) -> None:
        """Start with these units."""
        self._index = Index()
        self.generation = 0
        for unit in units:
            self._index.put(unit.id, unit)

    def __iter__(self) -> Iterator[Unit]:
        """Give all units."""
        for entries in self._index.by_path.values():
            yield from entries.values()

    def get(self, unit: UnitId) -> Unit | None:
        """Return the unit, None when there is none."""
        return self._index.by_path.get(unit.path, {}).get(unit.key)

    def under(self, path: str) -> Iterator[Unit]:
        """Give the entries of the list at `path`, or what the container there holds beside units."""
        yield from self._index.by_path.get(path, {}).values()

    def named(self, value: str) -> Iterator[Unit]:
        """Give the units with this key, of whatever list."""
        return self._index.named(value)

    def mentioning(self, value: str) -> Iterator[Unit]:
        """Give the units in which a leaf has this value."""
        return self._index.mentioning(value)

    def apply(self, changes: Changes) -> dict[UnitId, Unit | None]:
        """Make the changes and return those that take them back."""
        self.generation += 1
        return {unit: self._index.put(unit, new) for unit, new in changes.items()}


class Candidate:
    """A candidate configuration: running, and the units that differ from it."""

    def __init__(self, running: Running, changes: Changes | None = None) -> None:
        """Start as running, or with changes to it."""
        self._running = running
        self.changes: dict[UnitId, Unit | None] = dict(changes or {})
        self._index: Index | None = None  # of what is new in the changes, made when it is asked for: an edit does not need it

    def get(self, unit: UnitId) -> Unit | None:
        """Return the unit, None when there is none."""
        return self.changes[unit] if unit in self.changes else self._running.get(unit)

    def put(self, unit: UnitId, new: etree._Element | None) -> None:
        """Set or (None) remove a unit."""
        self.changes[unit] = None if new is None else Unit(unit, new)
        self._index = None

    def under(self, path: str) -> Iterator[Unit]:
        """Give the entries of the list at `path`, or what the container there holds beside units: those of running first."""
        yield from self._current(self._running.under(path))
        for unit, new in self.changes.items():
            if unit.path == path and new is not None and self._running.get(unit) is None:
                yield new

    def named(self, value: str) -> Iterator[Unit]:
        """Give the units with this key, of whatever list."""
        yield from self._unchanged(self._running.named(value))
        yield from self._new().named(value)

    def mentioning(self, value: str) -> Iterator[Unit]:
        """Give the units in which a leaf has this value."""
        yield from self._unchanged(self._running.mentioning(value))
        yield from self._new().mentioning(value)

    def _new(self) -> Index:
        if self._index is None:
            self._index = Index()
            for unit, new in self.changes.items():
                if new is not None:
                    self._index.put(unit, new)
        return self._index

    def _unchanged(self, units: Iterable[Unit]) -> Iterator[Unit]:
        return (unit for unit in units if unit.id not in self.changes)

    def _current(self, units: Iterable[Unit]) -> Iterator[Unit]:
        for unit in units:
            current = self.changes.get(unit.id, unit)
            if current is not None:
                yield current


def document(units: Iterable[Unit], tops: Mapping[str, Node]) -> str:
    """Return the units as one XML text of top-level elements, in the order of the modules' nodes."""
    by_path: dict[str, list[Unit]] = {}
    for unit in units:
        by_path.setdefault(unit.id.path, []).append(unit)
    wanted = {ancestor for path in by_path for ancestor in _and_above(path)}
    return "".join(_render(node, by_path, wanted) for node in tops.values() if node.path in wanted)


def _and_above(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/{")[0]


def _render(node: Node, units: Mapping[str, list[Unit]], wanted: set[str]) -> str:
    here = units.get(node.path, [])
    if not node.above_units:
        return "".join(unit.text for unit in here)
    own = "".join(etree.tostring(child, encoding="unicode") for unit in here for child in unit.element)
    below = "".join(_render(child, units, wanted) for child in node.children.values() if child.path in wanted)
    return wrap(node, own + below)


def wrap(node: Node, content: str) -> str:
    """Return a container with this content, as XML."""
    name = node.tag.rpartition("}")[2]
    return f'<{name} xmlns="{space(node.tag)}">{content}</{name}>'
