"""How far another system's changes were read, by whichever process has its turn."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from engine.store import bulk
from engine.store.schema import cursors


class Reading(NamedTuple):
    """How far was read, and when that was. Nothing and 0: never."""

    position: int | None
    read: float


def turn(tx: sa.Connection, name: str, now: float, period: float) -> Reading | None:
    """It is ours to read on from here; None when somebody has done so less than a period ago."""
    bulk.insert_once(tx, cursors, [{"name": name, "position": None, "read": 0.0}])
    row = tx.execute(sa.select(cursors.c.position, cursors.c.read).where(cursors.c.name == name)).one()
    if 0 <= now - row.read < period:  # a time to come is of a clock that was set back
        return None
    mine = sa.update(cursors).where(cursors.c.name == name, cursors.c.read == row.read).values(read=now)
    return Reading(row.position, float(row.read)) if tx.execute(mine).rowcount == 1 else None


def move(tx: sa.Connection, name: str, position: int) -> None:
    """It was read as far as this."""
    tx.execute(sa.update(cursors).where(cursors.c.name == name).values(position=position))
