"""The XML format: `<interfaces><interface><name>ge-0/0/1</name>...`."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from lxml import etree

from lab.junos.grammar import Kind, Statement
from lab.junos.loading import Load
from lab.junos.statements import TOP
from lab.junos.tree import Key, Path, Tree, ordered
from lab.netconf.names import OPERATION, local


def load(configuration: etree._Element, onto: Load) -> None:
    """Merge a <configuration>; elements with the attribute delete, replace or (NETCONF) operation are deleted, or deleted first."""
    _children(configuration, TOP, (), onto)


def _children(parent: etree._Element, statement: Statement, path: Path, onto: Load) -> None:
    for element in parent:
        name = local(element)
        if name == "name" and statement.kind is Kind.ENTRY:
            continue
        child = statement.children.get(name)
        if child is None:
            onto.fail("syntax error", path, name)
        else:
            _element(element, child, path, onto)


def _element(element: etree._Element, statement: Statement, path: Path, onto: Load) -> None:
    only = statement.children.get(statement.name)
    if statement.kind is Kind.CONTAINER and only is not None and only.kind is Kind.ENTRY and element.find("{*}name") is not None:
        # devices write the container and its entry of the same name as one element, the YANG modules as two
        _element(element, only, (*path, Key(statement.name)), onto)
        return
    marks = {element.get(mark) for mark in ("delete", "replace", "operation", OPERATION)}
    key, value = _key_and_value(element, statement)
    if statement.kind is Kind.ENTRY and not key.identifier:
        onto.fail("missing mandatory argument: name", path, statement.name)
        return
    here = (*path, key)
    if "delete" in marks or "remove" in marks:
        onto.delete(here, key.identifier or key.name, quietly="remove" in marks)
        return
    if "replace" in marks:
        onto.delete(here, key.identifier or key.name, quietly=True)
    if wrong := statement.check(key.identifier or value) if statement.kind in (Kind.ENTRY, Kind.LEAF) else None:
        onto.fail(wrong, path, key.identifier or value)
        return
    onto.set(here, statement, value)
    _children(element, statement, here, onto)


def _key_and_value(element: etree._Element, statement: Statement) -> tuple[Key, str]:
    text = (element.text or "").strip()
    if statement.kind is Kind.ENTRY:
        # an entry with nothing beneath may be written as a leaf: <next-hop>10.0.0.1</next-hop>
        identifier = (element.findtext("{*}name") or "").strip() or (text if len(element) == 0 else "")
        return Key(statement.name, identifier), ""
    return Key(statement.name), text if statement.kind is Kind.LEAF else ""


def write(tree: Tree, statement: Statement = TOP) -> Iterator[str]:
    """Give the elements of a tree, without namespace."""
    for key, child, value in ordered(tree, statement):
        if isinstance(value, str):
            yield f"<{key.name}>{escape(value)}</{key.name}>" if child.kind is Kind.LEAF else f"<{key.name}/>"
            continue
        identifier = f"<name>{escape(key.identifier)}</name>" if key.identifier else ""
        yield f"<{key.name}>{identifier}{''.join(write(value, child))}</{key.name}>"


def select(tree: Tree, wanted: etree._Element, statement: Statement = TOP) -> Tree:
    """Return the part of the tree that a filter (`<configuration><interfaces/></configuration>`) asks for."""
    filters = [child for child in wanted if local(child) in statement.children]
    if not filters:
        return tree
    found: dict[Key, Tree | str] = {}
    for one in filters:
        child = statement.children[local(one)]
        identifier = (one.findtext("{*}name") or "").strip() if child.kind is Kind.ENTRY else ""
        keys = [Key(child.name, identifier)] if identifier else [key for key in tree if key.name == child.name]
        for key in keys:
            value = tree.get(key)
            if value is not None:
                found[key] = value if isinstance(value, str) else select(value, one, child)
    return found
