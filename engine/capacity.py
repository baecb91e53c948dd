"""Resuming what was held for want of a resource, when there may be some: found by others' changes of the inventory, by our own releases
(engine.releasing), by the end of a quarantine, and else by asking again from time to time.

Each pool's queue is served by its first few: they ask the inventory together, and only when all of them got what they wanted do the next
few ask. So a pool costs one question when there is nothing in it, whoever waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from engine import releasing
from engine.batch import Workplace
from engine.errors import InventoryError, TurnupError
from engine.store import cursors, waiting
from engine.store.store import Unit

log = structlog.get_logger()

FEW = 10
"""So many of a queue ask together."""
CURSOR = "inventory"
STALE = 10
"""When nobody read for so many periods, what has changed meanwhile is not read up: every pool may have something."""


class CapacityWatch:
    """A thread that wakes who waits for a pool. Any number of processes may have one: they take turns."""

    def __init__(self, at: Workplace, hint: Callable[[set[str]], None], stop: threading.Event) -> None:
        """`hint` is told which lanes have work."""
        self._at, self._hint, self._stop = at, hint, stop
        self._thread = threading.Thread(target=self._run, name="capacity", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait for its end, once it was told to stop."""
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> set[str]:
        """Look once. Returns the lanes that have work by that. Raises StoreError."""
        at = self._at
        try:
            releasing.end_quarantines(at)
            self._read_changes()
        except InventoryError as error:  # then nobody could be served either
            log.info("the inventory cannot be watched", code=error.code, message=error.message)
        now = at.clock.real()
        return {lane for pool in at.store.database.look(lambda tx: waiting.due(tx, now)) for lane in self._wake(pool)}

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._hint(self.look())
            except TurnupError as error:
                log.error("watching the pools failed", code=error.code, message=error.message)
            except Exception:  # without this thread held orders would stand still for ever, and nobody be told
                log.exception("watching the pools failed")
            self._stop.wait(self._at.settings.sweep)

    def _read_changes(self) -> None:
        """What others have changed in the inventory, when it is time and somebody waits."""
        at, now, period = self._at, self._at.clock.real(), self._at.settings.watch
        database = at.store.database
        pools = database.look(waiting.waited_for)
        if not pools:
            return
        turn = database.change(lambda tx: cursors.turn(tx, CURSOR, now, period))
        if turn is None:
            return
        after, changed = at.inventory.changes(None if now - turn.read > STALE * period else turn.position, pools)

        def note(tx: sa.Connection) -> None:
            cursors.move(tx, CURSOR, after)
            waiting.capacity(tx, changed, at.clock.real())

        database.change(note)

    def _wake(self, pool: str) -> set[str]:
        """The first few of a pool ask again. Returns their lanes."""
        at, now = self._at, self._at.clock.real()
        again = now + at.settings.patience
        found = at.store.database.change(lambda tx: waiting.next_in_line(tx, pool, now, again, FEW))
        if not found:
            return set()

        def ask(unit: Unit) -> set[str]:
            trees = unit.trees({root for _, root in found})
            steps = [step for number, root in found for step in trees[root].steps.values() if step.id == number]
            return {step.lane for step in steps if trees[step.root].ask_again(step, now) and step.lane}

        log.info("there may be capacity", pool=pool, asking=len(found))
        return at.store.change(ask)
