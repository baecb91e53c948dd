"""Some fragments of a target compared with what it holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.ports import Fragment, Targets
from engine.vault import MASK

_NAMED = 3


class DriftKind(StrEnum):
    """What is wrong with a node. `extra`: nobody applied it, and it is below an entry that is ours alone."""

    MISSING = "missing"
    DIFFERENT = "different"
    EXTRA = "extra"


@dataclass(frozen=True)
class NodeDrift:
    """One node that is not as it was applied. Values as in an index: of secrets and of documents only a digest."""

    kind: DriftKind
    path: str
    applied: str
    held: str
    fragment: str
    """Key of the fragment that states it, or states the entry that it is below."""

    def __str__(self) -> str:
        if self.kind is not DriftKind.DIFFERENT:
            return f"{self.path} is {'missing' if self.kind is DriftKind.MISSING else 'there, and nobody applied it'}"
        values = " instead of ".join(shown(value) or "(nothing)" for value in (self.held, self.applied))
        return f"{self.path} is {values}" if MASK not in values else f"{self.path} has another value"


Owners = Callable[[Collection[str]], Mapping[str, bool]]
"""Tells of these paths which somebody states, each with whether it was there before us (`day-0` states it)."""


def compare(targets: Targets, fragments: Sequence[Fragment], held: Fragment, owners: Owners) -> tuple[NodeDrift, ...]:
    """What differs, in the order in which the fragments state it; then what is there beside."""
    stated: dict[str, tuple[str, str]] = {}
    for fragment in fragments:
        for node in targets.nodes(fragment):
            stated.setdefault(node.path, (node.value, fragment.key))
    there = dict(targets.nodes(held))
    return (*_missing_or_other(stated, there), *_extra(targets, held.target, stated, there, owners))


def _missing_or_other(stated: Mapping[str, tuple[str, str]], there: Mapping[str, str]) -> Iterator[NodeDrift]:
    for path, (value, key) in stated.items():
        if path not in there:
            yield NodeDrift(DriftKind.MISSING, path, value, "", key)
        elif there[path] != value:
            yield NodeDrift(DriftKind.DIFFERENT, path, value, there[path], key)


def _extra(
    targets: Targets, target: str, stated: Mapping[str, tuple[str, str]], there: Mapping[str, str], owners: Owners
) -> Iterator[NodeDrift]:
    rest = {path: tuple(targets.around(target, path)) for path in there if path not in stated}
    known = owners({path for outer in rest.values() for path in outer} | rest.keys()) if rest else {}
    for path, outer in rest.items():
        within = next((place for place in outer if place in known), None)
        if path not in known and within is not None and within in stated and not known[within]:
            yield NodeDrift(DriftKind.EXTRA, path, "", there[path], stated[within][1])


def shown(value: str) -> str:
    """The value of a node for people."""
    return MASK if value.startswith("sha256:") else value


def summary(nodes: Sequence[NodeDrift]) -> str:
    """The first few as a sentence."""
    rest = f" and {len(nodes) - _NAMED} more" if len(nodes) > _NAMED else ""
    return "; ".join(map(str, nodes[:_NAMED])) + rest
