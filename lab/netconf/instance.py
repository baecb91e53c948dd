"""Instance data as lxml elements: keys, normal form, looking things up. Used on what clients send and on what is stored."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from lab.netconf.errors import RpcFailed, failed
from lab.netconf.names import OPERATION, YANG, local, make, space
from lab.netconf.schema import Node, Schema

Steps = tuple[tuple[str, Mapping[str, str]], ...]
"""The way to an instance from the top, as Schema.error_path takes it."""

OPERATIONS = frozenset({"merge", "replace", "create", "delete", "remove"})
_INSERT = frozenset(f"{{{YANG}}}{name}" for name in ("insert", "key", "value"))


def text_of(element: etree._Element) -> str:
    """Return the value of a leaf."""
    return element.text or ""


def keys_of(element: etree._Element, node: Node, schema: Schema, steps: Steps) -> dict[str, str]:
    """Return the values of a list entry's keys, by tag. Raises RpcFailed(missing-element)."""
    found = {key: element.findtext(key) for key in node.keys}
    for key, value in found.items():
        if value is None:
            name = key.rpartition("}")[2]
            path = schema.error_path([*steps, (node.tag, {})])
            raise failed("missing-element", f"the key {name} is missing", type_="protocol", path=path, info=[("bad-element", name)])
    return {key: value or "" for key, value in found.items()}


def step_of(element: etree._Element, node: Node, schema: Schema, steps: Steps) -> Steps:
    """Return the steps to `element`, given those to its parent. Raises RpcFailed(missing-element)."""
    if node.kind == "list":
        return (*steps, (node.tag, keys_of(element, node, schema, steps)))
    if node.kind == "leaf-list":
        return (*steps, (node.tag, {".": text_of(element)}))
    return (*steps, (node.tag, {}))


def find(parent: etree._Element, node: Node, keys: Mapping[str, str]) -> etree._Element | None:
    """Return the child that is the instance of `node` with these keys (leaf-list: {".": value})."""
    for child in parent.iterchildren(node.tag):
        if all((text_of(child) if key == "." else child.findtext(key)) == value for key, value in keys.items()):
            return child
    return None


def normal(element: etree._Element, node: Node, schema: Schema, parent: etree._Element | None = None) -> etree._Element:
    """Return a copy as it is stored, appended to `parent` if given.

    Without NETCONF's attributes, keys first (RFC 7950 7.8.5), identities with the prefix of their module, and without children
    that are to be deleted. A prefix that is not declared is taken for a module's own: so what is stored can be made anew after
    lxml lost declarations.
    """
    text, prefixes = _value(element, node, schema) if node.is_leaf else (None, None)
    copy = make(node.tag, parent, prefixes)
    if node.is_leaf:
        copy.text = text
        return copy
    for child in sorted(element, key=lambda child: child.tag not in node.keys):
        if child.get(OPERATION) not in ("delete", "remove"):
            normal(child, node.children[child.tag], schema, copy)
    return copy


def _value(element: etree._Element, node: Node, schema: Schema) -> tuple[str | None, dict[str, str]]:
    """The value, and the declarations that it needs. Each leaf has its own."""
    text = element.text or None
    if not text or not node.prefixed:
        return text, {}
    if node.prefixed == "xp":
        declared: dict[Any, str] = {**schema.namespaces, **element.nsmap}
        return text, {prefix: declared[prefix] for prefix in re.findall(r"([\w.-]+):", text) if prefix in declared}
    prefix, _, name = text.strip().rpartition(":")
    if node.union and not prefix:
        return text, {}
    namespace = element.nsmap.get(prefix or None) or schema.namespaces.get(prefix)
    if namespace is None:  # libyang will refuse it
        return text, {}
    own = schema.prefixes.get(namespace, prefix or "unknown")
    return f"{own}:{name}", {own: namespace}


class Shape:
    """Looks over what a client sent before anything is done with it."""

    def __init__(self, schema: Schema) -> None:
        """Use `schema`."""
        self._schema = schema

    def check(self, config: etree._Element) -> None:
        """Raise RpcFailed for what is no instance of the modules' nodes.

        unknown-namespace, unknown-element, missing-element (a key), bad-attribute, unknown-attribute, bad-element (a leaf twice, two
        cases of a choice).
        """
        self._children(config, self._schema.tops, ())

    def _children(self, parent: etree._Element, nodes: Mapping[str, Node], steps: Steps) -> None:
        leaves: set[str] = set()
        for child in parent:
            node = nodes.get(child.tag)
            if node is None:
                raise self._unknown(child, steps)
            here = step_of(child, node, self._schema, steps)
            if child.tag in leaves:
                path = self._schema.error_path(here)
                raise failed("bad-element", "a leaf is there once", path=path, info=[("bad-element", local(child))])
            if node.kind == "leaf":
                leaves.add(child.tag)
            self._attributes(child, node, here)
            if not node.is_leaf:
                self._children(child, node.children, here)
        self._one_case(parent, nodes, steps)

    def _unknown(self, element: etree._Element, steps: Steps) -> RpcFailed:
        path = self._schema.error_path(steps) if steps else None
        name, namespace = local(element), space(element.tag)
        if namespace not in self._schema.prefixes:
            info = [("bad-element", name), ("bad-namespace", namespace)]
            return failed("unknown-namespace", f"no module has the namespace {namespace!r}", path=path, info=info)
        return failed("unknown-element", f"there is no configuration node {name} here", path=path, info=[("bad-element", name)])

    def _attributes(self, element: etree._Element, node: Node, steps: Steps) -> None:
        for name, value in element.attrib.items():
            wrong = None
            if name == OPERATION:
                wrong = "bad-attribute" if value not in OPERATIONS else None
            elif name in _INSERT:
                wrong = "bad-attribute" if not node.user_ordered else None
            elif not str(name).startswith("{http://www.w3.org/"):
                wrong = "unknown-attribute"
            if wrong:
                plain = str(name).rpartition("}")[2]
                info = [("bad-attribute", plain), ("bad-element", local(element))]
                raise failed(wrong, f"attribute {plain}={value!r}", path=self._schema.error_path(steps), info=info)

    def _one_case(self, parent: etree._Element, nodes: Mapping[str, Node], steps: Steps) -> None:
        chosen: dict[str, str] = {}
        for child in parent:
            if child.get(OPERATION) in ("delete", "remove"):
                continue
            for choice, case in nodes[child.tag].cases:
                if chosen.setdefault(choice, case) != case:
                    path = self._schema.error_path(steps)
                    raise failed("bad-element", "two cases of one choice", path=path, info=[("bad-element", local(child))])


def other_cases(node: Node, siblings: Mapping[str, Node]) -> Iterator[Node]:
    """Give the nodes that go when `node` comes: those in another case of a choice that it is in (RFC 7950 7.9)."""
    own = dict(node.cases)
    for sibling in siblings.values():
        if any(own.get(choice, case) != case for choice, case in sibling.cases):
            yield sibling


def predicate_values(text: str) -> tuple[str, ...]:
    """Return the values in the key predicates of yang:key, `[p:name='x'][...]` (RFC 7950 7.8.6)."""
    return tuple(a or b for a, b in re.findall(r"=\s*(?:'([^']*)'|\"([^\"]*)\")\s*\]", text))
