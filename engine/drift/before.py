"""What a change is about to touch is looked at before it is sent: did somebody else change it meanwhile?

Only fragments that change are read. A new service costs nothing where a target refuses to create what is there; where it would merge the
one into the other, what is in the way is looked for. The change of a service costs a read of its own entries; systems with documents are
read by the push itself. What was added by somebody counts where the change would take it away with its entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import sqlalchemy as sa

from engine.batch import Settlement, Workplace
from engine.drift.compare import DriftKind, NodeDrift, compare, summary
from engine.drift.policy import DriftPolicy, policy_of
from engine.errors import DriftFound
from engine.ports import Change, Fragment
from engine.store import stated
from engine.tree import Tree


@dataclass(frozen=True)
class Seen:
    """What is to be sent after a look, what is then applied, and what was seen that is not as it was left."""

    change: Change
    wanted: tuple[Fragment, ...]
    nodes: tuple[NodeDrift, ...] = ()
    policy: DriftPolicy = DriftPolicy.REFUSE


def look(
    at: Workplace,
    target: str,
    applied: Mapping[str, Fragment],
    wanted: Mapping[str, Fragment],
    others: Mapping[str, frozenset[str]],
    change: Change,
) -> Seen:
    """The change that leads from what the target holds to what is wanted, as the policy says. Raises DriftFound, TargetError."""
    policy = policy_of(at.settings.drift, target, at.targets.platform(target))
    touched = tuple(old for key, old in applied.items() if old.text and (key not in wanted or old.text != wanted[key].text))
    new = tuple(one for key, one in wanted.items() if key not in applied and one.text) if at.targets.merges(target) else ()
    unchanged = Seen(change, tuple(wanted.values()))
    looked_at_anyway = policy is DriftPolicy.REFUSE and at.targets.reads_first(target)
    if policy is DriftPolicy.REPORT or looked_at_anyway or not change or not (touched or new):
        return unchanged
    held = at.targets.held(target, (*touched, *new))
    found = compare(at.targets, touched, held, lambda paths: at.store.database.look(lambda tx: stated.owners(tx, target, paths)))
    counting = _that_count(at, target, found, touched, wanted, others) if found else ()
    nodes = (*counting, *_in_the_way(at, target, new, held, applied, others))
    if not nodes:
        return unchanged
    if policy is DriftPolicy.REFUSE:
        raise DriftFound(f"{target} is not as it was left: {summary(nodes)}", target=target)
    kept = _kept(at, touched, wanted, nodes) if policy is DriftPolicy.ADOPT else set()
    shall = tuple(at.targets.as_held(fragment, held, kept) if kept else fragment for fragment in wanted.values())
    extra = [node.path for node in counting if node.kind is DriftKind.EXTRA]
    rest = [old for key, old in applied.items() if old not in touched]
    return Seen(way_back(at, held, (*touched, *new), shall, others, extra, rest), shall, nodes, policy)


def _that_count(
    at: Workplace,
    target: str,
    found: Sequence[NodeDrift],
    touched: Sequence[Fragment],
    wanted: Mapping[str, Fragment],
    others: Mapping[str, frozenset[str]],
) -> tuple[NodeDrift, ...]:
    """Without what somebody added to entries that stay."""
    staying = {node.path for fragment in wanted.values() for node in at.targets.nodes(fragment)} | others.keys()
    going = {node.path for fragment in touched for node in at.targets.nodes(fragment)} - staying
    return tuple(node for node in found if node.kind is not DriftKind.EXTRA or going & set(at.targets.around(target, node.path)))


def _in_the_way(
    at: Workplace,
    target: str,
    new: Sequence[Fragment],
    held: Fragment,
    applied: Mapping[str, Fragment],
    others: Mapping[str, frozenset[str]],
) -> Iterator[NodeDrift]:
    """What is there already of what is to be created, or within it, and nobody applied it. Of an entry that only leads to what is created
    it does not count that it is there."""
    known = others.keys() | {node.path for fragment in applied.values() for node in at.targets.nodes(fragment)}
    created = {node.path: fragment.key for fragment in new for node in at.targets.nodes(fragment) if node.path not in known}
    leading = {path for inner in created for path in at.targets.around(target, inner)}
    there = dict(at.targets.nodes(held)) if created else {}
    rest = [path for path in there if path not in created and path not in known]
    beside = {path: within for path in rest if (within := next((o for o in at.targets.around(target, path) if o in created), None))}
    owned = at.store.database.look(lambda tx: stated.owners(tx, target, beside.keys())) if beside else {}
    for path, value in there.items():
        if (path in created and path not in leading) or (path in beside and path not in owned):
            yield NodeDrift(DriftKind.EXTRA, path, "", value, created[beside.get(path, path)])


def told(seen: Seen, target: str, roots: Iterable[str], at: Workplace) -> Settlement:
    """What was seen, in the history of the orders that met it."""

    def write(_tx: sa.Connection, trees: Mapping[str, Tree]) -> None:
        for tree in trees.values():
            tree.emit(tree.root.id, None, "drift", at.clock.now(), target=target, policy=str(seen.policy), seen=summary(seen.nodes))

    return Settlement({}, write, frozenset(roots))


def way_back(
    at: Workplace,
    held: Fragment,
    applied: Sequence[Fragment],
    wanted: Sequence[Fragment],
    others: Mapping[str, frozenset[str]],
    extra: Sequence[str],
    rest: Sequence[Fragment] = (),
    done: Mapping[str, frozenset[str]] = MappingProxyType({}),
) -> Change:
    """The change from what a target holds in place of `applied` to `wanted`. `rest` is as it was applied, `done` (path -> values) was put
    right by then. Raises ChangeConflict.

    What is wanted is made right also where others state it: on the target it may be missing for them, too.
    """
    targets = at.targets
    there = targets.part(held, applied, extra)
    stated_by_us = {node.path for fragment in wanted for node in targets.nodes(fragment)}
    known = {node.path for node in targets.nodes(there)}
    missing = {node.path for fragment in applied for node in targets.nodes(fragment)} - known
    foreign = {path: values for path, values in others.items() if path not in stated_by_us or path not in (known | missing)}
    return targets.change(held.target, [there, *rest], wanted, {**foreign, **done})


def _kept(at: Workplace, touched: Sequence[Fragment], wanted: Mapping[str, Fragment], nodes: Sequence[NodeDrift]) -> set[str]:
    """What somebody changed and this change leaves alone."""
    before = {node.path: node.value for fragment in touched for node in at.targets.nodes(fragment)}
    after = {node.path: node.value for fragment in wanted.values() for node in at.targets.nodes(fragment)}
    return {node.path for node in nodes if node.path in before and before[node.path] == after.get(node.path)}
