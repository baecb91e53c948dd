"""What every notation of configuration can do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from engine.ports import Change, Node

Others = Mapping[str, frozenset[str]]
"""Path -> values that everybody else on the target states there, for the paths that either side of a change states."""


class Format(Protocol):
    """A notation of configuration. Everything is pure; a fragment is what a template renders (or what a device held: `day-0`)."""

    @property
    def extension(self) -> str:
        """Of its templates: `<template>.<extension>.j2`."""

    def parse(self, text: str) -> object:
        """What a template rendered, as statements. Raises TemplateFailed with the line when it is not legal in this notation."""

    def nodes(self, text: str) -> Sequence[Node]:
        """The statements of a fragment, each once; `day-0` may hold what our schema does not know, which is left out.

        Two fragments that state the same thing have the same path there. A value that must not be shown is a digest.
        Raises TemplateFailed when the text cannot be read at all."""

    def part(self, text: str, fragments: Sequence[str], also: Collection[str]) -> str:
        """Of what a target holds (`text`) what these fragments state, as a fragment, whatever its values: what leads from there to them
        is a `change`. With it the statements `also` (paths), and what contradicts the fragments: another case of a choice, further
        entries of a list whose order they state."""

    def as_held(self, text: str, held: str, paths: Collection[str]) -> str:
        """A fragment in which these of its statements are as a target holds them: of another value, or not there."""

    def around(self, path: str) -> Iterator[str]:
        """The paths that a statement is below, innermost first; not all of them need be statements. Nothing for what has no element
        of its own."""

    def change(self, applied: Sequence[str], wanted: Sequence[str], others: Others) -> Change:
        """The difference of what the fragments `applied` and `wanted` say together, as it is sent, with its exact reverse.

        What others state is neither created nor deleted. The cost depends on the two sides only.
        Raises ChangeConflict when others (or two of the wanted fragments) state another value of the same node."""

    def show(self, change: Change) -> str:
        """The change for people: a statement a line, `+` what comes, `-` what goes, blank what only says where. Secrets masked."""
