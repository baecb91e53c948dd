"""RADIUS: the rows of FreeRADIUS' SQL schema (rlm_sql 3.2), all rows of a transaction in one SQL transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from nornir.core.inventory import Host
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from engine.errors import SettingsInvalid, TargetDenied, TargetLocked, TargetRefused, TargetUnreachable
from tasks.access import access_of
from tasks.kinds.bodies import Body
from tasks.kinds.documents import DocumentKind, DocumentStore, Operation
from tasks.transaction import Deadline

_LOGGING_NAME = "radius"
# at DEBUG, SQLAlchemy logs every row it reads, passwords and all, whatever hide_parameters says; at INFO every statement
logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGING_NAME}").setLevel(logging.WARNING)


def _table(name: str, *keys: str, columns: Sequence[str]) -> sa.Table:
    return sa.Table(name, sa.MetaData(), *(sa.Column(column) for column in (*keys, *columns)), info={"keys": keys})


_OF_USER = ("username", "attribute")
_OF_GROUP = ("groupname", "attribute")
_ITEM = ("op", "value")
TABLES: Mapping[str, sa.Table] = {
    "radcheck": _table("radcheck", *_OF_USER, columns=_ITEM),
    "radreply": _table("radreply", *_OF_USER, columns=_ITEM),
    "radgroupcheck": _table("radgroupcheck", *_OF_GROUP, columns=_ITEM),
    "radgroupreply": _table("radgroupreply", *_OF_GROUP, columns=_ITEM),
    "radusergroup": _table("radusergroup", "username", "groupname", columns=("priority",)),
    "nas": _table("nas", "nasname", columns=("shortname", "type", "ports", "secret", "server", "community", "description")),
}
"""Kind of document -> its table, as far as we use it. A key is the values of the key columns, joined by `/`."""


class _FreeRadius(DocumentStore):
    def __init__(self, target: str, deadline: Deadline, connection: sa.Connection) -> None:
        super().__init__(target, deadline)
        self._connection = connection
        self._uncommitted = False
        """Whether all that was written is in the open SQL transaction, so that a rollback undoes it."""

    def read(self, kind: str, key: str) -> Body | None:
        table, where = self._where(kind, key)
        columns = [column for column in table.columns if column.name not in table.info["keys"]]
        rows = self._execute(sa.select(*columns).where(where)).mappings().all()
        if len(rows) > 1:  # the schema has no unique index: whose row is it?
            raise TargetRefused(f"{self.target} has {len(rows)} rows {kind}/{key} instead of one", target=self.target)
        return dict(rows[0]) if rows else None

    def create(self, kind: str, key: str, body: Body) -> None:
        table = self._tabled(kind)
        self._write(sa.insert(table).values(**_keys(table, key), **self._columns(table, body)))

    def replace(self, kind: str, key: str, body: Body) -> None:
        table, where = self._where(kind, key)
        self._write(sa.update(table).where(where).values(**self._columns(table, body)))

    def delete(self, kind: str, key: str) -> None:
        table, where = self._where(kind, key)
        self._write(sa.delete(table).where(where))

    def keep(self) -> None:
        """Commit."""
        self._uncommitted = False
        with _translated(self.target):
            self._connection.commit()

    def undo(self, operations: Sequence[Operation]) -> None:
        """Roll back; when a commit was tried already, or another process wrote it, put every row back as it was."""
        enough = self._uncommitted
        with _translated(self.target):
            self._connection.rollback()
        if not enough:
            super().undo(operations)
            self.keep()

    def _write(self, statement: sa.Executable) -> None:
        self._uncommitted = True
        self._execute(statement)

    def _execute(self, statement: sa.Executable) -> sa.CursorResult[tuple[object, ...]]:
        self.deadline.require(self.target, "a row was written")
        with _translated(self.target):
            result: sa.CursorResult[tuple[object, ...]] = self._connection.execute(statement)
            return result

    def _where(self, kind: str, key: str) -> tuple[sa.Table, sa.ColumnElement[bool]]:
        table = self._tabled(kind)
        return table, sa.and_(*(table.columns[name] == value for name, value in _keys(table, key).items()))

    def _tabled(self, kind: str) -> sa.Table:
        try:
            return TABLES[kind]
        except KeyError:
            raise TargetRefused(f"{self.target} has no table {kind}, only {', '.join(TABLES)}", target=self.target) from None

    def _columns(self, table: sa.Table, body: Body) -> Mapping[str, object]:
        unknown = [name for name in body if name not in table.columns or name in table.info["keys"]]
        if unknown:
            raise TargetRefused(f"{self.target}: {table.name} has no column {', '.join(unknown)}", target=self.target)
        return body


def _keys(table: sa.Table, key: str) -> dict[str, str]:
    """Return the key columns' values: the last are without `/`, so what is left of them is the user."""
    names = table.info["keys"]
    return dict(zip(names, key.rsplit("/", len(names) - 1), strict=True))


@contextmanager
def _translated(target: str) -> Iterator[None]:
    """Raise what the database says as errors of `engine.errors`; never with the values of a statement."""
    try:
        yield
    except OperationalError as error:
        words = _words(error)
        if "locked" in words or "lock timeout" in words:
            raise TargetLocked(f"{target}: {words}", target=target, remedy="Wait until the other writer is through.") from error
        if "no such table" in words or "no such column" in words:  # what SQLite calls operational
            raise TargetRefused(f"{target}: {words}", target=target) from error
        if "authentication failed" in words:
            raise TargetDenied(f"{target} refused the credentials", target=target) from error
        raise TargetUnreachable(f"{target}: {words}", target=target) from error
    except SQLAlchemyError as error:
        raise TargetRefused(f"{target}: {_words(error)}", target=target) from error


def _words(error: SQLAlchemyError) -> str:
    said = error.orig if isinstance(error, DBAPIError) else error
    return str(said).strip().splitlines()[0]


@lru_cache(maxsize=64)
def _engine(url: str) -> sa.Engine:
    # hide_parameters: or the message of an error has the password that was to be inserted
    engine = sa.create_engine(url, poolclass=NullPool, hide_parameters=True, logging_name=_LOGGING_NAME)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "begin", _begin_to_write)
    return engine


def _begin_to_write(connection: sa.Connection) -> None:
    """Take SQLite's write lock at once.

    A transaction that read first and then writes would fail without waiting when somebody else wrote between (SQLITE_BUSY_SNAPSHOT).
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _opened(host: Host, deadline: Deadline) -> Iterator[DocumentStore]:
    url = access_of(host).url(target=host.name)
    try:
        engine = _engine(url)
    except (SQLAlchemyError, ImportError) as error:
        raise SettingsInvalid(f"the SQL URL of {host.name} cannot be used: {type(error).__name__}", target=host.name) from error
    _require_file(host.name, engine)
    with _translated(host.name), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            raw = connection.connection.driver_connection
            raw.isolation_level = None  # type: ignore[union-attr]  # sqlite3 would begin on its own, and too late
            raw.execute(f"PRAGMA busy_timeout = {int(deadline.at_most(access_of(host).timeout) * 1000)}")  # type: ignore[union-attr]
        yield _FreeRadius(host.name, deadline, connection)


def _require_file(target: str, engine: sa.Engine) -> None:
    """SQLite would make a database that is not there, and it would be empty."""
    name = engine.url.database
    if engine.dialect.name == "sqlite" and name and not Path(name).exists():
        raise TargetUnreachable(f"{target}: there is no database file {name}", target=target)


FREERADIUS = DocumentKind(_opened)
