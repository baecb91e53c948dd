"""Procrastinate between the processes: it carries hints, and losing or doubling them does no harm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.acceptance import Acceptance
from engine.batch import WorkerSettings
from engine.distributed import ProcrastinateExecutor, _make_schema
from tests.null_world import NullWorld, null_world, superfibre

Executor = Callable[[NullWorld], ProcrastinateExecutor]


@pytest.fixture
def settings() -> WorkerSettings:
    return WorkerSettings()


@pytest.fixture
def world(postgresql_url: str, tmp_path: Path, settings: WorkerSettings) -> Iterator[NullWorld]:
    made = null_world(postgresql_url, tmp_path / "secret.key", settings)
    yield made
    made.at.store.database.close()


@pytest.fixture
def working() -> Iterator[Executor]:
    started = []

    def start(world: NullWorld) -> ProcrastinateExecutor:
        executor = ProcrastinateExecutor(world.at)
        executor.start()
        started.append(executor)
        return executor

    yield start
    for executor in started:
        executor.stop()


def ended(world: NullWorld, orders: list[str], seconds: float = 60) -> list[str]:
    """The states of these orders once all have ended."""
    deadline = time.monotonic() + seconds
    while not all(world.at.store.tree(order).root.state.final for order in orders):
        assert time.monotonic() < deadline, [str(world.at.store.tree(order).root.state) for order in orders]
        time.sleep(0.05)
    return [str(world.at.store.tree(order).root.state) for order in orders]


def jobs(world: NullWorld) -> list[str]:
    with world.at.store.database.read() as tx:
        return list(tx.execute(sa.text("select queueing_lock from procrastinate.procrastinate_jobs where status = 'todo'")).scalars())


def test_orders_complete(world: NullWorld, working: Executor) -> None:
    accepted = [Acceptance(world.at, world.catalogue).submit(superfibre(n)).id for n in range(5)]
    working(world)
    assert ended(world, accepted) == ["completed"] * 5


def test_a_lane_waits_once_in_the_queue(world: NullWorld) -> None:
    world.at.store.database.change(_make_schema)
    world.at.store.database.change(_make_schema)
    executor = ProcrastinateExecutor(world.at)
    executor._busy = world.at.settings.threads
    with executor._telling.open():
        for _ in range(3):
            executor.hint({"OLT-EAST-07", "BNG-EAST-01"})
    assert sorted(jobs(world)) == ["BNG-EAST-01", "OLT-EAST-07"]


def test_a_hint_stays_at_home_while_a_thread_is_free(world: NullWorld, working: Executor) -> None:
    executor = working(world)
    orders = [Acceptance(world.at, world.catalogue).submit(superfibre(n)).id for n in range(3)]
    executor.hint({"orders"})
    assert jobs(world) == []
    assert ended(world, orders) == ["completed"] * 3


@pytest.mark.parametrize("settings", [WorkerSettings(sweep=3600, threads=4)])
def test_others_are_told_of_what_all_threads_are_too_busy_for(world: NullWorld, working: Executor) -> None:
    """One process has no thread for it and says so; another, which looks for work once an hour, does it."""
    working(world)
    busy = ProcrastinateExecutor(world.at)
    busy._busy = world.at.settings.threads
    order = Acceptance(world.at, world.catalogue).submit(superfibre(1)).id
    with busy._telling.open():
        busy.hint({"orders"})
    assert ended(world, [order]) == ["completed"]


def test_lost_hints_are_found_by_the_sweep(world: NullWorld, working: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    executor = working(world)
    monkeypatch.setattr(executor._worker, "_hint", lambda _: None)  # all hints of settlements are lost
    order = Acceptance(world.at, world.catalogue).submit(superfibre(1)).id
    assert ended(world, [order]) == ["completed"]


def test_the_database_ends_all_connections(world: NullWorld, working: Executor, postgresql_url: str, postgresql: str) -> None:
    """It goes on by itself, and nothing is done twice."""
    working(world)
    accepted = [Acceptance(world.at, world.catalogue).submit(superfibre(n)).id for n in range(3)]
    name = sa.make_url(postgresql_url).database
    with sa.create_engine(postgresql.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool).connect() as tx:
        for _ in range(5):
            tx.execute(sa.text("select pg_terminate_backend(pid) from pg_stat_activity where datname = :name"), {"name": name})
            time.sleep(0.1)
    accepted += [Acceptance(world.at, world.catalogue).submit(superfibre(n)).id for n in range(3, 5)]
    assert ended(world, accepted) == ["completed"] * 5
    assert len(world.inventory.given) == 25
