"""The text format with braces, `interfaces { ge-0/0/1 { ... } }`, and comparisons in it."""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from lab.junos.grammar import Kind, Statement
from lab.junos.loading import Load, take
from lab.junos.setlines import inline
from lab.junos.statements import TOP
from lab.junos.tree import Path, Tree, edit, ordered, quoted

_TOKEN = re.compile(r'/\*.*?\*/|##[^\n]*|#[^\n]*|"(?:[^"\\]|\\.)*"|[{};\[\]]|[^\s{};\[\]"]+', re.DOTALL)


Piece: TypeAlias = tuple[Statement, "Tree | str"]


def _pieces(tree: Tree, statement: Statement, above: Path = ()) -> dict[Path, Piece]:
    """What stands at one level, by the keys that lead there: a container without braces of its own gives what is in it."""
    found: dict[Path, Piece] = {}
    for key, child, value in ordered(tree, statement):
        if child.joined and isinstance(value, Mapping):
            found |= _pieces(value, child, (*above, key))
        else:
            found[(*above, key)] = child, value
    return found


def write(tree: Tree, statement: Statement = TOP) -> Iterator[str]:
    """Give the lines of a tree, four spaces a level."""
    for path, piece in _pieces(tree, statement).items():
        yield from _written(path, piece)


def _written(path: Path, piece: Piece) -> Iterator[str]:
    statement, value = piece
    head = [key.name for key in path[:-1]]
    head += [] if statement.implied else [path[-1].name]
    head += [quoted(path[-1].identifier)] if path[-1].identifier else []
    if isinstance(value, str):
        yield " ".join([*head, *([quoted(value)] if statement.kind is Kind.LEAF else [])]) + ";"
    elif statement.inline or not value:
        yield " ".join([*head, *inline(value, statement)]) + ";"
    else:
        yield " ".join([*head, "{"])
        yield from (f"    {line}" for line in write(value, statement))
        yield "}"


def compare(old: Tree, new: Tree, statement: Statement = TOP, path: Path = ()) -> Iterator[str]:
    """Give the lines of `show | compare`: per level its place, then what goes (-) and what comes (+)."""
    own: list[str] = []
    below: list[str] = []
    before, after = _pieces(old, statement), _pieces(new, statement)
    for key in _in_order({**before, **after}, statement):
        was, now = before.get(key), after.get(key)
        if was and now and was[1] is now[1]:
            continue
        if was and now and isinstance(was[1], Mapping) and isinstance(now[1], Mapping) and not was[0].inline:
            below += compare(was[1], now[1], was[0], (*path, *key))
        elif was is None or now is None or was[1] != now[1]:
            own += [f"-   {line}" for line in _written(key, was)] if was else []
            own += [f"+   {line}" for line in _written(key, now)] if now else []
    if own:
        yield edit(path, TOP)
        yield from own
    yield from below


def _in_order(pieces: Mapping[Path, Piece], statement: Statement) -> list[Path]:
    place = {name: number for number, name in enumerate(statement.children)}
    return sorted(pieces, key=lambda path: place[path[0].name])


def load(source: str, onto: Load) -> None:
    """Merge text with braces. Statements marked `delete:` or `replace:` go (first)."""
    tokens = [token for token in _TOKEN.findall(source) if not token.startswith(("#", "/*"))]
    left = _level(tokens, TOP, (), onto)
    if left:
        onto.fail("syntax error", (), left[0])


def _level(tokens: list[str], statement: Statement, path: Path, onto: Load) -> list[str]:
    """Read statements up to the closing brace; returns the tokens behind it."""
    while tokens and tokens[0] != "}":
        head, tokens = _until(tokens)
        ending, tokens = (tokens[0], tokens[1:]) if tokens else (";", [])
        mark = head.pop(0) if head and head[0] in ("delete:", "replace:") else ""
        found = _resolve(head, statement, path, onto)
        if found is None:
            tokens = _skip(tokens) if ending == "{" else tokens
            continue
        child, here, value = found
        if mark:
            onto.delete(here, head[-1], quietly=mark == "replace:")
        if mark != "delete:":
            onto.set(here, child, value)
        if ending == "{":
            tokens = _level(tokens, child, here, onto)
            tokens = tokens[1:]  # the closing brace
    return tokens


def _until(tokens: list[str]) -> tuple[list[str], list[str]]:
    end = next((number for number, word in enumerate(tokens) if word in ("{", "}", ";")), len(tokens))
    return [_plain(token) for token in tokens[:end]], tokens[end:]


def _plain(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token


def _skip(tokens: list[str]) -> list[str]:
    depth = 1
    while tokens and depth:
        depth += {"{": 1, "}": -1}.get(tokens[0], 0)
        tokens = tokens[1:]
    return tokens


def _resolve(head: list[str], statement: Statement, path: Path, onto: Load) -> tuple[Statement, Path, str] | None:
    """The statement that the words before a brace or semicolon name. None when there is none, which is noted."""
    rest = list(head)
    found: tuple[Statement, Path, str] | None = None
    while rest:
        taken = take(statement, path, rest, onto)
        if taken is None:
            return None
        child, key, value = taken
        found = child, (*path, key), value
        if child.kind in (Kind.CONTAINER, Kind.ENTRY):
            statement, path = child, (*path, key)
            if rest:
                onto.set(path, child, "")
        elif rest:
            onto.set(found[1], child, value)
    return found
