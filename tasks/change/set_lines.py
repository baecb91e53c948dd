"""Configuration as Junos `set` lines (Junos CLI, `load set`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from engine.errors import TemplateFailed
from engine.ports import Change, Node
from engine.vault import MASK
from tasks.change.difference import Difference, difference, union
from tasks.change.format import Others
from tasks.change.junos_tree import Statement, joined, lines, statements, words_of
from tasks.change.masking import is_secret


class SetLines:
    """A fragment is `set` lines; a change is `delete` and `set` lines, in this order, so that a replaced name is gone before.

    Deletes are as high in the hierarchy as nobody else, and nothing that stays, is below: the unit, not its ten leaves.
    """

    extension = "set"

    def parse(self, text: str) -> Mapping[str, Statement]:
        """Path -> statement, in the order stated. Raises TemplateFailed with the line of what was rendered."""
        found: dict[str, Statement] = {}
        for number, line in lines(text):
            verb, _, rest = line.partition(" ")
            try:
                if verb != "set" or not rest:
                    raise TemplateFailed(f"{line!r} is no `set` line: a template only says what shall be there")
                for statement in (statement for words in words_of(rest) for statement in statements(words)):
                    if found.setdefault(statement.path, statement).value != statement.value:
                        raise TemplateFailed(f"`{statement.path}` has another value above")
            except TemplateFailed as error:
                raise TemplateFailed(f"line {number}: {error.message}", remedy=_REMEDY) from None
        return found

    def nodes(self, text: str) -> Sequence[Node]:
        """List entries, flags and values. Lines of a device that are no `set` lines (`deactivate`, ...) are left out."""
        found: dict[str, str] = {}
        for _, line in lines(text):
            for statement in _tolerated(line):
                found.setdefault(statement.path, statement.indexed)
        return [Node(path, value) for path, value in found.items()]

    def part(self, text: str, fragments: Sequence[str], also: Collection[str]) -> str:
        """Their lines, and what is below a name that they replace: it goes with the name."""
        stated = _together(self.parse(fragment) for fragment in fragments)
        found: dict[str, Statement] = {}
        replaced: set[str] = set()
        for _, line in lines(text):
            for statement in _tolerated(line):
                path = statement.path
                if path not in stated and path not in also and statement.parent not in replaced:
                    continue
                found.setdefault(path, statement)
                another = path in stated and stated[path].value != statement.value
                if statement.parent in replaced or (another and statement.replaced_with_all_below):
                    replaced.add(path)
        return "\n".join(statement.set() for statement in found.values())

    def as_held(self, text: str, held: str, paths: Collection[str]) -> str:
        """These lines as the router has them."""
        there = {statement.path: statement for _, line in lines(held) for statement in _tolerated(line)}
        wanted = self.parse(text)
        found: dict[str, Statement | None] = {}
        for path, statement in wanted.items():  # outer statements come before inner ones
            under_another = found.get(statement.parent) is not wanted.get(statement.parent)
            same = path in there and there[path].indexed == statement.indexed
            found[path] = there.get(path) if path in paths or (same and under_another) else statement
        return "\n".join(statement.set() for statement in found.values() if statement is not None)

    def around(self, path: str) -> Iterator[str]:
        """The same words, but for the last ones."""
        words = words_of(path)[0]
        return (joined(words[:end]) for end in range(len(words) - 1, 0, -1))

    def change(self, applied: Sequence[str], wanted: Sequence[str], others: Others) -> Change:
        """Both directions as lines; empty when there is nothing to send. Raises ChangeConflict."""
        before, after = ([self.parse(text) for text in texts] for texts in (applied, wanted))
        todo = difference(union(map(_flat, before)), union(map(_flat, after)), others)
        old, new = _together(before), _together(after)
        return Change(_lines(old, new, todo), _lines(new, old, todo.reverse()))

    def show(self, change: Change) -> str:
        """What is gone and what is there afterwards, both as `set` lines. What a delete takes away is read from the reverse."""
        gone, come = ([_masked(line) for _, line in lines(text) if line.startswith("set ")] for text in (change.reverse, change.forward))
        return "\n".join([*(f"- {line}" for line in gone), *(f"+ {line}" for line in come)])


_REMEDY = "Correct the template, or add the statement to tasks/change/junos_statements.yaml; its head explains how."


def _tolerated(line: str) -> Iterator[Statement]:
    verb, _, rest = line.partition(" ")
    if verb != "set":
        return
    try:
        alternatives = words_of(rest)
    except TemplateFailed:
        return
    for words in alternatives:
        yield from statements(words, tolerant=True)


def _together(fragments: Iterable[Mapping[str, Statement]]) -> dict[str, Statement]:
    return {path: statement for fragment in fragments for path, statement in fragment.items()}


def _flat(side: Mapping[str, Statement]) -> dict[str, str]:
    return {path: statement.indexed for path, statement in side.items()}


def _lines(old: Mapping[str, Statement], new: Mapping[str, Statement], todo: Difference) -> str:
    # Junos keeps what is below a name when the name is replaced, so all of it goes and comes again
    replaced = [path for path in todo.changed if new[path].replaced_with_all_below]
    gone = todo.deleted.keys() | _with_all_below(replaced, old)
    deletes = [old[path].delete() for path in [*todo.deleted, *replaced] if old[path].parent not in gone]
    again = todo.created.keys() | todo.changed.keys() | _with_all_below(replaced, new)
    said = [statement for path, statement in new.items() if path in again]
    covered = {statement.parent for statement in said}
    return "\n".join([*deletes, *(statement.set() for statement in said if statement.path not in covered)])


def _with_all_below(paths: Iterable[str], side: Mapping[str, Statement]) -> set[str]:
    found = set(paths)
    for path, statement in side.items():  # outer statements come before inner ones
        if statement.parent in found:
            found.add(path)
    return found


def _masked(line: str) -> str:
    words = words_of(line)[0]
    return joined((*words[:-1], MASK)) if len(words) > 2 and is_secret(words[-2]) else line
