"""The running configuration on disk: one SQLite file in the stand-in's folder, each commit one transaction of what it changes.

What a pending confirmed commit would take back is kept in the same transaction, so that a restart can take it back
(RFC 6241 section 8.4.1: "if the device reboots for any reason before the confirm timeout expires, the server MUST restore the
configuration to its state before the confirmed commit was issued").
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from lxml import etree

from lab.netconf.names import parse
from lab.netconf.units import Changes, Unit, UnitId

_TABLES = """
create table if not exists unit (path text, key text, xml text not null, primary key (path, key)) without rowid;
create table if not exists undo (path text, key text, xml text, primary key (path, key)) without rowid;
"""


class Store:
    """Units by path and key. For one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Open the file in `folder`, or make it."""
        self._database = sqlite3.connect(folder / "running.sqlite", isolation_level=None)
        # in this mode a commit survives the death of the process, and does not wait for the disk
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def load(self) -> tuple[list[Unit], dict[UnitId, Unit | None]]:
        """Return running, and the changes that take back a commit which was never confirmed (empty when there is none)."""
        units = [_unit(*row) for row in self._database.execute("select path, key, xml from unit")]
        undo = {UnitId(path, key): _unit(path, key, xml) if xml is not None else None for path, key, xml in self._undo()}
        return units, undo

    def _undo(self) -> Iterable[tuple[str, str, str | None]]:
        return self._database.execute("select path, key, xml from undo").fetchall()

    def save(self, changes: Changes, undo: Changes) -> None:
        """Make the changes to running, and replace what takes back the pending commit. All or nothing."""
        self._database.execute("begin immediate")
        try:
            gone = [unit for unit, new in changes.items() if new is None]
            self._database.executemany("delete from unit where path = ? and key = ?", gone)
            there = [(*unit, new.text) for unit, new in changes.items() if new is not None]
            self._database.executemany("insert or replace into unit values (?, ?, ?)", there)
            self._database.execute("delete from undo")
            back = [(*unit, old.text if old else None) for unit, old in undo.items()]
            self._database.executemany("insert into undo values (?, ?, ?)", back)
            self._database.execute("commit")
        except BaseException:
            self._database.execute("rollback")
            raise


def _unit(path: str, key: str, xml: str) -> Unit:
    return Unit(UnitId(path, key), _parsed(xml))


def _parsed(xml: str) -> etree._Element:
    return parse(xml.encode())
