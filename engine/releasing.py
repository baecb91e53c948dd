"""Giving resources back: at once, or after a quarantine in which nobody gets them, and telling who waits for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from engine.batch import Workplace
from engine.ports import Allocation
from engine.store import waiting
from engine.store.rows import read_allocation
from engine.store.schema import QUARANTINE, allocations

_SOME = 50
"""So many quarantines are ended at a time."""

Write = Callable[[sa.Connection], None]


def release(at: Workplace, given: Sequence[Allocation]) -> Write:
    """Give back what orders held, each kind after its quarantine (`WorkerSettings.quarantine`). Idempotent. Raises InventoryError.

    What is returned is to be called in the transaction that settles it: it writes down what became of the allocations, and wakes who waits
    for their pools.
    """
    now = at.clock.now()
    parts: dict[datetime | None, list[Allocation]] = defaultdict(list)
    for allocation in given:
        quarantine = at.settings.quarantine.get(allocation.kind)
        parts[now + quarantine if quarantine else None].append(allocation)
    for until, part in parts.items():
        at.inventory.release(part, until=until)

    def write(tx: sa.Connection) -> None:
        for until, part in parts.items():
            if until is None:
                at.store.mark_allocations(tx, part, "released")
                waiting.capacity(tx, {allocation.pool for allocation in part}, at.clock.real())
            else:
                at.store.mark_allocations(tx, part, "quarantine", until=_text(until))

    return write


def end_quarantines(at: Workplace) -> None:
    """Give back for good what has been in quarantine long enough. Raises InventoryError."""
    ended = at.store.database.look(lambda tx: _ended(tx, at.clock.now()))
    if not ended:
        return
    at.inventory.release(ended)

    def write(tx: sa.Connection) -> None:
        at.store.mark_allocations(tx, ended, "released", only="quarantine")
        waiting.capacity(tx, {allocation.pool for allocation in ended}, at.clock.real())

    at.store.database.change(write)


def _ended(tx: sa.Connection, now: datetime) -> list[Allocation]:
    wanted = sa.select(allocations).where(QUARANTINE, allocations.c.until <= _text(now)).order_by(allocations.c.until).limit(_SOME)
    return [read_allocation(row) for row in tx.execute(wanted).mappings()]


def _text(moment: datetime) -> str:
    """Times of different zones have to be compared as text."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
