"""`turnup worker` as processes: stopped, killed, frozen, one too many."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.acceptance import Acceptance
from engine.model import StepState
from engine.store.schema import events, lanes, steps
from engine.tree import Tree
from tests.null_world import ROOT, NullWorld, null_world, superfibre

OLT = "OLT-EAST-07"
Start = Callable[..., "subprocess.Popen[str]"]


@dataclass
class Office:
    """A database with orders, and the workers that were started on it."""

    url: str
    folder: Path
    world: NullWorld
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def worker(self, **options: object) -> subprocess.Popen[str]:
        """A worker process (tests.null_worker says which options)."""
        environment = {**os.environ, "TURNUP_HOME": str(self.folder / "home"), "TURNUP_LAB__EMBEDDED": "false"}
        command = [sys.executable, "-m", "tests.null_worker", self.url, str(self.folder / "secret.key"), json.dumps(options)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def submit(self, number: int = 1) -> str:
        return Acceptance(self.world.at, self.world.catalogue).submit(superfibre(number)).id

    def tree(self, order: str) -> Tree:
        return self.world.at.store.tree(order)

    def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, [process.poll() for process in self.started]
            time.sleep(0.05)

    def completed(self, order: str) -> None:
        """Wait until nothing of an order is left to do."""
        self.until(lambda: all(step.state is StepState.DONE for step in self.tree(order).steps.values()))
        assert self.tree(order).root.state == "completed"
        with self.world.at.store.database.read() as tx:
            told = tx.execute(sa.select(events.c.data).where(events.c.order == order, events.c.type == "orderStateChange")).scalars().all()
        assert [data["state"] for data in told].count("completed") == 1

    def owners(self) -> set[str | None]:
        with self.world.at.store.database.read() as tx:
            return set(tx.execute(sa.select(lanes.c.owner)).scalars())

    def running(self) -> int:
        with self.world.at.store.database.read() as tx:
            return tx.execute(sa.select(sa.func.count()).select_from(steps).where(steps.c.state == "running")).scalar_one()


def _office(url: str, folder: Path) -> Iterator[Office]:
    office = Office(url, folder, null_world(url, folder / "secret.key"))
    yield office
    for process in office.started:
        if process.poll() is None:
            process.kill()
        process.communicate()
    office.world.at.store.database.close()


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """On each kind of database."""
    yield from _office(database_url, tmp_path)


@pytest.fixture
def shared_office(postgresql_url: str, tmp_path: Path) -> Iterator[Office]:
    """Where several may work: on PostgreSQL."""
    yield from _office(postgresql_url, tmp_path)


@pytest.fixture
def small_office(tmp_path: Path) -> Iterator[Office]:
    """On SQLite."""
    yield from _office(f"sqlite:///{tmp_path}/turnup.db", tmp_path)


def pushing(process: subprocess.Popen[str]) -> None:
    """Wait until it is in the middle of a push."""
    assert process.stdout is not None
    assert "pushing\n" in iter(process.stdout.readline, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_that_is_stopped_finishes_its_batch(office: Office, number: int) -> None:
    order = office.submit()
    worker = office.worker(target=OLT, slow=0.5)
    pushing(worker)
    worker.send_signal(number)
    _, said = worker.communicate(timeout=30)
    assert worker.returncode == 0, said
    assert office.owners() == {None}
    assert office.running() == 0
    assert office.tree(order).steps["ROI-001/configure/0"].state is StepState.DONE
    office.worker()
    office.completed(order)


def test_one_that_is_killed_is_taken_over(office: Office) -> None:
    order = office.submit()
    worker = office.worker(target=OLT, slow=600, lease=1.0)
    pushing(worker)
    worker.kill()
    worker.wait()
    office.worker()
    office.completed(order)
    assert office.tree(order).steps["ROI-001/configure/0"].attempt == 2


def test_a_second_one_on_sqlite_is_refused(small_office: Office) -> None:
    order = small_office.submit()
    first = small_office.worker(target=OLT, slow=600)
    pushing(first)
    second = small_office.worker()
    _, said = second.communicate(timeout=30)
    assert second.returncode == 2
    assert "WORKER_RUNNING" in said
    assert str(first.pid) in said
    assert small_office.submit(2) != order  # submitting and reading go on


def test_several_share_the_work_on_postgresql(shared_office: Office) -> None:
    workers = [shared_office.worker(target="ACS-01", slow=0.05) for _ in range(3)]
    orders = [shared_office.submit(number) for number in range(12)]
    for order in orders:
        shared_office.completed(order)
    assert [worker.poll() for worker in workers] == [None] * 3
    with shared_office.world.at.store.database.read() as tx:
        attempts = tx.execute(sa.select(steps.c.attempt).where(steps.c.kind == "configure")).scalars()
        assert set(attempts) == {1}  # nothing was done twice


def test_a_long_batch_keeps_its_lane(shared_office: Office) -> None:
    """Pushing takes thrice the lease: the other worker must not take the lane over."""
    order = shared_office.submit()
    first = shared_office.worker(target=OLT, slow=3.0, lease=1.0)
    pushing(first)
    shared_office.worker(lease=1.0)
    shared_office.completed(order)
    assert shared_office.tree(order).steps["ROI-001/configure/0"].attempt == 1


def test_one_that_was_frozen_past_its_lease_harms_nothing(shared_office: Office) -> None:
    order = shared_office.submit()
    frozen = shared_office.worker(target=OLT, slow=0.5, lease=1.0)
    pushing(frozen)
    frozen.send_signal(signal.SIGSTOP)
    other = shared_office.worker(lease=1.0)
    shared_office.completed(order)
    assert shared_office.tree(order).steps["ROI-001/configure/0"].attempt == 2
    before = shared_office.tree(order)
    frozen.send_signal(signal.SIGCONT)
    frozen.terminate()
    _, said = frozen.communicate(timeout=30)
    assert frozen.returncode == 0, said
    after = shared_office.tree(order)
    assert {step.key: (step.state, step.attempt, step.evidence) for step in after.steps.values()} == {
        step.key: (step.state, step.attempt, step.evidence) for step in before.steps.values()
    }
    shared_office.completed(order)
    assert other.poll() is None


def test_a_step_that_kills_its_worker_three_times_is_held(small_office: Office) -> None:
    """And only that one: the orders that were in the same batch go on."""
    good, bad = [small_office.submit(number) for number in (101, 102)], small_office.submit(103)
    for _ in range(10):
        worker = small_office.worker(target=OLT, die="SI-INT-103/", slow=0)
        small_office.until(lambda worker=worker: worker.poll() is not None or small_office.tree(bad).root.state == "held")  # type: ignore[misc]
        if worker.poll() is None:
            break
    for order in good:
        small_office.completed(order)
    step = small_office.tree(bad).steps["ROI-001/configure/0"]
    assert step.state is StepState.HELD
    assert step.trouble is not None
    assert (step.trouble.code, step.attempt) == ("STEP_CRASHED", 3)


def test_a_database_of_a_newer_program_is_refused(small_office: Office) -> None:
    with small_office.world.at.store.database.write() as tx:
        tx.exec_driver_sql("update alembic_version set version_num = '9999'")
    worker = small_office.worker()
    _, said = worker.communicate(timeout=30)
    assert worker.returncode == 1
    assert "9999" in said
