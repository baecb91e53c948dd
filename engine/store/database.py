"""Connections: SQLite (WAL, one writer at a time) and PostgreSQL with the same code."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic_core import from_json, to_json
from sqlalchemy import event, exc

from engine.errors import StoreError

_BUSY_SECONDS = 30.0


def _to_json(value: Any) -> str:
    return to_json(value).decode()


# pydantic's JSON is several times faster than the standard library's, and each tree has a hundred JSON columns
_COMMON: dict[str, Any] = {"pool_size": 20, "max_overflow": 30, "json_serializer": _to_json, "json_deserializer": from_json}


class Database:
    """An engine with two kinds of transactions: reading ones that never wait for a writer, and writing ones."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url.replace("postgresql://", "postgresql+psycopg://", 1))
        self.sqlite = self.url.get_backend_name() == "sqlite"
        # SQLite lets one writer in; who waits inside SQLite polls with growing pauses, who waits here is woken at once
        self._turn: contextlib.AbstractContextManager[object] = threading.Lock() if self.sqlite else contextlib.nullcontext()
        try:
            self.engine = self._sqlite() if self.sqlite else sa.create_engine(self.url, pool_pre_ping=True, **_COMMON)
        except exc.ArgumentError as error:
            raise StoreError(f"DATABASE_URL cannot be used: {error}") from None

    def _sqlite(self) -> sa.Engine:
        if self.url.database and self.url.database != ":memory:":
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        arguments = {"timeout": _BUSY_SECONDS, "check_same_thread": False, "isolation_level": None}
        engine = sa.create_engine(self.url, connect_args=arguments, **_COMMON)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that may write. Raises StoreError when the database cannot be used; then nothing of it was kept."""
        with self._turn, _translated(), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view that never blocks a writer nor waits for one."""
        with _translated(), self.engine.connect().execution_options(turnup_read_only=True) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    # FULL: what was accepted is on the disk when we say so, also after a power cut
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={int(_BUSY_SECONDS * 1000)}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # IMMEDIATE: a transaction that reads first and writes later would fail with SQLITE_BUSY instead of waiting its turn
    reading = connection.get_execution_options().get("turnup_read_only")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except exc.OperationalError as error:
        raise StoreError(f"the database cannot be used: {error.orig}") from error
