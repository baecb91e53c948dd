"""The table of Junos statements against the embedded router, which was written from Juniper's YANG modules without knowing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.errors import TemplateFailed
from lab.junos.grammar import Kind
from lab.junos.grammar import Statement as RouterStatement
from lab.junos.statements import TOP
from tasks.change.junos_tree import Level, statements, table


def _of_the_router(statement: RouterStatement, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The words of each statement with made-up names and values, and whether another `set` replaces the last."""
    for child in statement.children.values():
        said = words if child.implied else (*words, child.name)
        here = (*said, "x-1") if child.kind in (Kind.ENTRY, Kind.LEAF) else said
        if child.kind is not Kind.CONTAINER or child.presence:
            yield here, child.kind is Kind.LEAF
        below = child.children
        if child.inline and (one := child.implied_child()):  # a name that is replaced, with more behind it
            here = (*here, "x-1")
            yield here, True
            below = {name: other for name, other in below.items() if other is not one}
        yield from _of_the_router(RouterStatement(child.name, child.kind, children=below), here)


def test_each_statement_of_the_router_is_known_for_what_it_is() -> None:
    wrong: list[str] = []
    for words, replaced in _of_the_router(TOP, ()):
        try:
            last = list(statements(words))[-1]
        except TemplateFailed as error:
            wrong.append(error.message)
            continue
        if last.words != words or (last.value is not None) != replaced:
            wrong.append(f"{' '.join(words)}: the router says {replaced=}, the table {last}")
    assert wrong == []


def test_the_table_uses_nothing_but_its_notation() -> None:
    def kinds(level: Level) -> Iterator[str]:
        for below in level.values():
            if isinstance(below, Mapping):
                yield from kinds(below)
            else:
                yield below

    assert set(kinds(table())) == {"value", "values", "flag"}
