"""Devices that do what the standards say to an edit, and nothing else: the independent side of the tests of computed changes.

They share no code with tasks/change. `edit` carries out a change all or nothing and raises Refused where a device would;
`state` puts a fragment there as it is and raises Contradiction when that alters anything; `held` is what the device holds,
without what carries no meaning (prefixes, the order of system-ordered lists, empty containers).
"""

from __future__ import annotations

import copy
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

NC = "{urn:ietf:params:xml:ns:netconf:base:1.0}"
YANG = "{urn:ietf:params:xml:ns:yang:1}"
SCHEMA = json.loads((Path(__file__).parents[1] / "lab" / "yang" / "schema.json").read_text())
FACTS: dict[str, dict[str, Any]] = SCHEMA["nodes"]

Tree = dict[tuple[str, Any], Any]


class Refused(Exception):
    """A strict operation does not fit what is there."""


class Contradiction(Exception):
    """A fragment states something that is there with another meaning."""


class Netconf:
    """Candidate and commit of RFC 6241 with the data model rules of RFC 7950, without validation."""

    def __init__(self) -> None:
        self.tree: Tree = {}

    def edit(self, config: str) -> None:
        """edit-config with default-operation merge, as ncclient would send it: copied once more by lxml."""
        if not config:
            return
        rpc = etree.Element(f"{NC}rpc", nsmap={"nc": NC[1:-1]})
        rpc.append(etree.fromstring(config))
        sent = etree.fromstring(etree.tostring(rpc))
        assert sent[0].tag == f"{NC}config"
        candidate = copy.deepcopy(self.tree)
        self._merge(sent[0], candidate, "", alter=True)
        self.tree = candidate

    def state(self, fragment: str) -> None:
        """Merge a fragment that must not alter what is there."""
        candidate = copy.deepcopy(self.tree)
        self._merge(etree.fromstring(f"<x>{fragment}</x>"), candidate, "", alter=False)
        self.tree = candidate

    def held(self) -> object:
        return _meaning(self.tree, "")

    def _merge(self, parent: etree._Element, into: Tree, path: str, *, alter: bool) -> None:
        if not alter:
            self._same_lists(parent, into, path)
        for element in parent:
            self._statement(element, into, f"{path}/{element.tag}", alter=alter)

    def _same_lists(self, parent: etree._Element, into: Tree, path: str) -> None:
        """Who states a user-ordered list states all of it: two who share one must mean the same."""
        for tag in _user_ordered(into, path):
            stated = [(tag, _identity(element, f"{path}/{tag}")) for element in parent.iterchildren(tag)]
            if stated and stated != [key for key in into if key[0] == tag]:
                raise Contradiction(f"{path}/{tag} stated with other entries or in another order")

    def _statement(self, element: etree._Element, into: Tree, path: str, *, alter: bool) -> None:
        facts = FACTS[path]
        key = (str(element.tag), _identity(element, path))
        operation = element.get(f"{NC}operation", "merge")
        if operation == "delete":
            if key not in into:
                raise Refused(f"data-missing: {path}")
            del into[key]
            return
        if operation == "create" and key in into:
            raise Refused(f"data-exists: {path}")
        if facts["kind"] == "container" and not facts.get("presence") and not len(element):
            return  # only a place: nothing is said, and no case chosen (RFC 7950 7.5.1)
        for other in [k for k in into if _excludes(facts, FACTS[f"{path.rpartition('/{')[0]}/{k[0]}"])]:
            if not alter:
                raise Contradiction(f"{path}: another case than {other[0]}")
            del into[other]
        if facts["kind"] in ("leaf", "leaf-list"):
            value = _value(element, path)
            if not alter and into.get(key, value) != value:
                raise Contradiction(f"{path}: {into[key]!r} and {value!r}")
            into[key] = value
        else:
            self._merge(element, into.setdefault(key, {}), path, alter=alter)
        if element.get(f"{YANG}insert"):
            _insert(element, into, key, path)


def _identity(element: etree._Element, path: str) -> Any:
    facts = FACTS[path]
    if facts["kind"] == "list":
        return tuple(_value(element.find(key), f"{path}/{key}") for key in facts["keys"])
    return _value(element, path) if facts["kind"] == "leaf-list" else None


def _value(element: Any, path: str) -> Any:
    text = (element.text or "").strip()
    if FACTS[path].get("q") == "id":
        prefix, _, name = text.rpartition(":")
        if prefix or not FACTS[path].get("union"):
            return (element.nsmap[prefix or None], name)
    if FACTS[path].get("q") == "xp":
        return re.sub(r"(?<=[/\[])([\w-]+):", lambda found: f"{{{element.nsmap[found[1]]}}}", text)
    return text


def _excludes(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether two siblings are of different cases of one choice."""
    mine = dict(map(tuple, one.get("cases", ())))
    return any(mine.get(choice, case) != case for choice, case in map(tuple, two.get("cases", ())))


def _user_ordered(tree: Tree, path: str) -> set[str]:
    return {key[0] for key in tree if FACTS[f"{path}/{key[0]}"].get("user")}


def _insert(element: etree._Element, into: Tree, key: tuple[str, Any], path: str) -> None:
    entries = [k for k in into if k[0] == key[0] and k != key]
    where, at = element.get(f"{YANG}insert"), 0
    if where == "after" and FACTS[path]["kind"] == "leaf-list":
        named = etree.Element(element.tag, nsmap=element.nsmap)
        named.text = element.get(f"{YANG}value")
        at = entries.index((key[0], _value(named, path))) + 1
    elif where == "after":
        at = entries.index((key[0], _predicate(element, path))) + 1
    values = {k: into.pop(k) for k in [*entries, key]}
    for k in [*entries[:at], key, *entries[at:]]:
        into[k] = values[k]


def _predicate(element: etree._Element, path: str) -> tuple[Any, ...]:
    """Key values of `[prefix:name='value']...` in the order of the schema."""
    text, found = str(element.get(f"{YANG}key")), {}
    while text:
        prefix, _, rest = text[1:].partition(":")
        name, _, rest = rest.partition("=")
        value, _, text = rest[1:].partition(f"{rest[0]}]")
        leaf = etree.Element(f"{{{element.nsmap[prefix]}}}{name}", nsmap=element.nsmap)
        leaf.text = value
        found[leaf.tag] = _value(leaf, f"{path}/{leaf.tag}")
    return tuple(found[key] for key in FACTS[path]["keys"])


def _meaning(tree: Tree, path: str) -> dict[Any, Any]:
    found: dict[Any, Any] = {("order", tag): [key for key in tree if key[0] == tag] for tag in _user_ordered(tree, path)}
    for key, value in tree.items():
        facts = FACTS[f"{path}/{key[0]}"]
        below = _meaning(value, f"{path}/{key[0]}") if isinstance(value, dict) else value
        if facts["kind"] == "container" and not facts.get("presence") and not below:
            continue
        found[key] = below
    return found


def _words(text: str) -> list[str]:
    return text.split()


class Junos:
    """`load set` of the Junos CLI, for statements made of these words (what they are is said again here, independently)."""

    REPLACED = frozenset(
        _words(
            "description vlan-id input output output-traffic-control-profile active-server-group "
            "bandwidth-limit host-name preferred-source-address unnumbered-address shaping-rate burst-size "
            "encapsulation "
        )
    )
    LEVELS = frozenset(
        _words(
            "interfaces unit family policer class-of-service traffic-control-profiles forwarding-options "
            "dhcp-relay group interface address server-group firewall if-exceeding then system "
            "name-server static route next-hop routing-options mode "
        )
    )
    """Levels that vanish when they are empty. Everything else (names, flags, `family inet`) stays."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}

    def edit(self, text: str) -> None:
        candidate = copy.deepcopy(self.tree)
        for line in text.splitlines():
            verb, *words = shlex.split(line)
            assert verb in ("set", "delete")
            (self._set if verb == "set" else self._delete)(candidate, words)
        self.tree = candidate

    def state(self, fragment: str) -> None:
        candidate = copy.deepcopy(self.tree)
        for line in fragment.splitlines():
            words, _, several = line.partition("[")
            for value in several.rstrip("] ").split() or [""]:
                verb, *said = shlex.split(f"{words} {value}", comments=True) or ("",)
                assert verb in ("set", "")
                self._set(candidate, said, alter=False)
        self.tree = candidate

    def held(self) -> object:
        return copy.deepcopy(self.tree)

    def _set(self, tree: dict[str, Any], words: list[str], *, alter: bool = True) -> None:
        at, before = tree, ""
        for word in words:
            if before in self.REPLACED and word not in at and at:
                if not alter:
                    raise Contradiction(f"{before}: {next(iter(at))} and {word}")
                at[word] = at.pop(next(iter(at)))  # Junos keeps what is below
            at, before = at.setdefault(word, {}), word

    def _delete(self, tree: dict[str, Any], words: list[str]) -> None:
        levels = [tree]
        for word in words:
            if word not in levels[-1]:
                raise Refused(f"statement not found: {' '.join(words)}")
            levels.append(levels[-1][word])
        for index in range(len(words) - 1, -1, -1):
            del levels[index][words[index]]
            if levels[index] or index == 0 or words[index - 1] not in self.LEVELS:
                break


class DocumentStore:
    """Documents by kind and key."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], Any] = {}

    def edit(self, text: str) -> None:
        candidate = dict(self.documents)
        for operation in json.loads(text or "[]"):
            key = (operation["kind"], operation["key"])
            if candidate.pop(key, None) != operation.get("was"):
                raise Refused(f"{key} is not what it was")
            if operation["op"] == "put":
                candidate[key] = operation["body"]
        self.documents = candidate

    def state(self, fragment: str) -> None:
        candidate = dict(self.documents)
        for document in json.loads(fragment):
            key = (document["kind"], document["key"])
            if candidate.setdefault(key, document["body"]) != document["body"]:
                raise Contradiction(f"{key} with another body")
        self.documents = candidate

    def held(self) -> object:
        return copy.deepcopy(self.documents)


def all_of(device: type[Netconf | Junos | DocumentStore], fragments: Iterator[str] | list[str]) -> Netconf | Junos | DocumentStore:
    """A device that holds what these fragments state together. Raises Contradiction."""
    made = device()
    for fragment in fragments:
        made.state(fragment)
    return made
