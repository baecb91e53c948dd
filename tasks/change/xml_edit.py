"""A difference as the <config> of a NETCONF edit-config (RFC 6241 7.2) with default-operation merge.

`create` and `delete` are the strict ones: the device refuses (data-exists, data-missing) when it is not as we think it is.
Containers without presence are never created or deleted by themselves (RFC 7950 7.5.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from tasks.change.difference import Difference
from tasks.change.xml_tree import NETCONF, PREFIX, YANG, Statement, predicates
from tasks.change.yang import Schema, split

OPERATION = f"{{{NETCONF}}}operation"
Children = Mapping[str, Statement]
INSERT, KEY, VALUE = (f"{{{YANG}}}{name}" for name in ("insert", "key", "value"))


class Editor:
    """Writes one <config>: what `todo` says of two trees."""

    def __init__(self, schema: Schema, todo: Difference) -> None:
        self._schema = schema
        self._todo = todo
        # `yang` is taken: it is the prefix of ietf-yang-types
        self._by_prefix = {**{prefix: namespace for namespace, prefix in schema.prefix.items()}, "nc": NETCONF, "y": YANG}
        self._in_values: set[str] = set()

    def config(self, old: Statement, new: Statement) -> str:
        """The element as text, empty when there is nothing to do. The difference leads from `old` to `new`, both roots."""
        # lxml (and ncclient, which copies with it) drops namespace declarations that it finds redundant, blind to prefixes within
        # text. So all are declared once, on <config>, by the modules' own prefixes: nothing is redundant, and a copy is the same.
        root = etree.Element(f"{{{NETCONF}}}config", nsmap=self._by_prefix)
        if not self._inside(root, old.children, new.children):
            return ""
        etree.cleanup_namespaces(root, keep_ns_prefixes=sorted(self._in_values))
        return etree.tostring(root, encoding="unicode")

    def fragment(self, root: Statement) -> str:
        """A tree as the text of a fragment: what is below the root."""
        whole = etree.Element(f"{{{NETCONF}}}config", nsmap=self._by_prefix)
        for child in root.children.values():
            self._whole(whole, child)
        etree.cleanup_namespaces(whole, keep_ns_prefixes=sorted(self._in_values))
        return "\n".join(etree.tostring(child, encoding="unicode") for child in whole)

    def _inside(self, out: etree._Element, before: Children, after: Children) -> bool:
        """What is below a statement that stays. Returns whether anything was written."""
        places = dict(_insertions(before, after, self._todo))
        done = False
        # deletes first: creating another case of a choice would delete them before us, and the strict delete would fail
        for path in [*(path for path in before if path not in after), *after]:
            element = self._statement(out, before.get(path), after.get(path) or before[path], moved=path in places)
            if element is not None and path in places:
                self._place(element, places[path])
            done = done or element is not None
        return done

    def _statement(self, out: etree._Element, old: Statement | None, statement: Statement, *, moved: bool) -> etree._Element | None:
        """What is done to one statement; None when nothing is. `statement` is the new one, or the old one when there is no new one."""
        path = statement.path
        if path in self._todo.created:
            element = self._whole(out, statement)
            element.set(OPERATION, "create")
            return element
        if path in self._todo.deleted:
            element = self._entry(out, statement)
            element.set(OPERATION, "delete")
            return element
        if path in self._todo.changed and statement.node.kind == "leaf":
            return self._whole(out, statement)
        if statement.node.holds_value and not moved:
            return None
        element = self._entry(out, statement)
        gone = statement is old
        if self._inside(element, old.children if old else {}, {} if gone else statement.children) or moved:
            return element
        out.remove(element)
        return None

    def _whole(self, out: etree._Element, statement: Statement) -> etree._Element:
        """A statement with all that is below it."""
        element = self._entry(out, statement)
        if statement.node.kind == "leaf":
            element.text = self._text(statement.value, statement.node.prefixes) or None
        for child in statement.children.values():
            self._whole(element, child)
        return element

    def _entry(self, out: etree._Element, statement: Statement) -> etree._Element:
        """A statement with no more than what tells it from its siblings: the keys of a list entry (RFC 7950 7.8.5), a leaf-list's value."""
        element = etree.SubElement(out, statement.node.name)
        for key, value in zip(statement.node.keys, statement.keys, strict=True):
            etree.SubElement(element, key).text = self._text(value, statement.node.children[key].prefixes) or None
        if statement.node.kind == "leaf-list":
            element.text = self._text(statement.value, statement.node.prefixes) or None
        return element

    def _place(self, element: etree._Element, behind: Statement | None) -> None:
        """Where an entry of a user-ordered list goes (RFC 7950 7.7.9, 7.8.6)."""
        element.set(INSERT, "after" if behind else "first")
        if behind and behind.node.kind == "leaf-list":
            element.set(VALUE, self._text(behind.value, behind.node.prefixes))
        elif behind:
            names = [self._schema.qualified(key, "") for key in behind.node.keys]
            values = [
                self._text(value, behind.node.children[key].prefixes) for key, value in zip(behind.node.keys, behind.keys, strict=True)
            ]
            self._in_values.update(name.partition(":")[0] for name in names)
            element.set(KEY, predicates(zip(names, values, strict=True)))

    def _text(self, value: str, prefixes: str | None) -> str:
        if prefixes == "id" and value.startswith("{"):
            self._in_values.add(self._schema.prefix[split(value)[0]])
            return self._schema.qualified(value)
        if prefixes == "xp":
            self._in_values.update(found["prefix"] for found in PREFIX.finditer(value) if found["prefix"])
        return value


def _insertions(
    before: Mapping[str, Statement], after: Mapping[str, Statement], todo: Difference
) -> Iterator[tuple[str, Statement | None]]:
    """Entries of user-ordered lists that must be placed: path -> the entry they go behind (None: they become the first).

    Done in this order, after the deletes, they give the wanted order. What is created at the end needs no place.
    """
    for name in {entry.node.name: None for entry in after.values() if entry.node.user_ordered}:
        wanted = [entry for entry in after.values() if entry.node.name == name]
        current = [path for path, entry in before.items() if entry.node.name == name and path not in todo.deleted]
        for index, entry in enumerate(wanted):
            if current[index : index + 1] == [entry.path]:
                continue
            if entry.path in todo.created and index == len(current):
                current.append(entry.path)
            elif entry.path in todo.created or entry.path in current:
                if entry.path in current:
                    current.remove(entry.path)
                current.insert(index, entry.path)
                yield entry.path, wanted[index - 1] if index else None
