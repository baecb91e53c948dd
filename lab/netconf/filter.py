"""Subtree filtering (RFC 6241 section 6): what of a configuration, or of configuration and state, a client asked for.

Asked for one list entry by its key, the filter goes to that entry and looks at no other.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from lxml import etree

from lab.netconf.names import local, make, space
from lab.netconf.schema import Node
from lab.netconf.units import wrap


class Source(Protocol):
    """Where data come from: top-level containers, what they hold besides units, and units."""

    @property
    def tops(self) -> Mapping[str, Node]:
        """The top-level nodes, by tag."""
        ...

    def own(self, node: Node) -> etree._Element | None:
        """Return what a container above units holds besides them."""
        ...

    def entries(self, node: Node) -> Iterator[etree._Element]:
        """Give the units of a list; for a container without units below, its one element if there is one."""
        ...

    def entry(self, node: Node, key: str) -> etree._Element | None:
        """Return one entry of a list."""
        ...


def everything(source: Source) -> str:
    """Return all top-level elements, as XML."""
    return "".join(_whole(source, node) for node in source.tops.values())


def select(source: Source, wanted: etree._Element) -> str:
    """Return what the children of `wanted` (a <filter>) select, as XML. An empty filter selects nothing."""
    return "".join(_select(source, node, [child for child in wanted if _names(child, node.tag)]) for node in source.tops.values())


def _select(source: Source, node: Node, filters: list[etree._Element]) -> str:
    if not filters:
        return ""
    if any(not len(one) and not _content(one) for one in filters):  # a selection node: all of it
        return _whole(source, node)
    if node.above_units:
        return _container(source, node, filters)
    return "".join(_text(picked) for entry in _candidates(source, node, filters) if (picked := _pick_any(entry, filters)) is not None)


def _container(source: Source, node: Node, filters: list[etree._Element]) -> str:
    """A container above units, pruned. Several filters of one container give one container: a client expects their union."""
    own = source.own(node)
    matching = [one for one in filters if _content_matches(() if own is None else own, one)]
    if any(all(_content(child) for child in one) for one in matching):  # only content match nodes: all of it
        return _whole(source, node)
    children = [child for one in matching for child in one]
    picked = _pick(own, children) if own is not None else None
    content = "" if picked is None else "".join(_text(child) for child in picked)
    for below in _below(node):
        content += _select(source, below, [child for child in children if _names(child, below.tag)])
    return wrap(node, content) if content else ""


def _whole(source: Source, node: Node) -> str:
    if not node.above_units:
        return "".join(_text(entry) for entry in source.entries(node))
    own = source.own(node)
    content = "".join(_text(child) for child in own) if own is not None else ""
    content += "".join(_whole(source, below) for below in _below(node))
    return wrap(node, content) if content or own is not None else ""


def _text(element: etree._Element) -> str:
    return etree.tostring(element, encoding="unicode")


def _below(node: Node) -> Iterator[Node]:
    return (child for child in node.children.values() if child.is_unit or child.above_units)


def _candidates(source: Source, node: Node, filters: list[etree._Element]) -> Iterable[etree._Element]:
    """The entries that may match: those named, when each filter names one."""
    if not node.is_unit:
        return source.entries(node)
    keys = {key: None for one in filters for child in one if _names(child, node.keys[0]) and (key := _content(child))}
    by_key = all(any(_names(child, node.keys[0]) and _content(child) for child in one) for one in filters)
    if not by_key:
        return source.entries(node)
    return [entry for key in keys if (entry := source.entry(node, key)) is not None]


def _pick_any(entry: etree._Element, filters: list[etree._Element]) -> etree._Element | None:
    """What several filters for the same element select together."""
    if any(not len(one) for one in filters):
        return copy.deepcopy(entry)
    matching = [list(one) for one in filters if _content_matches(entry, one)]
    if any(all(_content(child) for child in children) for children in matching):  # only content match nodes: all of it
        return copy.deepcopy(entry)
    return _pick(entry, [child for children in matching for child in children]) if matching else None


def _content_matches(entry: Iterable[etree._Element], wanted: Iterable[etree._Element]) -> bool:
    """Whether the entry has, for each content match node, a child with that content (RFC 6241 section 6.2.5)."""
    return all(
        any(_names(test, child.tag) and (child.text or "").strip() == _content(test) for child in entry)
        for test in wanted
        if _content(test) and not len(test)
    )


def _pick(entry: etree._Element, wanted: list[etree._Element]) -> etree._Element | None:
    """A copy of `entry` with only the wanted children, None when it has none of them."""
    # lxml drops declarations of the children that it thinks superfluous, and does not look at text: here they stay
    result = make(entry.tag, prefixes=_declared(entry))
    for child in entry:
        filters = [one for one in wanted if _names(one, child.tag)]
        if not filters:
            continue
        if any(not len(one) and (not _content(one) or _content(one) == (child.text or "").strip()) for one in filters):
            result.append(copy.deepcopy(child))
        elif (picked := _pick_any(child, [one for one in filters if len(one)] or filters)) is not None and len(child):
            result.append(picked)
    return result if len(result) else None


def _declared(element: etree._Element) -> dict[str, str]:
    """The prefixes declared in the element's subtree."""
    return {prefix: namespace for below in element.iter() for prefix, namespace in below.nsmap.items() if prefix}


def _content(element: etree._Element) -> str:
    return (element.text or "").strip() if not len(element) else ""


def _names(wanted: etree._Element, tag: str) -> bool:
    """Whether a filter's element is for this tag.

    Without a namespace it is for the name in any (RFC 6241 section 6.2.1). Data that YANG models have no attributes, so an
    attribute match expression (section 6.2.2) matches nothing.
    """
    if wanted.attrib:
        return False
    return bool(wanted.tag == tag or (not space(wanted.tag) and local(wanted) == tag.rpartition("}")[2]))
