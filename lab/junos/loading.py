"""Changes to a candidate, as a load makes them one after the other, and what Junos says about those that it does not take."""

from dataclasses import dataclass, field

from lab.junos.grammar import Kind, Statement
from lab.junos.statements import TOP
from lab.junos.tree import EMPTY, Key, Path, Tree, edit, put, remove
from lab.netconf.errors import ErrorPath, RpcError


@dataclass
class Load:
    """A candidate that is being changed. What is wrong is noted and left out, the rest is taken, as Junos does."""

    tree: Tree
    errors: list[RpcError] = field(default_factory=list)
    warnings: list[RpcError] = field(default_factory=list)

    def set(self, path: Path, statement: Statement, value: str = "") -> None:
        """Set what `path` leads to; `statement` describes it. A leaf has a value."""
        if statement.kind in (Kind.LEAF, Kind.FLAG):
            self.tree = put(self.tree, path, statement.canonical(value))
        elif statement.kind is Kind.ENTRY or statement.presence:
            self.tree = put(self.tree, path, EMPTY)

    def delete(self, path: Path, word: str, *, quietly: bool = False) -> None:
        """Delete what stands at `path`; `word` is what a warning names when nothing does."""
        left = remove(self.tree, path, TOP) if path else EMPTY
        if left is None and quietly:
            return
        if left is None:
            place = edit(path[:-1], TOP)
            self.warnings.append(_error("statement not found", place, word, severity="warning"))
        else:
            self.tree = left

    def fail(self, message: str, path: Path, word: str) -> None:
        """Note a statement that is not taken, and the word it fails at."""
        self.errors.append(_error(message, edit(path, TOP), word))


def take(statement: Statement, path: Path, rest: list[str], onto: Load) -> tuple[Statement, Key, str] | None:
    """Take the next statement off the words: its description, key and value. None when there is none like that, which is noted."""
    word = rest[0]
    child = statement.child(word)
    if child is None:
        child = statement.implied_child()
        if child is None:
            onto.fail("syntax error", path, word)
            return None
    else:
        rest.pop(0)
    if child.kind in (Kind.CONTAINER, Kind.FLAG):
        return child, Key(child.name), ""
    if not rest:
        onto.fail("missing argument", path, child.name)
        return None
    value = rest.pop(0)
    if wrong := child.check(value):
        onto.fail(wrong, path, value)
        return None
    return (child, Key(child.name, value), "") if child.kind is Kind.ENTRY else (child, Key(child.name), value)


def _error(message: str, place: str, word: str, severity: str = "error") -> RpcError:
    return RpcError("operation-failed", message, "protocol", ErrorPath(place, {}), info=(("bad-element", word),), severity=severity)
