"""The one rule behind every notation: what is created, deleted and changed when several services share a device.

A device holds the union of what everybody states: `day-0` and each service's fragments. A service that changes its mind may
create only what nobody else states, delete only what nobody else states, and give a leaf another value only when it is alone
in stating it. The reverse is the same difference read backwards: what was created is deleted, and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.errors import ChangeConflict
from tasks.change.format import Others


@dataclass(frozen=True)
class Difference:
    """What is done to each path, in the order in which the two sides state them."""

    created: Mapping[str, str]
    """Path -> value."""
    deleted: Mapping[str, str]
    """Path -> the value it had."""
    changed: Mapping[str, tuple[str, str]]
    """Path -> the value it had, the value it gets."""

    def __bool__(self) -> bool:
        return bool(self.created or self.deleted or self.changed)

    def reverse(self) -> Difference:
        """What undoes it."""
        return Difference(self.deleted, self.created, {path: (new, old) for path, (old, new) in self.changed.items()})


def union(sides: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """What several fragments state together, path -> value. Raises ChangeConflict when one contradicts another."""
    found: dict[str, str] = {}
    for side in sides:
        for path, value in side.items():
            if found.setdefault(path, value) != value:
                raise _conflict(path, value, found[path])
    return found


def difference(applied: Mapping[str, str], wanted: Mapping[str, str], others: Others) -> Difference:
    """What leads from `applied` to `wanted` (path -> value) beside `others`. Raises ChangeConflict.

    A path that others state as well is left alone: it is there already, or somebody still wants it.
    """
    touched = {path: value for path, value in wanted.items() if applied.get(path) != value}
    for path, value in touched.items():
        if foreign := others.get(path, frozenset()) - {value}:
            raise _conflict(path, value, *sorted(foreign))
    mine = {path: value for path, value in touched.items() if path not in others}
    return Difference(
        created={path: value for path, value in mine.items() if path not in applied},
        deleted={path: value for path, value in applied.items() if path not in wanted and path not in others},
        changed={path: (applied[path], value) for path, value in mine.items() if path in applied},
    )


def _conflict(path: str, value: str, *foreign: str) -> ChangeConflict:
    """The error that says which node two of them want to be different. Values of secrets are digests by now."""
    if any(text.startswith("sha256:") for text in (value, *foreign)):
        return ChangeConflict(f"{path}: what is wanted differs from what somebody else states there (values not shown)")
    return ChangeConflict(
        f"{path}: wanted {value or '(nothing)'}, but somebody else states {', '.join(text or '(nothing)' for text in foreign)}"
    )
