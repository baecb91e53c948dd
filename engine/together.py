"""Which steps of a lane are done together, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter

from engine.batch import StepRef, ref
from engine.model import PUSHES, Step, StepState
from engine.tree import Tree


def together(steps: Sequence[Step]) -> list[Step]:
    """Of these steps, in the order of their turn, those that are done together: of one kind, or all of a transaction. One whose worker
    died before is done by itself, so that it is seen which of a batch does that."""
    first = steps[0]
    kinds = PUSHES if first.kind in PUSHES else (first.kind,)
    return [first] if first.crashes else [step for step in steps if step.kind in kinds and not step.crashes]


def fused(trees: Iterable[Tree], steps: Sequence[Step], lane: str) -> list[Step]:
    """Steps of the same lane that only wait for steps of this batch: they can be done in the same commit."""
    found: list[Step] = []
    for tree in trees:
        inside = {step.key for step in steps if step.root == tree.root.id}
        blocked = [s for s in tree.steps.values() if s.state is StepState.BLOCKED and not s.crashes]
        waiting = [s for s in blocked if s.lane == lane and s.kind in PUSHES]
        while more := [s for s in waiting if s.key not in inside and _only_needs(tree, s, inside)]:
            found += more
            inside |= {step.key for step in more}
    return found


def _only_needs(tree: Tree, step: Step, inside: set[str]) -> bool:
    return all(key in inside or tree.steps[key].state is StepState.DONE for key in step.needs)


def in_order(steps: Sequence[Step]) -> list[Step]:
    """Dependencies first; otherwise in the order in which they were claimed."""
    by_ref = {ref(step): step for step in steps}
    graph = {key: [StepRef(key.root, need) for need in step.needs if StepRef(key.root, need) in by_ref] for key, step in by_ref.items()}
    return [by_ref[key] for key in TopologicalSorter(graph).static_order()]
