"""Taking up again what stands still of an order: because a person says so, or because what was waited for has happened after all."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from engine.errors import NothingHeld
from engine.model import Step, StepKind, StepState
from engine.store import lanes
from engine.store.schema import steps
from engine.store.store import Store, Unit

_WAITS = (StepKind.WAIT, StepKind.ONLINE)


def resume(store: Store, order: str, who: str, item: str | None = None, hint: Callable[[set[str]], None] = lambda _: None) -> list[Step]:
    """All steps of an order that are held (with `item`: those of this one, or of the order itself) are done again now, with all their
    tries before them. Returns them. `hint` is told which lanes have work. Raises UnknownOrder, NothingHeld."""
    root = store.tree(order).root.id

    def work(unit: Unit) -> list[Step]:
        tree = unit.trees([root])[root]
        now, real = store.clock.now(), store.clock.real()
        found = [step for step in tree.steps.values() if step.held and item in (None, step.item)]
        if not found:
            waiting = sorted({step.item or step.order for step in tree.steps.values() if step.held})
            instead = f"; held are {', '.join(waiting)}" if waiting else f": it is {tree.root.state}"
            raise NothingHeld(f"nothing of {item or order} is held{instead}")
        for step in found:
            tree.resume(step, now, real, f"{who} said so")
        tree.roll(now)
        return found

    resumed = store.change(work)
    hint({step.lane for step in resumed if step.lane})
    return resumed


def happened(store: Store, keys: set[str]) -> set[str]:
    """Let what waits for one of these events look now, also what is held because that took too long. Returns the lanes that have work."""
    late = sa.select(steps.c.root, steps.c.key).where(steps.c.awaits.in_(keys), steps.c.state == StepState.HELD, steps.c.kind.in_(_WAITS))

    def work(unit: Unit) -> set[str]:
        now, real = store.clock.now(), store.clock.real()
        woken = lanes.wake(unit.tx, keys, real)
        held = unit.tx.execute(late).all()
        trees = unit.trees({root for root, _ in held})
        for root, key in held:
            step = trees[root].steps[key]
            if trees[root].resume(step, now, real, f"{step.awaits} was told") and step.lane:
                woken.add(step.lane)
        for tree in trees.values():
            tree.roll(now)
        return woken

    return store.change(work)
