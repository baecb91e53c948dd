"""A change in XML for people: the elements, indented, `+` what comes, `-` what goes."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from engine.ports import Change
from tasks.change.masking import shown
from tasks.change.xml_edit import OPERATION
from tasks.change.xml_tree import Origin, Reader, Statement
from tasks.change.yang import Schema, split


def show(change: Change, schema: Schema) -> str:
    """One element a line. What a delete takes away is read from the reverse, which creates it again."""
    forward, reverse = (Reader(schema, Origin.EDIT).read(text) for text in (change.forward, change.reverse))
    return "\n".join(line for child in forward.children.values() for line in _lines(schema, child, reverse, "", 0))


def _lines(schema: Schema, statement: Statement, mirror: Statement | None, within: str, depth: int) -> Iterator[str]:
    """`mirror`: the same place in the reverse, one level up."""
    opposite = mirror.children.get(statement.path) if mirror else None
    operation = statement.attributes.get(OPERATION)
    if operation == "create":
        yield from _whole(schema, "+", statement, within, depth)
    elif operation == "delete":
        yield from _whole(schema, "-", opposite or statement, within, depth)
    elif statement.node.kind == "leaf":
        if opposite:
            yield from _whole(schema, "-", opposite, within, depth)
        yield from _whole(schema, "+", statement, within, depth)
    else:
        sign = "+" if statement.attributes else " "  # an entry that is moved says where to
        yield from _open(schema, sign, statement, within, depth)
        for child in statement.children.values():
            yield from _lines(schema, child, opposite, statement.node.name, depth + 1)
        yield _line(" ", depth, f"</{schema.qualified(statement.node.name, within)}>")


def _whole(schema: Schema, sign: str, statement: Statement, within: str, depth: int) -> Iterator[str]:
    tag = schema.qualified(statement.node.name, within)
    if statement.node.holds_value or not (statement.children or statement.keys):
        yield _line(sign, depth, _leaf(schema, tag, statement.name, statement.value, _attributes(statement)))
        return
    yield from _open(schema, sign, statement, within, depth)
    for child in statement.children.values():
        yield from _whole(schema, sign, child, statement.node.name, depth + 1)
    yield _line(sign, depth, f"</{tag}>")


def _open(schema: Schema, sign: str, statement: Statement, within: str, depth: int) -> Iterator[str]:
    yield _line(sign, depth, f"<{schema.qualified(statement.node.name, within)}{_attributes(statement)}>")
    for key, value in zip(statement.node.keys, statement.keys, strict=True):
        yield _line(sign, depth + 1, _leaf(schema, split(key)[1], "", value))


def _leaf(schema: Schema, tag: str, name: str, value: str, attributes: str = "") -> str:
    if value.startswith("{"):
        value = schema.qualified(value)
    return f"<{tag}{attributes}>{escape(shown(name, value))}</{tag}>" if value else f"<{tag}{attributes}/>"


def _attributes(statement: Statement) -> str:
    """Where an entry goes in a user-ordered list; the operation is said by the sign."""
    placing = {name: value for name, value in statement.attributes.items() if name != OPERATION}
    return "".join(f" {split(name)[1]}={quoteattr(value)}" for name, value in placing.items())


def _line(sign: str, depth: int, text: str) -> str:
    return f"{sign} {'  ' * depth}{text}"
