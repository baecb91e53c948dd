"""What an order would send, per target, and a checksum over it: the dry run shows it, a run may insist on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.batch import Workplace
from engine.context import Scope
from engine.errors import ChecksumMismatch
from engine.model import PUSHES
from engine.ports import Change, Node
from engine.steps.wanted import work_of
from engine.store.configurations import Entry
from engine.tree import Tree
from engine.vault import MASK

ORDER_ID = "(order id)"


@dataclass(frozen=True)
class TargetChange:
    """The change that an order makes on one target, before it is merged with other orders'. Secrets are placeholders."""

    target: str
    platform: str
    change: Change
    shown: str


@dataclass(frozen=True)
class Preview:
    """All changes of an order, in the order of their targets' first step, with what cannot be told before."""

    changes: tuple[TargetChange, ...]
    untold: tuple[str, ...]
    """Targets that only a missing allocation would tell."""
    checksum: str


def preview(at: Workplace, tree: Tree, scope: Scope | None = None) -> Preview:
    """Render and compare, change nothing. Raises TemplateFailed, ChangeConflict, TargetError (for a target not known yet)."""
    scope = replace(scope or at.scope(tree), unseal=lambda name, _: f"{MASK}{name}", order_id=ORDER_ID)
    entries: dict[str, dict[str, Entry]] = {}
    untold = []
    for step in tree.steps.values():
        if step.kind not in PUSHES:
            continue
        if step.target is None:
            untold.append(f"{step.item}: {step.target_expression}")
            continue
        work = work_of(scope, step, at.targets)
        entries.setdefault(step.target, {}).update({entry.key: entry for entry in work.entries})
    changes = tuple(_change(at, target, list(found.values())) for target, found in entries.items())
    return Preview(changes, tuple(untold), _digest(scope, changes))


def verify(at: Workplace, tree: Tree) -> None:
    """Raises ChecksumMismatch when what would be sent is not what the submitter saw."""
    found = preview(at, tree)
    if found.checksum != tree.root.checksum:
        targets = ", ".join(change.target for change in found.changes)
        raise ChecksumMismatch(f"what would be sent to {targets} has checksum {found.checksum}, not {tree.root.checksum}; nothing was sent")


def _change(at: Workplace, target: str, entries: Sequence[Entry]) -> TargetChange:
    with at.store.database.read() as tx:
        known = at.configurations.adopted(tx, target)
        sides = at.configurations.sides(tx, target, entries, at.targets.nodes)
    applied = list(sides.applied.values())
    stated = [
        *(node for fragment in applied for node in at.targets.nodes(fragment)),
        *(n for found in sides.stated.values() for n in found),
    ]
    others = sides.others if known else _day_zero(at, target, stated)
    change = at.targets.change(target, applied, list(sides.wanted.values()), others)
    return TargetChange(target, at.targets.platform(target), change, at.targets.show(target, change))


def _day_zero(at: Workplace, target: str, stated: Sequence[Node]) -> dict[str, frozenset[str]]:
    """A target that we never touched holds what it holds."""
    fragment = at.targets.day_zero(target)
    there = {node.path: node.value for node in at.targets.nodes(fragment)} if fragment else {}
    return {node.path: frozenset({there[node.path]}) for node in stated if node.path in there}


def _digest(scope: Scope, changes: Sequence[TargetChange]) -> str:
    """Over allocations and changes; without secrets, order ids and times."""
    # a change may hold two of one name for a while, an old one and a new one: which comes first must not depend on whose they are
    held = [(mark.item, mark.name, _without(mark.order, a.attributes)) for mark, a in scope.tree.allocations.items()]
    given = sorted(held, key=lambda one: json.dumps(one, sort_keys=True))
    sent = sorted((change.target, change.change.forward) for change in changes)
    return hashlib.sha256(json.dumps([given, sent], sort_keys=True).encode()).hexdigest()[:16]


def _without(order: str, attributes: Mapping[str, str | int]) -> dict[str, str | int]:
    """What was given, without the order's id: NetBox has the mark of an allocation as name of its VLAN."""
    return {name: value.replace(order, ORDER_ID) if isinstance(value, str) else value for name, value in attributes.items()}
