"""The text format with braces, `interfaces { ge-0/0/1 { ... } }`, and comparisons in it."""

import re
from collections.abc import Iterator

from lab.junos.grammar import Kind, Statement
from lab.junos.loading import Load, take
from lab.junos.setlines import inline
from lab.junos.statements import TOP
from lab.junos.tree import Key, Path, Tree, edit, ordered, quoted

_TOKEN = re.compile(r'/\*.*?\*/|##[^\n]*|#[^\n]*|"(?:[^"\\]|\\.)*"|[{};\[\]]|[^\s{};\[\]"]+', re.DOTALL)


def write(tree: Tree, statement: Statement = TOP, depth: int = 0) -> Iterator[str]:
    """Give the lines of a tree, four spaces a level."""
    indent = "    " * depth
    for key, child, value in ordered(tree, statement):
        head = indent + _head(key, child, value)
        if isinstance(value, str) or child.inline or not value:
            yield f"{head};"
        else:
            yield f"{head} {{"
            yield from write(value, child, depth + 1)
            yield f"{indent}}}"


def _head(key: Key, statement: Statement, value: "Tree | str") -> str:
    found = [] if statement.implied else [key.name]
    if key.identifier:
        found.append(quoted(key.identifier))
    if isinstance(value, str):
        found += [quoted(value)] if statement.kind is Kind.LEAF else []
    elif statement.inline:
        found += inline(value, statement)
    return " ".join(found)


def compare(old: Tree, new: Tree, statement: Statement = TOP, path: Path = ()) -> Iterator[str]:
    """Give the lines of `show | compare`: per level its place, then what goes (-) and what comes (+)."""
    own: list[str] = []
    below: list[str] = []
    for key, child, _ in ordered({**old, **new}, statement):
        before, after = old.get(key), new.get(key)
        if before is after:
            continue
        if isinstance(before, str) or isinstance(after, str) or before is None or after is None or child.inline:
            if before != after:
                own += _block("-", key, child, before, statement)
                own += _block("+", key, child, after, statement)
        else:
            below += compare(before, after, child, (*path, key))
    if own:
        yield edit(path, TOP)
        yield from own
    yield from below


def _block(sign: str, key: Key, _: Statement, value: "Tree | str | None", parent: Statement) -> Iterator[str]:
    if value is not None:
        for line in write({key: value}, parent):
            yield f"{sign}   {line}"


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
