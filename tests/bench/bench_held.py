"""What ten thousand orders weigh that stand still: a worker with them in its store, and what it does all the time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from engine.acceptance import Acceptance
from engine.states import Level, OrderState
from engine.store import schema
from engine.store.lanes import with_work
from engine.worker import Worker
from lab import control
from tests.bench.bench import Bench, Scale, TookTooLong, wait_until
from tests.bench.figure import Figure, Goal
from tests.null_world import null_world, refused, superfibre

_OLT = "OLT-EAST-07"
_CUSTOMER = 7_000_000
"""Of the order that all others are copies of: its number is in the ids of services and products."""
_TABLES = (schema.orders, schema.items, schema.steps, schema.allocations, schema.instances, schema.events, schema.cases)
_SETTLE = 5.0
"""Seconds that a worker is given to begin: what is measured is what it does all the time."""


def _held(scale: Scale) -> Iterator[Figure]:
    count, seconds = scale.of(10_000, 50), scale.of(20.0, 1.0)
    against = f"turnup worker, SQLite, {count:,} orders held because the OLT refused"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _fill(home, count)
        try:
            with _worker(home) as process:
                time.sleep(scale.of(_SETTLE, 0.0))
                load = _load(process, seconds)
                size = process.memory_full_info().pss / 2**20
        finally:
            control.down(home / "lab")
    yield Figure(f"memory with {count:,} held orders", size, "MiB PSS", 1, size, size, against, Goal("<=", 300))
    yield Figure(f"CPU with {count:,} held orders, {seconds:g} s", load, "% of a core", 1, load, load, against, Goal("<=", 5))


def _load(process: psutil.Process, seconds: float) -> float:
    before, began = sum(process.cpu_times()[:2]), time.perf_counter()
    time.sleep(seconds)
    return float(100 * (sum(process.cpu_times()[:2]) - before) / (time.perf_counter() - began))


@contextmanager
def _worker(home: Path) -> Iterator[psutil.Process]:
    """`turnup worker` on this home folder, with the embedded lab."""
    told = home / "worker.out"
    with told.open("wb") as output:
        environment = {**os.environ, "TURNUP_HOME": str(home)}
        process = subprocess.Popen(
            [sys.executable, "-m", "turnup", "worker"], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        wait_until(lambda: "working the lanes" in told.read_text("utf-8"), 60, "turnup worker", look=0.05)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


# -- the orders --------------------------------------------------------------------------------------------------------
def _fill(home: Path, count: int) -> None:
    """One order is held as any other would be; the others are copies of it under other ids, made by the database."""
    world = null_world(f"sqlite:///{home / 'turnup.db'}", home / "secret.key")
    world.targets.fail = lambda push: refused("no such traffic descriptor profile") if push.target == _OLT else None
    order, worker = Acceptance(world.at, world.catalogue).submit(superfibre(_CUSTOMER)).id, Worker(world.at)
    database = world.at.store.database
    while lanes := database.look(lambda tx: with_work(tx, world.clock.real())):
        for lane in sorted(lanes):
            worker.drain(lane)
    tree = world.at.store.tree(order)
    if tree.root.state is not OrderState.HELD:
        raise TookTooLong(f"the order is {tree.root.state} and should be held")
    ids = [*tree.orders, *(step.case for step in tree.steps.values() if step.case)]
    with database.write() as tx:
        for table in _TABLES:
            tx.execute(_copies(table, [one.rpartition("-") for one in ids], count - 1))
    standing = sa.select(sa.func.count()).where(schema.orders.c.level == Level.PRODUCT, schema.orders.c.state == OrderState.HELD)
    if database.look(lambda tx: tx.execute(standing).scalar_one()) != count:
        raise TookTooLong(f"not all of {count} orders are held")
    database.close()


def _copies(table: sa.Table, ids: Sequence[tuple[str, str, str]], count: int) -> sa.Insert:
    """Every row of a table so many times more, with other numbers in the ids of orders, cases, services and products."""
    first = sa.select(sa.literal(1).label("number")).cte("numbers", recursive=True)
    numbers = first.union_all(sa.select(first.c.number + 1).where(first.c.number < count))
    number = numbers.c.number
    columns = [column for column in table.columns if column is not table.autoincrement_column]

    def renamed(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        if not isinstance(column.type, sa.Text | sa.JSON):
            return column
        value: sa.ColumnElement[Any] = sa.type_coerce(column, sa.Text)
        for prefix, dash, own in ids:
            value = sa.func.replace(value, f"{prefix}{dash}{own}", sa.literal(f"{prefix}{dash}") + sa.cast(number + 100_000, sa.Text))
        return sa.func.replace(value, str(_CUSTOMER), sa.cast(number + _CUSTOMER, sa.Text))

    copies = sa.select(*map(renamed, columns)).select_from(table).join(numbers, sa.true())
    return sa.insert(table).from_select([column.name for column in columns], copies)


BENCHES = (Bench("held orders", _held),)
