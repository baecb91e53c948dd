"""What every notation of configuration can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    def change(self, applied: Sequence[str], wanted: Sequence[str], others: Others) -> Change:
        """The difference of what the fragments `applied` and `wanted` say together, as it is sent, with its exact reverse.

        What others state is neither created nor deleted. The cost depends on the two sides only.
        Raises ChangeConflict when others (or two of the wanted fragments) state another value of the same node."""

    def show(self, change: Change) -> str:
        """The change for people: a statement a line, `+` what comes, `-` what goes, blank what only says where. Secrets masked."""
