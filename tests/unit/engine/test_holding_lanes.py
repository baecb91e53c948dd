"""Holding lanes: heartbeat, circuit breaker, crashes, clocks that are set back, a database that is gone or full."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine import circuit
from engine.acceptance import Acceptance
from engine.batch import Holding, WorkerSettings
from engine.errors import LeaseLost, StoreError, StoreFull, StoreUnreachable
from engine.executor import SetBack
from engine.model import StepState
from engine.ports import Outcome, Push
from engine.store import lanes, schema
from engine.store.database import Database
from engine.store.patience import Patience
from engine.store.schema import events, orders, steps, transaction_steps
from engine.views import document
from tests.null_world import LaneByLane, NullWorld, null_world, refused, superfibre
from tests.unit.engine.conftest import Work

BNG, OLT = "BNG-EAST-01", "OLT-EAST-07"


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def take(world: NullWorld, lane: str, *, ahead: float = 0.0) -> lanes.Lease | None:
    """What somebody else gets, whose clock is so far ahead."""
    settings = world.at.settings
    return world.at.store.database.change(lambda tx: lanes.take(tx, lane, "other", world.clock.real() + ahead, settings.lease))


# -- heartbeat ---------------------------------------------------------------------------------------------------------


def test_a_long_batch_keeps_its_lane(database_url: str, tmp_path: Path) -> None:
    world = null_world(database_url, tmp_path / "key", WorkerSettings(lease=0.6, rpc_margin=0.05))
    Acceptance(world.at, world.catalogue).submit(superfibre(1))
    inside, go_on = threading.Event(), threading.Event()

    def wait(push: Push) -> Outcome | None:
        if push.target == OLT:
            inside.set()
            assert go_on.wait(20)
            assert push.holds()  # asked by the device's driver right before it commits
        return None

    world.targets.fail = wait
    worker = LaneByLane(world.at)
    for lane in ("orders", "netbox/EAST-07"):
        worker.drain(lane)
    thread = threading.Thread(target=worker.drain, args=(OLT,))
    thread.start()
    assert inside.wait(20)
    with world.at.store.database.read() as tx:
        first = tx.execute(sa.select(schema.lanes.c.until).where(schema.lanes.c.name == OLT)).scalar_one()
    until(lambda: world.clock.real() > first)
    assert take(world, OLT) is None
    go_on.set()
    thread.join()
    assert take(world, OLT) is not None  # given back
    world.at.store.database.close()


def test_a_hold_is_believed_only_as_long_as_both_clocks_say(world: NullWorld) -> None:
    world.at.store.database.change(lambda tx: world.at.store.ensure_lanes(tx, ["OLT"]))
    lease = world.at.store.database.change(lambda tx: lanes.take(tx, "OLT", "a", world.clock.real(), 60))
    assert lease is not None
    holding = Holding(lease, 60, world.clock)
    assert holding.outlasts(50)
    world.clock.skipped = -3600  # set back by an hour: the lease seems to last an hour longer
    assert not holding.outlasts(61)
    world.clock.skipped = 61  # frozen for a minute
    assert not holding.outlasts(0)
    holding.renew(world.at.store.database)
    assert holding.outlasts(50)
    taken = take(world, "OLT", ahead=3600)
    assert taken is not None
    with pytest.raises(LeaseLost):
        holding.renew(world.at.store.database)
    assert not holding.outlasts(0)


# -- clocks ------------------------------------------------------------------------------------------------------------


def test_a_lease_from_before_the_clock_was_set_back_is_over(world: NullWorld) -> None:
    world.at.store.database.change(lambda tx: world.at.store.ensure_lanes(tx, ["OLT"]))
    assert take(world, "OLT") is not None  # and whoever took it dies
    world.clock.skipped = -7200
    with world.at.store.database.write() as tx:
        assert lanes.take(tx, "OLT", "next", world.clock.real(), 30) is not None


def test_what_was_due_by_a_clock_that_was_set_back_is_done(world: NullWorld, acceptance: Acceptance) -> None:
    from datetime import timedelta

    order = acceptance.submit(superfibre(1)).id
    later = superfibre(2).model_copy(update={"requested_start_date": world.clock.now() + timedelta(hours=1)})
    dated = acceptance.submit(later).id
    world.clock.skipped = -7200
    now = world.clock.real()
    with world.at.store.database.write() as tx:
        assert lanes.with_work(tx, now) == set()
        assert lanes.clock_set_back(tx, now) == 1
        assert lanes.with_work(tx, now) == {"orders"}
        due = dict(tx.execute(sa.select(steps.c.root, steps.c.due)).all())
    assert due[order] == now
    assert due[dated] > now + 3600  # a date stays a date


def test_it_is_seen_that_a_clock_is_set_back() -> None:
    offset = [0.0]
    watch = SetBack(lambda: time.monotonic() + offset[0])
    assert not watch.is_set_back()
    offset[0] = -3.0
    assert watch.is_set_back()
    assert not watch.is_set_back()
    offset[0] = 50.0
    assert not watch.is_set_back()


def test_work_goes_on_when_the_clock_is_set_back(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    first = acceptance.submit(superfibre(1)).id
    world.clock.skipped = -7200
    assert work(first).root.state == "completed"


# -- circuit breaker ---------------------------------------------------------------------------------------------------


@pytest.fixture
def silent(world: NullWorld) -> list[Push]:
    """The BNG does not answer; gives the pushes that were tried."""
    tried: list[Push] = []

    def fail(push: Push) -> Outcome | None:
        if push.target != BNG:
            return None
        tried.append(push)
        return refused("no route to host", may_retry=True)

    world.targets.fail = fail
    return tried


def drain_all(world: NullWorld) -> None:
    """Work until nothing is due. A lane whose worker dies of a bug is taken again, as by the executors."""
    worker = LaneByLane(world.at)
    while found := world.at.store.database.look(lambda tx: lanes.with_work(tx, world.clock.real())):
        for lane in sorted(found):
            with contextlib.suppress(ZeroDivisionError):
                worker.drain(lane)


def left_alone(world: NullWorld) -> dict[str, Any]:
    return world.at.store.database.look(lanes.left_alone)


def test_a_target_that_does_not_answer_is_left_alone_and_tried_by_one_order(world: NullWorld, silent: list[Push]) -> None:
    rules = tuple(rule.model_copy(update={"backoff": 6, "backoff_max": 600}) for rule in world.catalogue.failure_policy)
    acceptance = Acceptance(world.at, replace(world.catalogue, failure_policy=rules))
    first = [acceptance.submit(superfibre(number)).id for number in range(4)]
    for _ in range(3):
        drain_all(world)
        world.clock.skipped += 6 if len(silent) == 1 else 12 if len(silent) == 2 else 0
    assert len(silent) == 3
    assert all(_roots(world, push) == set(first) for push in silent)
    open_until, trouble = left_alone(world)[BNG]
    assert open_until > world.clock.real()
    assert trouble.message == "no route to host"
    late = [acceptance.submit(superfibre(number)).id for number in (8, 9)]
    drain_all(world)
    assert len(silent) == 3  # nobody asks it
    shown = document(world.at, world.at.store.tree(late[0]))
    item = next(item for item in shown.items if item.id == "ROI-002")
    assert item.trouble is not None
    assert item.trouble.message == "waits until BNG-EAST-01 answers again: no route to host"
    assert {target.message for target in shown.targets if target.name == BNG} == {item.trouble.message}
    world.clock.skipped += world.at.settings.pause
    drain_all(world)
    assert len(silent) == 4
    assert _roots(world, silent[-1]) == {late[0]}  # one order tries it
    world.targets.fail = lambda _: None
    world.clock.skipped += 600
    drain_all(world)
    assert left_alone(world) == {}
    with world.at.store.database.read() as tx:
        assert set(tx.execute(sa.select(orders.c.state)).scalars()) == {"completed"}


def _roots(world: NullWorld, push: Push) -> set[str]:
    wanted = sa.select(transaction_steps.c.root).where(transaction_steps.c.transaction == push.transaction)
    return world.at.store.database.look(lambda tx: set(tx.execute(wanted).scalars()))


def test_a_target_that_is_slow_does_not_count_netbox_troubles(world: NullWorld) -> None:
    from engine.errors import InventoryUnreachable, TargetUnreachable
    from engine.model import StepResult
    from engine.ports import Trouble

    database = world.at.store.database
    database.change(lambda tx: world.at.store.ensure_lanes(tx, [OLT, "netbox/EAST-07"]))
    netbox = StepResult(StepState.READY, Trouble.of(InventoryUnreachable("gone")))
    device = StepResult(StepState.READY, Trouble.of(TargetUnreachable("gone")))
    for lane, result, counted in ((OLT, netbox, 0), (OLT, device, 1), ("netbox/EAST-07", netbox, 1)):
        lease = take(world, lane, ahead=1e6)
        assert lease is not None
        database.change(lambda tx, lease=lease, result=result: circuit.record(tx, lease, [result], world.at.settings, 0.0))  # type: ignore[misc]
        with database.write() as tx:
            assert lanes.keep(tx, lease, world.clock.real(), 1).failures == counted


# -- crashes -----------------------------------------------------------------------------------------------------------


def test_a_bug_in_a_step_is_held_after_three_times(world: NullWorld, acceptance: Acceptance) -> None:
    """Nothing loops, and the other orders of its batch go on."""

    def fail(push: Push) -> Outcome | None:
        if push.target == OLT and "SI-INT-102/" in push.change.forward:
            raise ZeroDivisionError
        return None

    world.targets.fail = fail
    accepted = [acceptance.submit(superfibre(100 + number)).id for number in range(4)]
    drain_all(world)
    trees = [world.at.store.tree(order) for order in accepted]
    assert [str(tree.root.state) for tree in trees] == ["completed", "completed", "held", "completed"]
    step = trees[2].steps["ROI-001/configure/0"]
    assert step.trouble is not None
    assert step.trouble.code == "STEP_CRASHED"


# -- a database that is gone, or full ----------------------------------------------------------------------------------


def test_a_unit_of_work_is_done_again_from_its_beginning(world: NullWorld) -> None:
    tries: list[int] = []

    def work(unit: Any) -> str:
        world.at.store.ensure_lanes(unit.tx, [f"lane-{len(tries)}"])
        tries.append(1)
        if len(tries) < 3:
            raise StoreUnreachable("gone")
        return "done"

    assert world.at.store.change(work) == "done"
    with world.at.store.database.read() as tx:
        assert tx.exec_driver_sql("select name from lanes").scalars().all() == ["lane-2"]


def test_a_commit_whose_answer_was_lost_is_not_recorded_twice(world: NullWorld, acceptance: Acceptance, monkeypatch: Any) -> None:
    """The connection is lost right after each commit of a settlement: it is repeated, and finds that it was recorded."""
    order = acceptance.submit(superfibre(1)).id
    worker, repeat = LaneByLane(world.at), world.at.store.database.patience.repeat
    lost: list[int] = []

    def lose_the_answer(work: Callable[[], Any]) -> Any:
        if work.__qualname__.startswith("Store.change"):
            work()
            lost.append(1)
        return repeat(work)

    original = worker._settle

    def settle(*arguments: Any) -> int:
        monkeypatch.setattr(world.at.store.database.patience, "repeat", lose_the_answer)
        try:
            return original(*arguments)
        finally:
            monkeypatch.setattr(world.at.store.database.patience, "repeat", repeat)

    monkeypatch.setattr(worker, "_settle", settle)
    for lane in ("orders", "netbox/EAST-07", OLT):
        worker.drain(lane)
    assert len(lost) >= 3
    tree = world.at.store.tree(order)
    assert len(tree.orders) == 3
    assert tree.steps["ROI-001/configure/0"].state is StepState.DONE
    with world.at.store.database.read() as tx:
        told = tx.execute(sa.select(events.c.type, events.c.order, events.c.item, events.c.data)).all()
    seen = [repr(event) for event in told]
    assert len(seen) == len(set(seen))


def test_a_full_disk_keeps_nothing_half(sqlite_world: NullWorld) -> None:
    world = sqlite_world
    acceptance = Acceptance(world.at, world.catalogue)
    first = acceptance.submit(superfibre(1)).id
    full = [True]

    def limit(connection: Any, *_: object) -> None:
        pages = connection.execute("pragma page_count").fetchone()[0]
        connection.execute(f"pragma max_page_count={pages if full[0] else 1000000}")

    engine = world.at.store.database.engine
    sa.event.listen(engine, "checkout", limit)
    with pytest.raises(StoreFull, match="no space left"):  # noqa: PT012 - one of them finds no space
        for number in range(2, 200):
            acceptance.submit(superfibre(number))
    with world.at.store.database.read() as tx:
        stored = set(tx.execute(sa.select(orders.c.id)).scalars())
        assert set(tx.execute(sa.select(steps.c.root)).scalars()) == stored
        assert set(tx.execute(sa.select(events.c.root)).scalars()) == stored
        assert tx.exec_driver_sql("pragma integrity_check").scalar() == "ok"
    full[0] = False
    assert acceptance.submit(superfibre(1)).id == first
    assert acceptance.submit(superfibre(999)).id not in stored


def test_a_database_that_somebody_else_writes_for_too_long_is_busy(sqlite_world: NullWorld) -> None:
    database = sqlite_world.at.store.database
    sa.event.listen(database.engine, "checkout", lambda connection, *_: connection.execute("pragma busy_timeout=20"))
    database.patience = Patience(0.1)
    with closing(sqlite3.connect(str(database.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnreachable, match="gone or busy: database is locked"):
            database.change(lanes.free_all)
        database.look(lambda tx: tx.execute(sa.select(orders.c.id)).all())  # who reads does not wait
    database.change(lanes.free_all)


def test_a_command_does_not_wait_for_ever(tmp_path: Path) -> None:
    database = Database("postgresql://nobody@/nowhere?host=/nonexistent")
    database.patience = Patience(0.1)
    with pytest.raises(StoreError, match="gone or busy"):
        database.look(lambda tx: None)
    stopped = threading.Event()
    database.patience.until(stopped)
    stopped.set()
    with pytest.raises(StoreUnreachable):
        database.change(lambda tx: None)


# -- taking a lane over ------------------------------------------------------------------------------------------------


def test_who_takes_over_knows_the_former_owners_session(world: NullWorld, acceptance: Acceptance, monkeypatch: pytest.MonkeyPatch) -> None:
    order = acceptance.submit(superfibre(1)).id
    resolved: list[Push] = []
    resolve = world.targets.resolve

    def freeze(push: Push) -> Outcome | None:
        if push.target == OLT:
            push.began("17")
            world.targets.fail = lambda _: None
            world.clock.skipped += world.at.settings.lease + 1  # frozen past its lease
            assert LaneByLane(world.at).drain(OLT) > 0
            assert not push.holds()
            with pytest.raises(LeaseLost):
                push.began("18")
        return None

    def note(push: Push) -> Outcome:
        resolved.append(push)
        return resolve(push)

    world.targets.fail = freeze
    monkeypatch.setattr(world.targets, "resolve", note)
    worker = LaneByLane(world.at)
    for lane in ("orders", "netbox/EAST-07"):
        worker.drain(lane)
    assert worker.drain(OLT) == 0  # its results are refused
    assert [push.old_session for push in resolved] == ["17"]
    assert world.at.store.tree(order).steps["ROI-001/configure/0"].state is StepState.DONE


# -- accepting while others do -----------------------------------------------------------------------------------------


def test_the_same_order_submitted_at_the_same_moment_is_one(world: NullWorld, acceptance: Acceptance) -> None:
    with ThreadPoolExecutor(8) as pool:
        same = list(pool.map(lambda _: acceptance.submit(superfibre(1)), range(8)))
        other = list(pool.map(lambda number: acceptance.submit(superfibre(number)), range(2, 10)))
    assert len({accepted.id for accepted in same}) == 1
    assert [accepted.repeated for accepted in same].count(False) == 1
    assert len({accepted.id for accepted in other}) == 8
    with world.at.store.database.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(orders)).scalar() == 9


def test_an_order_whose_commit_was_not_answered_is_accepted_once(
    world: NullWorld, acceptance: Acceptance, monkeypatch: pytest.MonkeyPatch
) -> None:
    repeat, lost = world.at.store.database.patience.repeat, [True]

    def lose_the_answer(work: Callable[[], Any]) -> Any:
        if work.__qualname__.startswith("Database.change") and lost.pop():
            work()
            lost.append(False)
        return repeat(work)

    monkeypatch.setattr(world.at.store.database.patience, "repeat", lose_the_answer)
    accepted = acceptance.submit(superfibre(1))
    with world.at.store.database.read() as tx:
        assert tx.execute(sa.select(orders.c.id)).scalars().all() == [accepted.id]
