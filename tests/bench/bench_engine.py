"""The order layer alone, on SQLite, in a world that answers at once: accepting, carrying through, its own share of one order."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from engine.acceptance import Acceptance
from engine.batch import Workplace
from engine.executor import LocalExecutor
from engine.states import Level, OrderState
from engine.store import lanes
from engine.store.schema import orders
from engine.worker import Worker
from tests.bench.bench import Bench, Scale, TookTooLong, wait_until
from tests.bench.figure import Figure, Goal, of_samples, p95
from tests.null_world import NullWorld, null_world, superfibre

_AGAINST = "SQLite, null inventory and targets"
_SECONDS = 60.0


@contextmanager
def _world() -> Iterator[NullWorld]:
    with tempfile.TemporaryDirectory() as folder:
        world = null_world(f"sqlite:///{folder}/turnup.db", Path(folder) / "secret.key")
        try:
            yield world
        finally:
            world.at.store.database.close()


def _accepts(scale: Scale) -> Iterator[Figure]:
    """Each order by a call of its own, on the disk when the call returns."""
    runs, orders_a_run = scale.of(5, 2), scale.of(100, 10)
    numbers = itertools.count(1)
    with _world() as world:
        acceptance = Acceptance(world.at, world.catalogue)
        rates = []
        for _ in range(runs + 1):
            began = time.perf_counter()
            for _ in range(orders_a_run):
                acceptance.submit(superfibre(next(numbers)))
            rates.append(orders_a_run / (time.perf_counter() - began))
    yield of_samples("durable accepts, one after the other", rates[1:], "orders/s", _AGAINST, Goal(">=", 200))


def _throughput(scale: Scale) -> Iterator[Figure]:
    """Orders that were accepted before, from the first step to the last."""
    runs, orders_a_run = scale.of(3, 1), scale.of(100, 5)
    numbers = itertools.count(1)
    rates, cpu = [], []
    with _world() as world:
        acceptance = Acceptance(world.at, world.catalogue)
        for run in range(runs):
            for _ in range(orders_a_run):
                acceptance.submit(superfibre(next(numbers)))
            executor = LocalExecutor(world.at)
            wall, used = time.perf_counter(), time.process_time()
            executor.start()
            try:
                ended = wait_until(lambda: _open(world.at) == 0, _SECONDS, f"{orders_a_run} orders, run {run + 1}", look=0.05)
            finally:
                executor.stop()
            rates.append(orders_a_run / (ended - wall))
            cpu.append((time.process_time() - used) * 1000 / orders_a_run)
    yield of_samples(f"{orders_a_run} orders at once, order layer alone", rates, "orders/s", _AGAINST, Goal(">=", 50))
    yield of_samples("CPU of one of them", cpu, "ms", _AGAINST)


def _open(at: Workplace) -> int:
    """How many orders are not completed."""
    statement = sa.select(sa.func.count()).where(orders.c.level == Level.PRODUCT, orders.c.state != OrderState.COMPLETED)
    with at.store.database.read() as tx:
        return int(tx.execute(statement).scalar_one())


def _share(scale: Scale) -> Iterator[Figure]:
    """What the order layer itself takes of one order, from the call that submits it to its last step, without a pause."""
    with _world() as world:
        acceptance, worker = Acceptance(world.at, world.catalogue), Worker(world.at)
        samples = []
        for number in range(scale.of(100, 10) + 2):
            began = time.perf_counter()
            acceptance.submit(superfibre(number))
            _carry_through(world.at, worker)
            samples.append((time.perf_counter() - began) * 1000)
        if _open(world.at):
            raise TookTooLong(f"{_open(world.at)} orders stand still")
    yield of_samples("order layer's share of one order", samples[2:], "ms", _AGAINST)
    yield p95("order layer's share of one order", samples[2:], "ms", _AGAINST, Goal("<=", 50))


def _carry_through(at: Workplace, worker: Worker) -> None:
    """Work the lanes until none has work."""
    while True:
        with at.store.database.read() as tx:
            found = lanes.with_work(tx, at.clock.real())
        if not found:
            return
        for lane in sorted(found):
            worker.drain(lane)


BENCHES = (Bench("accept", _accepts), Bench("order layer throughput", _throughput), Bench("order layer share", _share))
