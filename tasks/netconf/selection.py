"""What to ask a device for, to see what it holds of a configuration: subtree filters (RFC 6241 section 6).

List keys come from the table that was made from the YANG modules (tasks/change/yang_schema.json).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree

from tasks.netconf.xml import config_text, elements, parse


@cache
def facts() -> Mapping[str, Mapping[str, Any]]:
    """Return what is known of each node of the schema, by its path."""
    nodes: Mapping[str, Mapping[str, Any]] = json.loads((files("tasks.change") / "yang_schema.json").read_text())["nodes"]
    return nodes


def keys_of(path: str) -> tuple[str, ...]:
    """Return the names of a list's keys; nothing for what is no list."""
    return tuple(facts().get(path, {}).get("keys", ()))


def is_leaf(element: etree._Element, path: str) -> bool:
    """Whether it holds a value; of what the schema does not know, whether it holds no elements."""
    kind = facts().get(path, {}).get("kind")
    return kind in {"leaf", "leaf-list"} if kind else not elements(element)


def subtrees(config: etree._Element) -> Iterator[str]:
    """Yield the parts of a filter that select what `config` (an edit, or what a device shall hold) speaks of: list entries whole, by
    their keys, and leaves."""
    for element in elements(config):
        yield etree.tostring(_selection(element, ""), encoding="unicode")


def subtrees_of(fragments: Iterable[str]) -> list[str]:
    """Return the same for fragments, each place once however many of them name it."""
    whole = _Place(etree.Element("filter"), "")
    for text in fragments:
        for element in elements(parse(config_text(text))):
            whole.take(_selection(element, ""))
    return [etree.tostring(element, encoding="unicode") for element in elements(whole.element)]


class _Place:
    """A part of a filter to which selections are added; what is selected already is not repeated."""

    def __init__(self, element: etree._Element, path: str) -> None:
        self.element, self._path = element, path
        self._below: dict[tuple[str | None, ...], _Place] = {}

    def take(self, selection: etree._Element) -> None:
        where = f"{self._path}/{selection.tag}"
        keys = keys_of(where)
        identity = (str(selection.tag), *(selection.findtext(key) for key in keys))
        known = self._below.get(identity)
        if known is None:
            known = self._below[identity] = _Place(etree.SubElement(self.element, selection.tag), where)
            if keys or not len(selection):
                known.element[:] = list(selection)
                return
        elif keys or not len(known.element):  # it is selected, with all that is in it
            return
        if not len(selection):
            known.element[:] = []
        for child in list(selection):
            known.take(child)


def _selection(element: etree._Element, path: str) -> etree._Element:
    where = f"{path}/{element.tag}"
    selection = etree.Element(element.tag)
    keys = keys_of(where)
    if keys:
        for key in keys:
            leaf = element.find(key)
            if leaf is not None:
                # not a copy: that would bring along the namespace declarations of all the text
                etree.SubElement(selection, key, nsmap=_declared(leaf)).text = leaf.text
    elif not is_leaf(element, where):
        for child in elements(element):
            selection.append(_selection(child, where))
    return selection


def _declared(leaf: etree._Element) -> dict[str, str]:
    """The prefixes that a key's value may need: it may be an identity."""
    return {prefix: space for prefix, space in leaf.nsmap.items() if prefix} if ":" in (leaf.text or "") else {}
