"""Writing many rows of one table: the statement is compiled once, and the rows go to the driver as they are.

SQLAlchemy would look at each value of each row again, which costs more than the database's own work. So values have to be what drivers
take: text, numbers, truth and None; JSON as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

_PREFIX = "_"


class _Kind(NamedTuple):
    """What is done, by table and names of columns. `keys`: those that say which row."""

    verb: str
    table: str
    columns: tuple[str, ...]
    keys: tuple[str, ...] = ()


class _Compiled(NamedTuple):
    text: str
    names: tuple[str, ...]
    positional: bool


_COMPILED: dict[tuple[str, _Kind], _Compiled] = {}


def many(name: str) -> sa.BindParameter[Any]:
    """A parameter for the values of an `IN`. One each in the statement: SQLite uses no index for values that come in one, as JSON."""
    return sa.bindparam(name, expanding=True)


def insert(tx: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, which all have the same columns."""
    if rows:
        _run(tx, table, _Kind("insert", table.name, tuple(rows[0])), rows)


def insert_once(tx: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert those rows that are not there, also when another process does so at the same moment."""
    if rows:
        _run(tx, table, _Kind("insert once", table.name, tuple(rows[0])), rows)


def update(tx: sa.Connection, table: sa.Table, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Set the other columns of the rows that have these keys. All rows have the same columns."""
    if rows:
        columns = tuple(name for name in rows[0] if name not in keys)
        _run(tx, table, _Kind("update", table.name, columns, tuple(keys)), rows)


def delete(tx: sa.Connection, table: sa.Table, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Delete the rows that have these keys."""
    if rows:
        _run(tx, table, _Kind("delete", table.name, (), tuple(keys)), rows)


def _run(tx: sa.Connection, table: sa.Table, kind: _Kind, rows: Sequence[Mapping[str, Any]]) -> None:
    dialect = tx.dialect
    compiled = _COMPILED.get((dialect.name, kind))
    if compiled is None:
        compiled = _COMPILED[dialect.name, kind] = _compile(dialect, table, kind)
    names = compiled.names
    if compiled.positional:
        tx.exec_driver_sql(compiled.text, [tuple([row[name] for name in names]) for row in rows])
    else:
        tx.exec_driver_sql(compiled.text, [{_PREFIX + name: row[name] for name in names} for row in rows])


def _compile(dialect: sa.Dialect, table: sa.Table, kind: _Kind) -> _Compiled:
    values: dict[str, Any] = {name: sa.bindparam(_PREFIX + name) for name in kind.columns}
    where = [table.c[name] == sa.bindparam(_PREFIX + name) for name in kind.keys]
    once = (sqlite if dialect.name == "sqlite" else postgresql).insert(table).values(values)
    statements: Mapping[str, sa.Insert | sa.Update | sa.Delete] = {
        "insert": sa.insert(table).values(values).inline(),
        "insert once": once.on_conflict_do_nothing().inline(),
        "update": sa.update(table).where(*where).values(values),
        "delete": sa.delete(table).where(*where),
    }
    compiled = statements[kind.verb].compile(dialect=dialect)
    order = getattr(compiled, "positiontup", None)
    return _Compiled(str(compiled), tuple(name.removeprefix(_PREFIX) for name in order or compiled.params), order is not None)
