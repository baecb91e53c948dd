"""Looking whether targets hold what they were given. Changes nothing, and holds no lane: it may look beside a worker.

A device that can be read whole is read once and compared by the index, hash by hash: that costs its own size, not that of our texts.
Only fragments that seem to differ are then read one by one, which also settles what a worker changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import structlog

from engine.batch import Workplace
from engine.drift.compare import NodeDrift, compare
from engine.errors import StoreError, TurnupError
from engine.ports import Fragment, Trouble
from engine.store import stated
from engine.store.configurations import chunks, fingerprint

log = structlog.get_logger()

AT_ONCE = 200
"""Fragments that are read, and put back, together: what is in memory of a target at a time."""
_KEPT = 1000
"""Nodes of a target that are told; more are only counted."""


class DriftState(StrEnum):
    """What a look at a target came to."""

    SAME = "same"
    DIFFERS = "differs"
    NOT_ATTEMPTED = "notAttempted"


@dataclass(frozen=True)
class Scope:
    """What is looked at: the fragments of one service, or all, on one target."""

    target: str
    platform: str
    service: str | None = None


@dataclass(frozen=True)
class TargetDrift:
    """What was seen on one target."""

    scope: Scope
    state: DriftState
    fragments: int
    """How many were applied there."""
    nodes: tuple[NodeDrift, ...] = ()
    found: int = 0
    """How many nodes differ; `nodes` has the first of them."""
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Compared:
    """Fragments that were read from their target together, those that differ among them, and what was there."""

    fragments: tuple[Fragment, ...]
    held: Fragment
    nodes: tuple[NodeDrift, ...]


def scopes(at: Workplace, name: str | None) -> list[Scope]:
    """Where there is something to look at, for a target or service of this name, or everywhere. Raises UnknownSubject."""
    with at.store.database.read() as tx:
        platforms = stated.names(tx)
        if name is None or name in platforms:
            return [Scope(target, platform) for target, platform in platforms.items() if name in (None, target)]
        return [Scope(target, platform, name) for target, platform in platforms.items() if stated.keys(tx, target, name)]


def check_all(at: Workplace, wanted: Sequence[Scope]) -> Iterator[TargetDrift]:
    """Look at these, side by side; each has a result. In their order."""
    with ThreadPoolExecutor(max_workers=max(1, min(at.settings.threads, len(wanted)))) as pool:
        yield from pool.map(lambda scope: check(at, scope), wanted)


def check(at: Workplace, scope: Scope) -> TargetDrift:
    """Look at one. Raises StoreError alone: what the target does is told by the result."""
    count, found, kept = 0, 0, list[NodeDrift]()
    try:
        with at.store.database.read() as tx:
            count = len(stated.keys(tx, scope.target, scope.service))
        for compared in differing(at, scope):
            found += len(compared.nodes)
            kept += compared.nodes[: _KEPT - len(kept)]
    except StoreError:
        raise
    except TurnupError as error:
        return TargetDrift(scope, DriftState.NOT_ATTEMPTED, count, trouble=Trouble.of(error))
    return TargetDrift(scope, DriftState.DIFFERS if found else DriftState.SAME, count, tuple(kept), found)


def differing(at: Workplace, scope: Scope) -> Iterator[Compared]:
    """The fragments that differ, AT_ONCE at a time. Raises TargetError."""
    seen: set[str] = set()
    for keys in chunks(_suspicious(at, scope), AT_ONCE):
        compared = look(at, scope.target, keys)
        nodes = tuple(node for node in compared.nodes if node.path not in seen)
        seen.update(node.path for node in nodes)
        if nodes:
            wrong = {node.fragment for node in nodes}
            yield Compared(tuple(fragment for fragment in compared.fragments if fragment.key in wrong), compared.held, nodes)


def look(at: Workplace, target: str, keys: Sequence[str]) -> Compared:
    """Read these fragments from their target and compare. Raises TargetError."""
    database = at.store.database
    applied = tuple(database.look(lambda tx: at.configurations.applied(tx, target, keys)).values())
    held = at.targets.held(target, applied)
    nodes = compare(at.targets, applied, held, lambda paths: database.look(lambda tx: stated.owners(tx, target, paths)))
    return Compared(applied, held, nodes)


def _suspicious(at: Workplace, scope: Scope) -> list[str]:
    """Keys of the fragments that are worth a closer look."""
    database, target = at.store.database, scope.target
    whole = at.targets.day_zero(target) if scope.service is None else None
    if whole is None:  # documents are read one by one anyway, and a service is small
        return database.look(lambda tx: stated.keys(tx, target, scope.service))
    index = database.look(lambda tx: stated.index(tx, target))
    wrong, seen = set[int](), set[int]()
    for path, value in at.targets.nodes(whole):
        mark = fingerprint(path)
        seen.add(mark)
        if mark in index.ours:
            if index.ours[mark] != fingerprint(value):
                wrong.add(mark)
        elif mark not in index.day_zero and (entry := _entry(at, index, target, path)) is not None:
            wrong.add(entry)
    wrong |= index.ours.keys() - seen
    return database.look(lambda tx: stated.holders(tx, target, wrong))


def _entry(at: Workplace, index: stated.Index, target: str, path: str) -> int | None:
    """The entry that is ours alone, if it is in one."""
    for outer in map(fingerprint, at.targets.around(target, path)):
        if outer in index.ours:
            return None if outer in index.day_zero else outer
        if outer in index.day_zero:
            return None
    return None
