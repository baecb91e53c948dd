"""What changes its place, for instance in a move to another exchange: it is taken from where it was once all stands where it is to be."""

from __future__ import annotations

import sqlalchemy as sa

from engine.batch import Workplace
from engine.model import Action, Item, StepKind
from engine.states import Level
from engine.steps.needs import all_dependencies
from engine.tree import Tree


def leave(tx: sa.Connection, at: Workplace, tree: Tree) -> set[str]:
    """Plan what is taken away, in the reverse order of what depends on what, as soon as it is known where everything is to be. Returns the
    lanes."""
    configured = [step for step in tree.steps.values() if step.kind is StepKind.CONFIGURE]
    if not all(step.target for step in configured):
        return set()
    left = _left(tx, at, tree)
    for item, targets in left:
        later = [(other, name) for other, names in left if item.id in all_dependencies(tree.items_of(item.order), other) for name in names]
        needs = (*(step.key for step in configured), *(tree.removal(other, name) for other, name in later))
        for target in targets:
            tree.remove_from(item, target, needs)
    return {target for _, targets in left for target in targets}


def _left(tx: sa.Connection, at: Workplace, tree: Tree) -> list[tuple[Item, list[str]]]:
    """The targets that hold something of an item, and are not among those where it is to be."""
    items = [item for item in tree.items.values() if item.action is Action.MODIFY and item.level is Level.RESOURCE and item.instance]
    held_by = at.configurations.holders(tx, [item.instance or "" for item in items])
    found = []
    for item in items:
        own = {step.target for step in tree.steps_of(item.order, item.id) if step.kind is StepKind.CONFIGURE}
        if targets := sorted(set(held_by.get(item.instance or "", ())) - own):
            found.append((item, targets))
    return found
