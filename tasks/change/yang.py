"""The YANG schema as far as a computed change needs it: list keys, presence, order, choices and values with prefixes.

Read from yang_schema.json, which lab/yang/make_schema.py makes from the modules with pyang (its docstring says what is in it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

Kind = Literal["container", "list", "leaf", "leaf-list", "anydata", "anyxml"]


@dataclass
class SchemaNode:
    """One configuration node of the schema. Names are in lxml's notation: `{namespace}name`."""

    name: str
    kind: Kind = "container"
    keys: tuple[str, ...] = ()
    presence: bool = False
    user_ordered: bool = False
    prefixes: Literal["id", "xp"] | None = None
    """The value carries namespace prefixes: identityref, or instance-identifier and XPath."""
    union: bool = False
    """The type is a union: a value without a prefix need not be an identity."""
    cases: tuple[tuple[str, str], ...] = ()
    """(choice, case) that the node is of, outermost first: creating it deletes the other cases (RFC 7950 7.9)."""
    children: dict[str, SchemaNode] = field(default_factory=dict)

    @property
    def supported(self) -> bool:
        """What has no identity of its own (lists without keys), or no schema (anydata), cannot be compared."""
        return self.kind not in ("anydata", "anyxml") and (self.kind != "list" or bool(self.keys))

    @property
    def exists_by_itself(self) -> bool:
        """Whether it is a statement; a container without presence is only a place (RFC 7950 7.5.1)."""
        return self.kind != "container" or self.presence

    @property
    def holds_value(self) -> bool:
        """Leaf or leaf-list."""
        return self.kind in ("leaf", "leaf-list")


@dataclass(frozen=True)
class Schema:
    """All modules together. `prefix`: namespace -> the module's own prefix, unique among them."""

    root: SchemaNode
    prefix: Mapping[str, str]

    def qualified(self, name: str, within: str = "") -> str:
        """`{namespace}name` as `prefix:name`, without the prefix where `within` is of the same namespace (as in RFC 7951)."""
        namespace, local = split(name)
        return local if within and split(within)[0] == namespace else f"{self.prefix[namespace]}:{local}"


def split(name: str) -> tuple[str, str]:
    """Namespace and local part of `{namespace}name`, or of a name without one."""
    namespace, _, local = name.rpartition("}")
    return namespace[1:], local


@cache
def schema() -> Schema:
    """The schema of the OLTs and switches we know. Read once."""
    data = json.loads(files(__package__).joinpath("yang_schema.json").read_text(encoding="utf-8"))
    root = SchemaNode("")
    by_path = {"": root}
    for path, facts in sorted(data["nodes"].items(), key=lambda item: item[0].count("{")):  # parents before children
        parent, _, local = path.rpartition("/{")
        node = SchemaNode(
            name="{" + local,
            kind=facts["kind"],
            keys=tuple(facts.get("keys", ())),
            presence=facts.get("presence", False),
            user_ordered=facts.get("user", False),
            prefixes=facts.get("q"),
            union=facts.get("union", False),
            cases=tuple((choice, case) for choice, case in facts.get("cases", ())),
        )
        by_path[path] = by_path[parent].children[node.name] = node
    return Schema(root, data["prefix"])
