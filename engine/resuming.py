"""Taking up again what stands still of an order because a person says so."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import NothingHeld
from engine.model import Step
from engine.store.store import Store, Unit


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
