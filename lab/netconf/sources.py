"""What `get` and `get-config` read from: a configuration, and operational state beside it (lab.netconf.filter.Source)."""

from collections.abc import Callable, Iterator, Mapping

from lxml import etree

from lab.netconf.filter import Source
from lab.netconf.schema import Node, Schema
from lab.netconf.units import UnitId, Units

Addition = Callable[[Node, etree._Element], etree._Element]
"""Given a list and the stored entry (not to be changed), the entry with its state."""


class Configuration:
    """Running or candidate; with `add` also the operational state that stands within configuration."""

    def __init__(self, schema: Schema, units: Units, add: Addition = lambda _, element: element) -> None:
        """Read `units`."""
        self.tops: Mapping[str, Node] = schema.tops
        self._units = units
        self._add = add

    def own(self, node: Node) -> etree._Element | None:
        """Return what a container above units holds besides them."""
        unit = self._units.get(UnitId(node.path, ""))
        return unit.element if unit else None

    def entries(self, node: Node) -> Iterator[etree._Element]:
        """Give the units of a list; for a container without units below, its one element if there is one."""
        return (self._add(node, unit.element) for unit in self._units.under(node.path))

    def entry(self, node: Node, key: str) -> etree._Element | None:
        """Return one entry of a list."""
        unit = self._units.get(UnitId(node.path, key))
        return self._add(node, unit.element) if unit else None


class Entries:
    """State of one kind: a top-level container with a list in it, made when asked for."""

    def __init__(
        self, container: str, entry: str, key: str, keys: Callable[[], Iterator[str]], make: Callable[[str], etree._Element | None]
    ) -> None:
        """Take the three tags, what gives the keys of all entries, and what makes the entry of a key (None: there is none)."""
        unit = Node(entry, f"/{container}/{entry}", "list", keys=(key,), is_unit=True)
        self.tops: Mapping[str, Node] = {container: Node(container, f"/{container}", "container", children={entry: unit}, above_units=True)}
        self._keys, self._make = keys, make

    def own(self, _: Node) -> etree._Element | None:
        """Nothing besides the entries."""
        return None

    def entries(self, _: Node) -> Iterator[etree._Element]:
        """Give all entries."""
        return (made for key in self._keys() if (made := self._make(key)) is not None)

    def entry(self, _: Node, key: str) -> etree._Element | None:
        """Return one entry."""
        return self._make(key)


class Together:
    """Several sources with different top-level elements as one."""

    def __init__(self, *sources: Source) -> None:
        """Ask each source for its own."""
        self._source = {tag: source for source in sources for tag in source.tops}
        self.tops: Mapping[str, Node] = {tag: source.tops[tag] for tag, source in self._source.items()}

    def _of(self, node: Node) -> Source:
        return self._source[node.path[1:].partition("/{")[0]]

    def own(self, node: Node) -> etree._Element | None:
        """Return what a container above units holds besides them."""
        return self._of(node).own(node)

    def entries(self, node: Node) -> Iterator[etree._Element]:
        """Give the units of a list; for a container without units below, its one element if there is one."""
        return self._of(node).entries(node)

    def entry(self, node: Node, key: str) -> etree._Element | None:
        """Return one entry of a list."""
        return self._of(node).entry(node, key)
