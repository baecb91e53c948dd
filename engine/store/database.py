"""Connections: SQLite (WAL, one writer at a time) and PostgreSQL with the same code."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic_core import from_json, to_json
from sqlalchemy import event, exc

from engine.errors import StoreError, StoreFull, StoreUnreachable
from engine.store.patience import Patience

_BUSY_SECONDS = 30.0
_PATIENCE = 10.0
"""Seconds that a command waits for a database that is gone. Workers wait without end."""
# a frozen worker must not keep the locks of its transaction: whoever takes over its lane would wait for it
_POSTGRESQL = "-c idle_in_transaction_session_timeout=15s -c lock_timeout=30s"
T = TypeVar("T")


def _to_json(value: Any) -> str:
    return to_json(value).decode()


_COMMON: dict[str, Any] = {
    "pool_size": 20,
    "max_overflow": 30,
    "pool_reset_on_return": None,  # each use is a transaction that has ended: there is nothing to take back
    # pydantic's JSON is several times faster than the standard library's, and each tree has a hundred JSON columns
    "json_serializer": _to_json,
    "json_deserializer": from_json,
}


class Database:
    """An engine with two kinds of transactions: reading ones that never wait for a writer, and writing ones."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url.replace("postgresql://", "postgresql+psycopg://", 1))
        self.sqlite = self.url.get_backend_name() == "sqlite"
        # SQLite lets one writer in; who waits inside SQLite polls with growing pauses, who waits here is woken at once
        self._turn: contextlib.AbstractContextManager[object] = threading.Lock() if self.sqlite else contextlib.nullcontext()
        self.patience = Patience(_PATIENCE)
        try:
            self.engine = self._sqlite() if self.sqlite else self._postgresql()
        except exc.ArgumentError as error:
            raise StoreError(f"DATABASE_URL cannot be used: {error}") from None
        # PostgreSQL's default gives each statement a view of its own: an order's items could be newer than the order
        consistent: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = self.engine if self.sqlite else self.engine.execution_options(**consistent)

    def _sqlite(self) -> sa.Engine:
        if self.url.database and self.url.database != ":memory:":
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        arguments = {"timeout": _BUSY_SECONDS, "check_same_thread": False, "isolation_level": None}
        engine = sa.create_engine(self.url, connect_args=arguments, **_COMMON)
        event.listen(engine, "connect", _prepare)
        return engine

    def _postgresql(self) -> sa.Engine:
        given = self.url.query.get("options", ())
        options = " ".join([_POSTGRESQL, *([given] if isinstance(given, str) else given)])
        return sa.create_engine(self.url, pool_pre_ping=True, connect_args={"options": options}, **_COMMON)

    def change(self, work: Callable[[sa.Connection], T]) -> T:
        """Do this in a writing transaction of its own, again from its beginning while the database is gone. Raises StoreError."""

        def once() -> T:
            with self.write() as tx:
                return work(tx)

        return self.patience.repeat(once)

    def look(self, work: Callable[[sa.Connection], T]) -> T:
        """Likewise in a reading transaction."""

        def once() -> T:
            with self.read() as tx:
                return work(tx)

        return self.patience.repeat(once)

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that may write. Raises StoreError when the database cannot be used; then nothing of it was kept."""
        with self._turn, _translated(), self.engine.begin() as connection:
            # a transaction that reads first and writes later would fail with SQLITE_BUSY instead of waiting its turn
            self._begin(connection, "BEGIN IMMEDIATE")
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view that never blocks a writer nor waits for one."""
        with _translated(), self._reader.begin() as connection:
            self._begin(connection, "BEGIN")
            yield connection

    def _begin(self, connection: sa.Connection, statement: str) -> None:
        """Begin a transaction on SQLite. Said by SQLAlchemy it costs twenty times as much, and a listener makes every statement slower."""
        if self.sqlite:
            driver = connection.connection.driver_connection
            if not isinstance(driver, sqlite3.Connection):
                raise TypeError("this is for sqlite3")
            driver.execute(statement)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    # FULL: what was accepted is on the disk when we say so, also after a power cut
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={int(_BUSY_SECONDS * 1000)}"):
        connection.execute(f"PRAGMA {pragma}")


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except exc.IntegrityError:
        raise
    except exc.DBAPIError as error:
        kind = _kind(error)
        if kind is None:
            raise
        raise kind(f"{_WORDS[kind]}: {error.orig}") from error
    except sqlite3.OperationalError as error:  # of `Database._begin`
        kind = _sqlite_kind(error)
        raise kind(f"{_WORDS[kind]}: {error}") from error
    except exc.TimeoutError as error:  # of the pool
        raise StoreUnreachable(f"{_WORDS[StoreUnreachable]}: {error}") from error


_WORDS: dict[type[StoreError], str] = {
    StoreError: "the database cannot be used",
    StoreUnreachable: "the database is gone or busy",
    StoreFull: "there is no space left for the database",
}
_GONE = ("08", "40", "57P", "53", "55P03", "25P03")
"""Beginnings of PostgreSQL's SQLSTATE (appendix A of its manual): connection, rollback for another's sake, shutdown, resources,
lock_timeout, idle_in_transaction_session_timeout."""
_NO_SPACE = "53100"


def _kind(error: exc.DBAPIError) -> type[StoreError] | None:
    """Which of our errors it is; None: a fault of the program."""
    if isinstance(error.orig, sqlite3.OperationalError):
        return _sqlite_kind(error.orig)
    state = getattr(error.orig, "sqlstate", None)
    if state == _NO_SPACE:
        return StoreFull
    if error.connection_invalidated or (state or "").startswith(_GONE):
        return StoreUnreachable
    if isinstance(error, exc.OperationalError):
        return StoreError if state else StoreUnreachable
    return None


def _sqlite_kind(error: sqlite3.OperationalError) -> type[StoreError]:
    kinds = {sqlite3.SQLITE_BUSY: StoreUnreachable, sqlite3.SQLITE_LOCKED: StoreUnreachable, sqlite3.SQLITE_FULL: StoreFull}
    return kinds.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF, StoreError)
