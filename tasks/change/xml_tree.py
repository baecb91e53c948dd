"""Fragments in XML as one tree of statements, each with a path that is the same in every fragment that states it.

Prefixes, white space and the order of siblings do not count, so a value with a prefix is kept as `{namespace}name`. Paths read
like instance-identifiers (RFC 7951 6.11): `/if:interfaces/interface[name='v-ani-3.12.1']/bbf-xponvani:v-ani/onu-id`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from lxml import etree

from engine.errors import TemplateFailed
from tasks.change.masking import guarded
from tasks.change.yang import Schema, SchemaNode, split

NETCONF = "urn:ietf:params:xml:ns:netconf:base:1.0"
YANG = "urn:ietf:params:xml:ns:yang:1"
PREFIX = re.compile(r"'[^']*'|\"[^\"]*\"|(?P<prefix>[A-Za-z_][\w.-]*):(?!:)")
"""A prefix in an XPath or instance-identifier; literals are matched as well, to be left alone."""


STEP = re.compile(r"""/(?:'[^']*'|"[^"]*"|[^/'"])+""")
"""A step of a path, with its predicates."""


class Origin(Enum):
    """Where a text comes from decides what it may hold."""

    TEMPLATE = "template"
    """Only what the schema knows, and no attributes: a template says what shall be there, not how to get there."""
    DEVICE = "device"
    """What the schema does not know is left out: a template could not state it either."""
    EDIT = "edit"
    """Our own edit-config: attributes (operation, insert) are kept."""


@dataclass(slots=True)
class Statement:
    """A node of a fragment. `keys`: values of a list entry's keys; `value`: of a leaf or leaf-list entry, canonical."""

    node: SchemaNode
    path: str
    predicate: str = ""
    """End of the path that tells an entry of a list or leaf-list from its siblings."""
    keys: tuple[str, ...] = ()
    value: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: dict[str, Statement] = field(default_factory=dict)
    """By path, in the order stated; keys of a list entry are not among them."""

    @property
    def name(self) -> str:
        """Local name of the element."""
        return split(self.node.name)[1]


class Reader:
    """Reads a text into a tree. Raises TemplateFailed, with the line."""

    def __init__(self, schema: Schema, origin: Origin = Origin.TEMPLATE) -> None:
        self._schema = schema
        self._origin = origin

    def read(self, text: str) -> Statement:
        """The root of the tree; its children are the top-level statements."""
        root = Statement(self._schema.root, "")
        self._children(parse(text), root)
        return root

    def _children(self, parent: etree._Element, into: Statement) -> None:
        if any((text or "").strip() for text in (parent.text, *(element.tail for element in parent))):
            raise _failed(parent, f"{into.path or 'the top level'} holds text beside elements")
        for element in parent:
            node = into.node.children.get(element.tag)
            if node is not None and node.supported:
                self._statement(element, node, into)
            elif self._origin is not Origin.DEVICE:
                where = into.path or "the top level"
                raise _failed(
                    element, f"<{split(element.tag)[1]}> of namespace {split(element.tag)[0]!r} is not known (or not supported) in {where}"
                )

    def _statement(self, element: etree._Element, node: SchemaNode, parent: Statement) -> None:
        if self._origin is Origin.TEMPLATE and element.attrib:
            raise _failed(element, f"<{split(node.name)[1]}> has attributes; a template only says what shall be there")
        if parent.node.kind == "list" and node.name in parent.node.keys:
            return
        keys = tuple(self._key(element, node, key) for key in node.keys)
        value = self._value(element, node) if node.holds_value else ""
        step = f"{parent.path}/{self._schema.qualified(node.name, parent.node.name)}"
        predicate = _predicate(node, step, keys, value)
        statement = Statement(node, step + predicate, predicate, keys, value)
        if self._origin is Origin.EDIT:
            statement.attributes = {str(name): str(text) for name, text in element.attrib.items()}
        known = parent.children.setdefault(statement.path, statement)
        if known.value != value:
            raise _failed(element, f"{known.path} is stated twice, with different values")
        if not node.holds_value:
            self._children(element, known)

    def _key(self, element: etree._Element, node: SchemaNode, key: str) -> str:
        found = element.find(key)
        if found is None:
            raise _failed(element, f"<{split(node.name)[1]}> lacks its key <{split(key)[1]}>")
        return self._value(found, node.children[key])

    def _value(self, element: etree._Element, node: SchemaNode) -> str:
        if len(element):
            raise _failed(element, f"<{split(node.name)[1]}> is a leaf, but holds elements")
        text = (element.text or "").strip()
        if node.prefixes == "id" and text:
            return self._identity(element, node, text)
        if node.prefixes == "xp":
            return PREFIX.sub(lambda found: self._own_prefix(element, found), text)
        return text

    def _identity(self, element: etree._Element, node: SchemaNode, text: str) -> str:
        prefix, _, local = text.rpartition(":")
        namespace = element.nsmap.get(prefix or None)
        if node.union and (not prefix or namespace is None):
            return text
        if namespace is None or (namespace not in self._schema.prefix and self._origin is not Origin.DEVICE):
            raise _failed(element, f"<{split(node.name)[1]}>: prefix {prefix!r} is not declared, or of a module that is not known")
        return f"{{{namespace}}}{local}"

    def _own_prefix(self, element: etree._Element, found: re.Match[str]) -> str:
        if (prefix := found["prefix"]) is None:
            return found[0]
        namespace = element.nsmap.get(prefix, "")
        if namespace not in self._schema.prefix:
            if self._origin is Origin.DEVICE:
                return found[0]
            raise _failed(element, f"prefix {prefix!r} is not declared, or of a module that is not known")
        return f"{self._schema.prefix[namespace]}:"


def _predicate(node: SchemaNode, step: str, keys: tuple[str, ...], value: str) -> str:
    if node.kind == "list":
        return predicates((split(key)[1], text) for key, text in zip(node.keys, keys, strict=True))
    return predicates([(".", guarded(split(node.name)[1], step, value))]) if node.kind == "leaf-list" else ""


def predicates(pairs: Iterable[tuple[str, str]]) -> str:
    """`[name='value']...` as in an instance-identifier (RFC 7950 9.13), which knows two kinds of quotes and no escapes."""
    return "".join(f'[{name}="{value}"]' if "'" in value else f"[{name}='{value}']" for name, value in pairs)


def parse(text: str) -> etree._Element:
    """The elements of a fragment below one root, or an edit's <config>. No entities, no DTD, no network. Raises TemplateFailed."""
    # a parser of one's own each time: lxml's parsers are not to be shared between threads
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True)
    try:
        # on the first line, so that line numbers stay; inside an element neither DOCTYPE nor XML declaration is legal
        root = etree.fromstring(f"<fragment>{text}</fragment>", parser)
    except etree.XMLSyntaxError as error:
        # about entities libxml2 quotes the text, and that may be a piece of a secret
        reason = "an & that is not escaped, or an entity" if "ntity" in error.msg else error.msg
        raise TemplateFailed(f"line {error.lineno}: not well-formed XML: {reason}") from None
    return root[0] if len(root) == 1 and root[0].tag == f"{{{NETCONF}}}config" else root


def merged(schema: Schema, roots: Iterable[Statement]) -> Statement:
    """The trees of several fragments, which do not contradict each other, as one. Takes parts of them: they are used up."""
    whole = Statement(schema.root, "")
    for root in roots:
        _absorb(whole, root)
    return whole


def _absorb(into: Statement, other: Statement) -> None:
    for path, child in other.children.items():
        known = into.children.setdefault(path, child)
        if known is not child:
            _absorb(known, child)


def flat(root: Statement) -> dict[str, str]:
    """Path -> value of everything that is stated, in document order. Besides elements, two things that a device knows only implicitly:

    * the case of a choice, as the value of the choice, for who creates another case deletes this one (RFC 7950 7.9);
    * the entries of a user-ordered list, in order, as one value: whoever states such a list states all of it.

    Raises TemplateFailed when two cases of one choice are stated.
    """
    found: dict[str, str] = {}
    _flatten(root, found)
    return found


def _flatten(parent: Statement, found: dict[str, str]) -> None:
    for child in parent.children.values():
        place = parent.path
        for choice, case in child.node.cases:
            place = f"{place}/({split(choice)[1]})"
            if found.setdefault(place, split(case)[1]) != split(case)[1]:
                raise TemplateFailed(f"{place}: only one of its cases can be, here are {found[place]} and {split(case)[1]}")
        if child.node.user_ordered:
            whole = child.path.removesuffix(child.predicate)
            found[whole] = f"{found[whole]}, {child.predicate}" if whole in found else child.predicate
        if child.node.exists_by_itself:
            found[child.path] = guarded(child.name, child.path, child.value) if child.node.kind == "leaf" else ""
        _flatten(child, found)


def prune(root: Statement, stated: Mapping[str, str], also: Collection[str]) -> None:
    """Take from a tree what is neither stated (path -> value, as `flat` gives it) nor among `also`, but leave what contradicts it."""
    for path, child in list(root.children.items()):
        if _contradicts(child, root, stated):
            continue
        if child.node.exists_by_itself and path not in stated and path not in also:
            del root.children[path]
            continue
        prune(child, stated, also)
        if not child.node.exists_by_itself and not child.children:
            del root.children[path]


def take_over(root: Statement, held: Statement, paths: Collection[str]) -> None:
    """Make these statements of a tree what they are in another one: of another value, or not there."""
    for path, child in list(root.children.items()):
        there = held.children.get(path)
        if path in paths and there is None:
            del root.children[path]
            continue
        if path in paths and there is not None:
            child.value = there.value
        take_over(child, there or Statement(child.node, path), paths)


def _contradicts(child: Statement, parent: Statement, stated: Mapping[str, str]) -> bool:
    """Whether it is of another case than what is stated, or in a list of which all is stated."""
    place = parent.path
    for choice, case in child.node.cases:
        place = f"{place}/({split(choice)[1]})"
        if stated.get(place, split(case)[1]) != split(case)[1]:
            return True
    return child.node.user_ordered and child.path not in stated and child.path.removesuffix(child.predicate) in stated


def _failed(element: etree._Element, message: str) -> TemplateFailed:
    return TemplateFailed(f"line {element.sourceline}: {message}")
