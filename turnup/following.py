"""Following an order until it has ended, or until only a person or its start date can move it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from engine.schedule import is_scheduled
from engine.states import OrderState
from engine.store.store import Store
from engine.tree import Tree
from engine.views import progress
from turnup.working import Working

LOOK = 0.15
"""Seconds between two looks at the store. Reading does not wait for the worker, nor the worker for us."""
PATIENCE = 20.0
"""Seconds that steps which nobody waits for (marking resources as in use, the online report) may take after the order has ended."""


class Exit(IntEnum):
    """Exit codes of commands that follow an order."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    WAITING = 3


def exit_code(state: str) -> Exit:
    """The exit code for an order in this state."""
    if state == OrderState.COMPLETED:
        return Exit.DONE
    return Exit.FAILED if OrderState(state).final else Exit.WAITING


@dataclass(frozen=True)
class Follower:
    """Looks at an order again and again. `working` is asked to take over when nobody works the lanes."""

    store: Store
    working: Working

    def follow(self, order: str) -> Iterator[Tree]:
        """The order each time something about it has changed, at last as it ended. Raises UnknownOrder."""
        until: float | None = None
        seen: object = None
        while True:
            self.working.begin()
            tree = self.store.tree(order)
            if (now := fingerprint(tree)) != seen:
                seen = now
                yield tree
            if not progress(tree) or is_scheduled(tree.root, self.store.clock.now()):
                return
            if tree.root.state.final:
                until = until or time.monotonic() + PATIENCE
                if time.monotonic() > until:
                    return
            time.sleep(LOOK)


def fingerprint(tree: Tree) -> object:
    """Equal when nothing that is shown has changed."""
    orders = [(order.id, order.state) for order in tree.orders.values()]
    items = [(key, item.state, item.reason) for key, item in tree.items.items()]
    return orders, items, [(step.key, step.state, step.attempt, step.evidence) for step in tree.steps.values()]
