"""`set` and `delete` lines: `set interfaces ge-0/0/1 unit 1042 vlan-id 1042`."""

import re
from collections.abc import Iterator

from lab.junos.grammar import Kind, Statement
from lab.junos.loading import Load, take
from lab.junos.statements import TOP
from lab.junos.tree import Key, Path, Tree, ordered, quoted, words

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


def load(lines: str, onto: Load) -> None:
    """Apply the lines, one statement each; empty ones and comments (#) do nothing."""
    for line in lines.splitlines():
        found = [re.sub(r"\\(.)", r"\1", quoted_word) if plain == "" else plain for quoted_word, plain in _WORD.findall(line)]
        if not found or found[0].startswith("#"):
            continue
        verb, *rest = found
        if verb == "set" and rest:
            _set(rest, onto)
        elif verb == "delete":
            _delete(rest, onto)
        else:
            onto.fail("syntax error", (), verb)


def _set(line: list[str], onto: Load) -> None:
    """Walk down the words; several statements of one level may follow each other on a line."""
    here: tuple[Statement, Path] = (TOP, ())
    done: list[tuple[Path, Statement, str]] = []
    rest = list(line)
    while rest:
        statement, path = here
        found = take(statement, path, rest, onto)
        if found is None:
            return
        child, key, value = found
        done.append(((*path, key), child, value))
        if child.kind in (Kind.CONTAINER, Kind.ENTRY):
            here = child, (*path, key)
    for target, child, value in done:
        onto.set(target, child, value)


def _delete(line: list[str], onto: Load) -> None:
    statement = TOP
    rest = list(line)
    here: Path = ()
    while rest:
        word = rest[0]
        child = statement.child(word)
        if child is not None and child.kind is Kind.LEAF and len(rest) <= 2:  # with its value or without
            onto.delete((*here, Key(child.name)), word)
            return
        found = take(statement, here, rest, onto)
        if found is None:
            return
        statement, key, _ = found
        here = (*here, key)
    onto.delete(here, line[-1] if line else "configuration")


def lines(tree: Tree, statement: Statement = TOP, path: Path = ()) -> Iterator[str]:
    """Give the `set` lines that make the tree, as `show | display set` does."""
    for key, child, value in ordered(tree, statement):
        here = (*path, key)
        if isinstance(value, str):
            ending = [quoted(value)] if child.kind is Kind.LEAF else []
            yield " ".join(["set", *words(here, TOP), *ending])
        elif child.inline and value:
            yield " ".join(["set", *words(here, TOP), *inline(value, child)])
        elif value:
            yield from lines(value, child, here)
        else:
            yield " ".join(["set", *words(here, TOP)])


def difference(old: Tree, new: Tree, statement: Statement = TOP, path: Path = ()) -> tuple[list[str], list[str]]:
    """Return the `set` lines that only `old` has, and those that only `new` has. Costs what differs."""
    gone: list[str] = []
    came: list[str] = []
    for key, child, _ in ordered({**old, **new}, statement):
        before, after = old.get(key), new.get(key)
        if before is after:
            continue
        if before and after and not isinstance(before, str) and not isinstance(after, str) and not child.inline:
            less, more = difference(before, after, child, (*path, key))
        else:
            less, more = (list(lines({key: value}, statement, path)) if value is not None else [] for value in (before, after))
        if less != more:
            gone += less
            came += more
    return gone, came


def inline(tree: Tree, statement: Statement) -> Iterator[str]:
    """Give the words of what stands on one line with its parent."""
    for key, child, value in ordered(tree, statement):
        if not child.implied:
            yield key.name
        if isinstance(value, str) and value:
            yield quoted(value)
