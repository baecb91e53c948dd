"""What the YANG modules say about configuration: kinds, keys, order, choices, units, and paths for error messages.

Made from `lab/yang/schema.json`, which `lab/yang/make_schema.py` makes from the modules.

A *unit* is what the server stores, validates and copies as one: an entry of an outermost list (an interface, a forwarder, a
profile), or what a container above such lists holds besides them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lab.netconf.errors import ErrorPath
from lab.netconf.names import space

FOLDER = Path(__file__).resolve().parent.parent / "yang"


@dataclass(eq=False)
class Node:
    """A data node of the configuration. `tag` is `{namespace}name`; keys are tags too."""

    tag: str
    path: str
    kind: str
    keys: tuple[str, ...] = ()
    presence: bool = False
    user_ordered: bool = False
    prefixed: str | None = None
    """Values carry prefixes: "id" identityref, "xp" instance-identifier or XPath."""
    union: bool = False
    """Beside `prefixed`: a value without a prefix need not be an identity."""
    cases: tuple[tuple[str, str], ...] = ()
    """The choices this node is in, and its case of each, outermost first."""
    children: dict[str, "Node"] = field(default_factory=dict)
    is_unit: bool = False
    above_units: bool = False

    @property
    def is_leaf(self) -> bool:
        """Whether it has a value."""
        return self.kind in ("leaf", "leaf-list")


class Schema:
    """All configuration nodes, by tag from the top."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        """Take the content of schema.json."""
        self.prefixes: dict[str, str] = dict(table["prefix"])
        """Namespace -> the prefix that its module has for itself."""
        self.namespaces = {prefix: namespace for namespace, prefix in self.prefixes.items()}
        self.tops: dict[str, Node] = {}
        self.nodes: dict[str, Node] = {}
        for path in sorted(table["nodes"], key=len):  # a parent's path is shorter than its children's
            self._add(path, table["nodes"][path])
        for top in self.tops.values():
            _mark_units(top)

    def _add(self, path: str, facts: Mapping[str, Any]) -> None:
        above, _, name = path.rpartition("/{")
        node = Node(
            tag="{" + name,
            path=path,
            kind=facts["kind"],
            keys=tuple(facts.get("keys", ())),
            presence=bool(facts.get("presence")),
            user_ordered=bool(facts.get("user")),
            prefixed=facts.get("q"),
            union=bool(facts.get("union")),
            cases=tuple((choice, case) for choice, case in facts.get("cases", ())),
        )
        (self.nodes[above].children if above else self.tops)[node.tag] = node
        self.nodes[path] = node

    def error_path(self, steps: Iterable[tuple[str, Mapping[str, str]]]) -> ErrorPath:
        """Return the XPath of an instance; a step is its tag and the values of its keys."""
        text = ""
        used: dict[str, str] = {}
        for tag, keys in steps:
            text += "/" + self._name(tag, used)
            for key, value in keys.items():
                quote = '"' if "'" in value else "'"
                text += f"[{self._name(key, used) if key != '.' else '.'}={quote}{value}{quote}]"
        return ErrorPath(text, used)

    def _name(self, tag: str, used: dict[str, str]) -> str:
        namespace = space(tag)
        prefix = self.prefixes.get(namespace, "nc")
        used[prefix] = namespace
        return f"{prefix}:{tag.rpartition('}')[2]}"


def _mark_units(node: Node) -> bool:
    """Mark the units below `node`; True when there are any.

    A list that the user orders stays within the unit of its container: units have no order. So does one with several keys.
    """
    if node.kind == "list":
        node.is_unit = not node.user_ordered and len(node.keys) == 1
        return node.is_unit
    marked = [_mark_units(child) for child in node.children.values()]
    node.above_units = any(marked)
    return node.above_units


@cache
def load_schema() -> Schema:
    """Return the schema of the modules in lab/yang (read once a process)."""
    return Schema(json.loads((FOLDER / "schema.json").read_text()))
