"""Where a stand-in keeps its state: JSON documents by collection and key in one SQLite file. A change is whole, and survives `kill -9`."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class Documents:
    """The documents in one file. Used from the stand-in's event loop only; a change is committed when its call returns."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it if need be."""
        # check_same_thread: the supervisor makes a stand-in in the process that serves it, but a test may not
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        # the lab outlives a killed process, not a power cut: no wait for the disk
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS document (collection TEXT, key TEXT, content TEXT, PRIMARY KEY (collection, key)) WITHOUT ROWID"
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the changes of the block one: all of them are there after `kill -9`, or none. Nothing is awaited in the block."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def get(self, collection: str, key: str) -> Document | None:
        """Return one document."""
        row = self._db.execute("SELECT content FROM document WHERE collection = ? AND key = ?", (collection, key)).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, collection: str, prefix: str = "") -> Iterator[tuple[str, Document]]:
        """Give the documents of a collection, or those whose key begins with `prefix`, with their keys, in the order of the keys."""
        rows = self._db.execute(
            "SELECT key, content FROM document WHERE collection = ? AND key >= ? AND key < ? ORDER BY key",
            (collection, prefix, prefix + "\U0010ffff"),
        ).fetchall()
        return ((key, json.loads(content)) for key, content in rows)

    def put(self, collection: str, key: str, document: Document) -> None:
        """Write a document, replacing an older one."""
        self._db.execute("REPLACE INTO document VALUES (?, ?, ?)", (collection, key, json.dumps(document)))

    def delete(self, collection: str, key: str) -> bool:
        """Remove a document; False when there is none."""
        return self._db.execute("DELETE FROM document WHERE collection = ? AND key = ?", (collection, key)).rowcount > 0

    def next_number(self, counter: str, first: int) -> int:
        """Return the next number of a counter, `first` at the first call; a number is never given twice."""
        last = self.get("counter", counter)
        number = first if last is None else last["last"] + 1
        self.put("counter", counter, {"last": number})
        return number
