"""Reading the outbox by number: each event once, those of transactions that end later than others, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine import outbox
from engine.outbox import Outbox
from engine.store.database import Database
from engine.store.migrate import migrate
from engine.store.schema import events


def write(tx: sa.Connection, order: str, type_: str = "orderStateChange") -> int:
    row = {"root": order, "order": order, "item": None, "type": type_, "at": "2024-03-11T09:00:00+00:00", "data": {"state": "held"}}
    number: int = tx.execute(sa.insert(events).returning(events.c.number), row).scalar_one()
    return number


def read(reader: Outbox) -> list[str]:
    return [event.order for event in reader.read(["orderStateChange"])]


def opened(url: str) -> Iterator[Database]:
    made = Database(url)
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Of each kind."""
    yield from opened(database_url)


@pytest.fixture
def postgres(postgresql_url: str) -> Iterator[Database]:
    """Where numbers are given before the commit."""
    yield from opened(postgresql_url)


def test_what_was_written_since(database: Database) -> None:
    with database.write() as tx:
        first = write(tx, "before")
    reader, all_of_it = Outbox(database), Outbox(database, 0)
    assert read(reader) == []
    with database.write() as tx:
        write(tx, "A")
        write(tx, "A", "itemStateChange")
        write(tx, "B")
    assert read(reader) == ["A", "B"]
    assert read(reader) == []
    assert read(all_of_it) == ["before", "A", "B"]
    assert read(Outbox(database, first)) == ["A", "B"]


def test_many_are_read_in_parts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST", 3)
    reader = Outbox(database)
    with database.write() as tx:
        for number in range(7):
            write(tx, str(number))
    assert [read(reader) for _ in range(4)] == [["0", "1", "2"], ["3", "4", "5"], ["6"], []]


@pytest.mark.parametrize("begin", ["before", "between"])
def test_a_transaction_that_ends_later_than_the_next(postgres: Database, begin: str) -> None:
    reader = Outbox(postgres)
    with postgres.write() as slow:
        write(slow, "slow")
        with postgres.write() as fast:
            write(fast, "fast")
        if begin == "between":
            reader = Outbox(postgres)
        assert read(reader) == (["fast"] if begin == "before" else [])
        assert read(reader) == []
    assert read(reader) == ["slow"]
    assert read(reader) == []


def test_numbers_that_never_come_are_forgotten(postgres: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "STRAGGLER", 0.0)
    reader = Outbox(postgres)
    with postgres.write() as tx:
        write(tx, "rolled back")
        tx.rollback()
    with postgres.write() as tx:
        write(tx, "A")
    assert read(reader) == ["A"]
    assert len(reader.missing) == 1
    assert read(reader) == []
    assert reader.missing == frozenset()


def test_the_file_of_the_database_is_only_read(tmp_path: Path) -> None:
    """A reader beside a writer does not wait for it."""
    for made in opened(f"sqlite:///{tmp_path}/turnup.db"):
        with made.write() as tx:
            write(tx, "A")
            assert read(Outbox(made, 0)) == []
        assert read(Outbox(made, 0)) == ["A"]
