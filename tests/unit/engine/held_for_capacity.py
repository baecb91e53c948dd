"""Orders that wait for a pool, in tests: working them, and looking whether there is something for them."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import sqlalchemy as sa

from engine.acceptance import Acceptance
from engine.capacity import CapacityWatch
from engine.store.schema import events
from engine.tree import Tree
from tests.null_world import NullWorld, superfibre
from tests.unit.engine.draining import drain


def watching(world: NullWorld) -> CapacityWatch:
    return CapacityWatch(world.at, lambda _: None, threading.Event())


def deaf(watch: CapacityWatch) -> None:
    """From now on it hears nothing of what others change."""
    watch._read_changes = lambda: None  # type: ignore[method-assign]


def settle(world: NullWorld, watch: CapacityWatch) -> None:
    """Look and work until nothing happens any more."""
    while watch.look():
        drain(world)


def submitted(acceptance: Acceptance, world: NullWorld, count: int, first: int = 1) -> list[str]:
    """So many orders, worked as far as they go."""
    found = [acceptance.submit(superfibre(number)).id for number in range(first, first + count)]
    drain(world)
    return found


def states(world: NullWorld, orders: Sequence[str]) -> str:
    """The orders' states by their first letters: `c` completed, `h` held."""
    return "".join(str(world.at.store.tree(order).root.state)[0] for order in orders)


def tree(world: NullWorld, order: str) -> Tree:
    return world.at.store.tree(order)


def told(world: NullWorld, order: str, kind: str) -> list[tuple[str | None, dict[str, str]]]:
    """Events of an order: the item and what they say."""
    with world.at.store.database.read() as tx:
        rows = tx.execute(sa.select(events).where(events.c.root == order, events.c.type == kind).order_by(events.c.number)).mappings()
        return [(row["item"], row["data"]) for row in rows]
