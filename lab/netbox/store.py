"""Where the objects are kept: one SQLite file, written in transactions; what was answered survives a kill of the process."""

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.netbox.tables import Registry, Resource

Row = dict[str, Any]
"""One object: its columns, with `id`, documents decoded."""

_DIGITS = re.compile(r"\d+")


def natural(text: str) -> str:
    """Return `text` as a sort key in which numbers count as numbers: LC3/P2 before LC3/P12."""
    return _DIGITS.sub(lambda match: match.group().zfill(12), text.lower())


class Store:
    """The objects of one NetBox. Belongs to one thread; a transaction at a time."""

    def __init__(self, path: Path | str, registry: Registry) -> None:
        """Open the file at `path` (":memory:" keeps nothing), making tables and columns that are missing."""
        self.registry = registry
        self._db = sqlite3.connect(path, isolation_level=None, cached_statements=1000)
        self._db.create_function("REGEXP", 2, lambda pattern, text: re.search(pattern, text or "") is not None, deterministic=True)
        # WAL without a sync on each commit: safe against the end of the process, not against a power cut, which a lab does not have
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        for resource in registry:
            for statement in resource.ddl():
                self._db.execute(statement)
            self._add_missing_columns(resource)

    def _add_missing_columns(self, resource: Resource) -> None:
        there = {row[1] for row in self._db.execute(f'PRAGMA table_info("{resource.table}")')}
        for name, kind in resource.columns.items():
            if name not in there:
                self._db.execute(f'ALTER TABLE "{resource.table}" ADD COLUMN "{name}" {kind}')

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is written in the block, or nothing when it raises."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def insert(self, resource: Resource, row: Mapping[str, Any]) -> int:
        """Add an object and return its id. Raises sqlite3.IntegrityError when a constraint of the database is violated."""
        values = self._encoded(resource, row)
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        cursor = self._db.execute(f'INSERT INTO "{resource.table}" ({names}) VALUES ({marks})', tuple(values.values()))  # noqa: S608 names of the schema
        return int(cursor.lastrowid or 0)

    def update(self, resource: Resource, key: int, row: Mapping[str, Any]) -> None:
        """Set columns of an object. Raises sqlite3.IntegrityError when a constraint of the database is violated."""
        values = self._encoded(resource, row)
        names = ", ".join(f'"{name}" = ?' for name in values)
        self._db.execute(f'UPDATE "{resource.table}" SET {names} WHERE id = ?', (*values.values(), key))  # noqa: S608 names of the schema

    def delete(self, resource: Resource, key: int) -> None:
        """Remove an object."""
        self._db.execute(f'DELETE FROM "{resource.table}" WHERE id = ?', (key,))  # noqa: S608 a name of the schema

    def get(self, resource: Resource, key: int) -> Row | None:
        """Return the object with this id, None when there is none."""
        found = self.rows(resource, "id = ?", (key,))
        return found[0] if found else None

    def rows(self, resource: Resource, where: str = "1", values: Sequence[Any] = (), tail: str = "ORDER BY id") -> list[Row]:
        """Return the objects for which the SQL condition `where` holds."""
        names = ("id", *resource.columns)
        columns = ", ".join(f'"{name}"' for name in names)
        cursor = self._db.execute(f'SELECT {columns} FROM "{resource.table}" WHERE {where} {tail}', values)  # noqa: S608 values are bound
        return [_decoded(resource, dict(zip(names, line, strict=True))) for line in cursor]

    def count(self, resource: Resource, where: str = "1", values: Sequence[Any] = ()) -> int:
        """Return how many objects fulfil the SQL condition `where`."""
        return int(self._db.execute(f'SELECT COUNT(*) FROM "{resource.table}" WHERE {where}', values).fetchone()[0])  # noqa: S608 values are bound

    def values(self, resource: Resource, column: str, where: str = "1", values: Sequence[Any] = (), tail: str = "") -> list[Any]:
        """Return one column of the objects that fulfil `where`."""
        return [line[0] for line in self._db.execute(f'SELECT "{column}" FROM "{resource.table}" WHERE {where} {tail}', values)]  # noqa: S608 values are bound

    def _encoded(self, resource: Resource, row: Mapping[str, Any]) -> Row:
        values = {name: value for name, value in row.items() if name in resource.columns}
        for name in resource.documents:
            if name in values:
                values[name] = json.dumps(values[name], separators=(",", ":"))
        if "name" in values and "_sort" in resource.columns:
            values["_sort"] = natural(values["name"] or "")
        return values


def _decoded(resource: Resource, row: Row) -> Row:
    for name in resource.documents:
        text = row[name]
        row[name] = json.loads(text) if text is not None else None
    for name in resource.flags:
        if row[name] is not None:
            row[name] = bool(row[name])
    return row
