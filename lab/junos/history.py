"""What was committed: the active configuration, the ones before it (rollback 1 to 49), who, when, and why. Kept in one SQLite file.

A commit stores the lines that bring back what was before it, so it costs what it changes.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as File

from lab.junos import setlines
from lab.junos.loading import Load
from lab.junos.tree import EMPTY, Tree

LARGEST_ROLLBACK = 49

_TABLES = """
create table if not exists line (line text primary key, place integer not null) without rowid;
create table if not exists commit_log (number integer primary key, at real not null, user text not null, client text not null,
  comment text, log text, gone text not null, came text not null);
create table if not exists pending (number integer not null);
"""


@dataclass(frozen=True)
class Commit:
    """An entry of `show system commit`. `number` counts from the first one; `at` is Unix time."""

    number: int
    at: float
    user: str
    client: str
    comment: str | None
    """What Junos says of it: "commit confirmed, rollback in 10mins"."""
    log: str | None
    """What the committer said of it."""

    @property
    def revision(self) -> str:
        """The revision id, `re0-<time>-<number>`."""
        return f"re0-{int(self.at)}-{self.number}"


class History:
    """The commits of one device, for one process at a time."""

    def __init__(self, folder: File) -> None:
        """Open the file in `folder`, or make it."""
        self._database = sqlite3.connect(folder / "history.sqlite", isolation_level=None)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")
        self._database.executescript(_TABLES)
        self.active = _tree(self._active_lines())
        """The active configuration."""
        self._place: int = self._database.execute("select coalesce(max(place), 0) from line").fetchone()[0]

    def _active_lines(self) -> list[str]:
        return [line for (line,) in self._database.execute("select line from line order by place")]

    def rollback(self, number: int) -> Tree | None:
        """Return the configuration that was active `number` commits ago (0: now), None when there is none. Costs its whole size."""
        if number == 0:
            return self.active
        query = "select gone, came from commit_log order by number desc limit ?"
        steps = self._database.execute(query, (number,)).fetchall()
        if not 0 < number <= LARGEST_ROLLBACK or len(steps) < number:
            return None
        lines = dict.fromkeys(self._active_lines())
        for gone, came in steps:
            for line in came.splitlines():
                del lines[line]
            lines |= dict.fromkeys(gone.splitlines())
        return _tree(list(lines))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever committed."""
        return self._database.execute("select number from commit_log limit 1").fetchone() is None

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def commits(self, limit: int = LARGEST_ROLLBACK + 1) -> list[Commit]:
        """Return the last commits, newest first; all of them with a negative limit."""
        query = "select number, at, user, client, comment, log from commit_log order by number desc limit ?"
        return [Commit(*row) for row in self._database.execute(query, (limit,))]

    def commit(self, tree: Tree, commit: Commit, unconfirmed_since: int | None) -> None:
        """Make `tree` active. `unconfirmed_since` is the number of the commit up to which all is taken back at a restart."""
        gone, came = setlines.difference(self.active, tree)
        self._database.execute("begin immediate")
        try:
            self._database.executemany("delete from line where line = ?", [(line,) for line in gone])
            self._database.executemany(
                "insert into line values (?, ?)", [(line, self._place + place) for place, line in enumerate(came, 1)]
            )
            row = (commit.number, commit.at, commit.user, commit.client, commit.comment, commit.log, "\n".join(gone), "\n".join(came))
            self._database.execute("insert into commit_log values (?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._database.execute("delete from pending")
            if unconfirmed_since is not None:
                self._database.execute("insert into pending (number) values (?)", (unconfirmed_since,))
            self._database.execute("commit")
        except BaseException:
            self._database.execute("rollback")
            raise
        self._place += len(came)
        self.active = tree

    def unconfirmed_since(self) -> int | None:
        """Return the number of the commit that a restart goes back to, None when all is confirmed."""
        row = self._database.execute("select number from pending").fetchone()
        return None if row is None else row[0]


def _tree(lines: Iterable[str]) -> Tree:
    onto = Load(EMPTY)
    setlines.load("\n".join(lines), onto)
    if onto.errors:
        raise ValueError(f"the stored configuration is damaged: {onto.errors[0].message}")
    return onto.tree
