"""Does a device hold what an edit-config says? By that a transaction whose session was lost learns what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from lxml import etree

from tasks.netconf.selection import facts, is_leaf, keys_of, subtrees
from tasks.netconf.session import NetconfSession
from tasks.netconf.xml import OPERATION, config_text, elements, parse, text_of

_DELETES = frozenset({"delete", "remove"})
_MOST_NAMED = 5

_Identity: TypeAlias = tuple[tuple[str, str], ...]


def read_back(session: NetconfSession, change: str) -> tuple[str, ...]:
    """Return where running differs from what `change` (edit-config, as text) would make of it; empty: it holds all of it.

    Reads only the list entries and containers that the change names.
    """
    config = parse(config_text(change))
    data = session.get_config(subtrees(config))
    return tuple(differences(config, data))


def differences(config: etree._Element, data: etree._Element) -> Iterator[str]:
    """Yield where `data` is not as the edit-config `config` would leave it: what is missing, other, or still there. Pure."""
    yield from _compare(config, data, "", "merge")


def summary(found: tuple[str, ...]) -> str:
    """Return differences as a sentence."""
    rest = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return "; ".join(found[:_MOST_NAMED]) + rest


def _compare(statement: etree._Element, held: etree._Element | None, path: str, operation: str) -> Iterator[str]:
    keys, entries = keys_of(path), _Entries(held)
    for element in elements(statement):
        if element.tag in keys:
            continue  # says which entry is meant, nothing else
        where = f"{path}/{element.tag}"
        operation_here = element.get(OPERATION, operation)
        found = entries.like(element, where)
        if operation_here in _DELETES:
            if found is not None:
                yield f"{_readable(element, where)} is still there"
        elif found is None and (operation_here in {"create", "replace"} or is_leaf(element, where)):
            yield f"{_readable(element, where)} is not there"
        elif found is not None and is_leaf(element, where):
            if _value(element, where) != _value(found, where):
                yield f"{_readable(element, where)} is {text_of(found)!r} instead of {text_of(element)!r}"
        else:
            yield from _compare(element, found, where, operation_here)


class _Entries:
    """The children of an element that the device holds, found by what tells them apart."""

    def __init__(self, held: etree._Element | None) -> None:
        self._held = held
        self._by_tag: dict[str, dict[_Identity, etree._Element]] = {}

    def like(self, element: etree._Element, path: str) -> etree._Element | None:
        """Return the same entry as `element`, whatever it holds; None when there is none."""
        if self._held is None:
            return None
        if element.tag not in self._by_tag:  # a transaction's list has hundreds of entries: they are read once
            self._by_tag[element.tag] = {_identity(child, path): child for child in self._held.iterchildren(element.tag)}
        return self._by_tag[element.tag].get(_identity(element, path))


def _identity(entry: etree._Element, path: str) -> _Identity:
    """Return an entry's keys; of a leaf-list its value; nothing for what is there only once."""
    if facts().get(path, {}).get("kind") == "leaf-list":
        return (_value(entry, path),)
    return tuple(_value_of(entry, path, key) for key in keys_of(path))


def _value_of(entry: etree._Element, path: str, key: str) -> tuple[str, str]:
    leaf = entry.find(key)
    return _value(leaf, f"{path}/{key}") if leaf is not None else ("", "")


def _value(leaf: etree._Element, path: str) -> tuple[str, str]:
    """Return a leaf's value as (namespace, text); the namespace only of an identityref, whose prefix is up to the sender."""
    text = text_of(leaf)
    if facts().get(path, {}).get("q") != "id":
        return "", text
    prefix, _, name = text.rpartition(":")
    return leaf.nsmap.get(prefix or None, ""), name


def _readable(element: etree._Element, path: str) -> str:
    names = [etree.QName(step).localname for step in _steps(path)]
    keys = [text_of(element.find(key)) for key in keys_of(path)]
    return "/".join(names) + (f"[{','.join(keys)}]" if keys else "")


def _steps(path: str) -> list[str]:
    return [f"{{{step}" for step in path.split("/{")[1:]]
