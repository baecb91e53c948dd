"""A configuration as a tree that is never changed: a change makes a new tree that shares what stayed the same.

So a candidate, fifty rollbacks and the comparison of two of them cost what differs, not the size of the configuration.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias, Union

from lab.junos.grammar import Kind, Statement


class Key(NamedTuple):
    """A statement in its place: its name, and its identifier if it has one ("")."""

    name: str
    identifier: str = ""


Path: TypeAlias = tuple[Key, ...]
Tree: TypeAlias = Mapping[Key, Union["Tree", str]]
"""What stands beneath a statement: a leaf's value is a str, a flag's is "", any other's a tree."""

EMPTY: Tree = {}


def lookup(tree: Tree, path: Path) -> "Tree | str | None":
    """Return what stands at `path`, None when nothing does."""
    here: Tree | str = tree
    for key in path:
        if isinstance(here, str) or key not in here:
            return None
        here = here[key]
    return here


def put(tree: Tree, path: Path, value: "Tree | str") -> Tree:
    """Return the tree with `value` at `path`; a tree that is there already keeps what it has, an equal leaf is no change."""
    key, *rest = path
    below = tree.get(key)
    if rest:
        new: Tree | str = put(below if isinstance(below, Mapping) else EMPTY, tuple(rest), value)
    else:
        new = below if isinstance(value, Mapping) and isinstance(below, Mapping) else value
    return tree if new is below or (new == below and isinstance(new, str)) else {**tree, key: new}


def remove(tree: Tree, path: Path, statement: Statement) -> Tree | None:
    """Return the tree without what stands at `path`, None when nothing does; `statement` describes the tree.

    A container goes with the last that stood in it. A statement with an identifier stays, as in Junos: after
    `delete interfaces ge-0/0/1 unit 5 vlan-id` there is a unit 5.
    """
    key, *rest = path
    below = tree.get(key)
    if below is None:
        return None
    if rest:
        child = statement.children[key.name]
        new = remove(below, tuple(rest), child) if isinstance(below, Mapping) else None
        if new is None:
            return None
        if new or child.kind is Kind.ENTRY or child.presence:
            return {**tree, key: new}
    return {other: value for other, value in tree.items() if other != key}


def ordered(tree: Tree, statement: Statement) -> Iterator[tuple[Key, Statement, "Tree | str"]]:
    """Give what stands in a tree in the order of the grammar, entries of one name as they came."""
    place = {name: number for number, name in enumerate(statement.children)}
    for key in sorted(tree, key=lambda key: place[key.name]):
        yield key, statement.children[key.name], tree[key]


def words(path: Path, statement: Statement) -> list[str]:
    """Return the words of a path as the CLI writes them, names left out where they are implied."""
    found: list[str] = []
    for key in path:
        statement = statement.children[key.name]
        if not statement.implied:
            found.append(key.name)
        if key.identifier:
            found.append(quoted(key.identifier))
    return found


def edit(path: Path, statement: Statement) -> str:
    """Return the place as error messages and comparisons name it: `[edit interfaces ge-0/0/1]`."""
    return f"[{' '.join(['edit', *words(path, statement)])}]"


def quoted(value: str) -> str:
    """Return a value as it is written in text: in quotation marks when it is not one plain word."""
    if value and not set(value) & set(' \t\n;{}[]"#\\'):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
