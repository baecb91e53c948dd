"""The database file of the stand-in, and how it can be made to fail: others write to it directly, so the file itself has to."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from lab.faults import Do, Fault, Faults, When

TABLES = ("radcheck", "radreply", "radusergroup", "radgroupcheck", "radgroupreply", "radacct", "radpostauth", "nas")
_VERBS = ("INSERT", "UPDATE", "DELETE")
_TEXT = {Do.REFUSE: "refused on demand", Do.EXHAUST: "database or disk is full"}


def connect(path: Path, timeout: float = 0.5) -> sqlite3.Connection:
    """Open the database, making its tables if need be; each statement is its own transaction."""
    db = sqlite3.connect(path, timeout=timeout, isolation_level=None)
    db.executescript(Path(__file__).with_name("schema.sql").read_text())
    return db


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction; sqlite3 itself would leave the file open."""
    with closing(sqlite3.connect(path)) as db, db:
        yield db


class DatabaseFaults(Faults):
    """Faults that meet everybody who uses the file. `on` is matched with "INSERT radcheck", "DELETE radreply" and so on.

    refuse, exhaust: a trigger raises (`error.text`, "database or disk is full"). A trigger that rolls back cannot count: `times` must
    be null. slow, hang: the file is locked at once as a whole (`on` "*"), for `seconds` or until the fault is deleted. There is
    nothing to drop. Raises ValueError for what cannot be done.
    """

    def __init__(self, path: Path) -> None:
        """Take the database in `path`, and away what an earlier process left in it."""
        super().__init__()
        self._path = path
        self._holders: dict[int, sqlite3.Connection] = {}
        with _opened(path) as db:
            self._drop_triggers(db, "lab_fault_%")

    def add(self, fault: Fault) -> int:
        """Let the fault begin."""
        if fault.do is Do.DROP or fault.when is When.AFTER:
            raise ValueError("a database has no connections to drop and no answers to withhold")
        raises = fault.do in _TEXT
        if raises and fault.times is not None:
            raise ValueError("a refusal by a trigger cannot be counted: say times null, and delete the fault")
        if not raises and fault.on != "*":
            raise ValueError('a lock is on the whole database: say on "*"')
        number = super().add(fault)
        if raises:
            self._raise_on(number, fault)
        else:
            self._lock(number, fault)
        return number

    def remove(self, number: int) -> bool:
        """Let one fault end."""
        holder = self._holders.pop(number, None)
        if holder is not None:
            holder.rollback()
            holder.close()
        with _opened(self._path) as db:
            self._drop_triggers(db, f"lab_fault_{number}_%")
        return super().remove(number)

    def clear(self) -> None:
        """Let all faults end."""
        for number, _ in self:
            self.remove(number)

    def _raise_on(self, number: int, fault: Fault) -> None:
        text = str((fault.error or {}).get("text", _TEXT[fault.do])).replace("'", "''")
        with _opened(self._path) as db:
            for verb in _VERBS:
                for table in TABLES:
                    if fnmatchcase(f"{verb} {table}", fault.on):
                        db.execute(
                            f"CREATE TRIGGER lab_fault_{number}_{verb}_{table} BEFORE {verb} ON {table}"
                            f" BEGIN SELECT RAISE(ABORT, '{text}'); END"
                        )

    def _lock(self, number: int, fault: Fault) -> None:
        holder = sqlite3.connect(self._path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        self._holders[number] = holder
        if fault.do is Do.SLOW:
            asyncio.get_running_loop().call_later(fault.seconds, self.remove, number)

    def _drop_triggers(self, db: sqlite3.Connection, pattern: str) -> None:
        names = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE ?", (pattern,)).fetchall()
        for (name,) in names:
            db.execute(f"DROP TRIGGER {name}")
