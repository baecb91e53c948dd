"""The order layer alone, in one process on SQLite, in a world that answers at once: accepting, carrying through, its share of one order."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from engine import collector
from engine.acceptance import Acceptance
from engine.batch import WorkerSettings, Workplace
from engine.executor import LocalExecutor
from engine.requests import OrderRequest
from engine.states import Level, OrderState
from engine.store import lanes
from engine.store.schema import orders
from engine.worker import Worker
from tests.bench.bench import Bench, Scale, TookTooLong, wait_until
from tests.bench.figure import Figure, Goal, of_samples, p95
from tests.null_world import NullWorld, null_world, superfibre

_SETTINGS = WorkerSettings(sweep=0.05, threads=4)
NULL = f"null inventory and targets, batches of {_SETTINGS.batch_targets} (targets) and {_SETTINGS.batch_systems} (systems)"
_AGAINST = f"SQLite, {NULL}"
_SECONDS = 60.0


@contextmanager
def _world() -> Iterator[NullWorld]:
    with tempfile.TemporaryDirectory() as folder:
        world = null_world(f"sqlite:///{folder}/turnup.db", Path(folder) / "secret.key", _SETTINGS)
        try:
            yield world
        finally:
            world.at.store.database.close()


def _accepts(scale: Scale) -> Iterator[Figure]:
    """On the disk when the call returns: each order by a call of its own, and many by one call, as a file of orders is accepted."""
    runs, orders_a_run = scale.of(5, 2), scale.of(100, 10)
    numbers = itertools.count(1)

    def rate(submit: Callable[[list[OrderRequest]], object]) -> float:
        asked = [superfibre(next(numbers)) for _ in range(orders_a_run)]
        began = time.perf_counter()
        submit(asked)
        return orders_a_run / (time.perf_counter() - began)

    with _world() as world:
        acceptance = Acceptance(world.at, world.catalogue)
        one_by_one = [rate(lambda asked: [acceptance.submit(order) for order in asked]) for _ in range(runs + 1)]
        together = [rate(acceptance.submit_many) for _ in range(runs + 1)]
    yield of_samples("durable accepts, one after the other", one_by_one[1:], "orders/s", _AGAINST, Goal(">=", 200))
    yield of_samples(f"durable accepts, {orders_a_run} by one call", together[1:], "orders/s", _AGAINST, Goal(">=", 200))


def _throughput(scale: Scale) -> Iterator[Figure]:
    """Orders that were accepted before, from the first step to the last."""
    runs, orders_a_run = scale.of(3, 1), scale.of(100, 5)
    numbers = itertools.count(1)
    rates, cpu = [], []
    with _world() as world:
        acceptance = Acceptance(world.at, world.catalogue)
        for run in range(runs):
            acceptance.submit_many([superfibre(next(numbers)) for _ in range(orders_a_run)])
            executor = LocalExecutor(world.at)
            wall, used = time.perf_counter(), time.process_time()
            executor.start()
            try:
                ended = wait_until(lambda: left_open(world.at) == 0, _SECONDS, f"{orders_a_run} orders, run {run + 1}", look=0.05)
            finally:
                executor.stop()
            rates.append(orders_a_run / (ended - wall))
            cpu.append((time.process_time() - used) * 1000 / orders_a_run)
    yield of_samples(f"{orders_a_run} orders at once, order layer alone", rates, "orders/s", _AGAINST, Goal(">=", 50))
    yield of_samples("CPU of one of them", cpu, "ms", _AGAINST)


def left_open(at: Workplace) -> int:
    """How many orders are not completed."""
    statement = sa.select(sa.func.count()).where(orders.c.level == Level.PRODUCT, orders.c.state != OrderState.COMPLETED)
    with at.store.database.read() as tx:
        return int(tx.execute(statement).scalar_one())


def _share(scale: Scale) -> Iterator[Figure]:
    """What the order layer itself takes of one order, from the call that submits it to its last step, without a pause."""
    with _world() as world, collector.seldom():
        acceptance, worker = Acceptance(world.at, world.catalogue), Worker(world.at)
        samples = []
        for number in range(scale.of(100, 10) + 2):
            began = time.perf_counter()
            acceptance.submit(superfibre(number))
            _carry_through(world.at, worker)
            samples.append((time.perf_counter() - began) * 1000)
        if standing := left_open(world.at):
            raise TookTooLong(f"{standing} orders stand still")
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
