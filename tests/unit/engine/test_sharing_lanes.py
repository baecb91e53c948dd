"""Who is served when many want something: limits of batches and of NetBox' lanes, turns, priorities."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from engine.acceptance import Acceptance
from engine.batch import WorkerSettings
from engine.executor import LocalExecutor
from engine.ports import Need, Outcome, Push
from engine.requests import OrderRequest
from engine.store import lanes
from engine.store.lanes import Lease, Limit
from tests.null_world import LaneByLane, NullWorld, null_world, refused, superfibre

OLT = "OLT-EAST-07"
NETBOX = Limit("netbox/", 2)
EXCHANGES = ("netbox/A", "netbox/B", "netbox/C", "netbox/D")


def at_exchange(number: int, exchange: str) -> OrderRequest:
    """An order that takes its resources by the lane of this exchange."""
    asked = superfibre(number)
    return asked.model_copy(update={"address": asked.address.model_copy(update={"exchange": exchange})})


def take(world: NullWorld, lane: str, now: float, limit: Limit = NETBOX) -> Lease | None:
    return world.at.store.database.change(lambda tx: lanes.take(tx, lane, f"worker of {lane}", now, 60, limit))


@pytest.fixture
def exchanges(world: NullWorld) -> NullWorld:
    """A store that has lanes and no steps."""
    world.at.store.database.change(lambda tx: world.at.store.ensure_lanes(tx, [*EXCHANGES, OLT, "netbox-2"]))
    return world


# -- the limit of a system with many lanes -----------------------------------------------------------------------------


def test_of_limited_lanes_only_so_many_are_given_out(exchanges: NullWorld) -> None:
    first, second = take(exchanges, "netbox/A", 100), take(exchanges, "netbox/B", 120)
    assert first is not None
    assert second is not None
    assert take(exchanges, "netbox/C", 130) is None
    assert take(exchanges, OLT, 130) is not None
    assert take(exchanges, "netbox-2", 130) is not None
    assert take(exchanges, "netbox/A", 130) is not None  # who has it takes no room by having it again
    exchanges.at.store.database.change(lambda tx: lanes.free(tx, second))
    assert take(exchanges, "netbox/C", 130) is not None
    assert take(exchanges, "netbox/B", 130) is None


def test_a_dead_worker_takes_no_room_when_its_lease_has_ended(exchanges: NullWorld) -> None:
    for lane in EXCHANGES[:2]:
        assert take(exchanges, lane, 100) is not None
    assert take(exchanges, "netbox/C", 159) is None
    assert take(exchanges, "netbox/C", 161) is not None


def test_the_limit_holds_when_all_ask_at_the_same_moment(exchanges: NullWorld) -> None:
    together = threading.Barrier(len(EXCHANGES))

    def ask(lane: str) -> Lease | None:
        together.wait(10)
        return take(exchanges, lane, 100)

    with ThreadPoolExecutor(len(EXCHANGES)) as pool:
        given = [lease for lease in pool.map(ask, EXCHANGES) if lease is not None]
    assert len(given) == NETBOX.lanes


def test_who_may_not_wait_takes_none_while_another_is_taking_one(postgresql_url: str, tmp_path: Path) -> None:
    """Who settles holds orders that the other may wait for. On SQLite there is one writer at a time."""
    world = null_world(postgresql_url, tmp_path / "secret.key")
    database, now = world.at.store.database, world.clock.real()
    database.change(lambda tx: world.at.store.ensure_lanes(tx, EXCHANGES))
    with closing(database):
        with database.write() as mine:
            assert lanes.take(mine, "netbox/A", "me", now, 60, NETBOX) is not None
            with database.write() as other:
                assert lanes.take(other, "netbox/B", "other", now, 60, NETBOX, wait=False) is None
        with database.write() as other:
            assert lanes.take(other, "netbox/B", "other", now, 60, NETBOX, wait=False) is not None


def test_of_those_with_work_the_ones_that_wait_longest_are_named(world: NullWorld, acceptance: Acceptance) -> None:
    for number, exchange in enumerate("CABD"):
        acceptance.submit(at_exchange(number, exchange))
    for _ in range(2):
        LaneByLane(world.at).drain("orders")
        world.clock.skipped += 1
    now, database = world.clock.real() + 60, world.at.store.database
    assert database.look(lambda tx: lanes.with_work(tx, now)) == {"netbox/A", "netbox/B", "netbox/C", "netbox/D"}
    assert len(database.look(lambda tx: lanes.with_work(tx, now, NETBOX))) == 2
    for number in (11, 12):
        acceptance.submit(at_exchange(number, "E"))
    LaneByLane(world.at).drain("orders")
    assert "netbox/E" not in database.look(lambda tx: lanes.with_work(tx, now, Limit("netbox/", 4)))
    assert take(world, "netbox/A", now) is not None
    assert len(database.look(lambda tx: lanes.with_work(tx, now, NETBOX))) == 1


def test_netbox_is_asked_for_so_many_exchanges_at_once_and_all_are_served(database_url: str, tmp_path: Path) -> None:
    """With a sweep that nobody lives to see: who waits is told when there is room."""
    world = null_world(database_url, tmp_path / "key", WorkerSettings(threads=8, netbox_lanes=2, sweep=60))
    asking, most, guard = set[str](), [0], threading.Lock()
    second = threading.Event()
    reserve = world.inventory.reserve

    def watched(needs: Sequence[Need], *, again: bool = False) -> object:
        with guard:
            asking.add(needs[0].mark.order)
            most[0] = max(most[0], len(asking))
            if len(asking) == 2:
                second.set()
        assert second.wait(20)  # as many as may be do ask at the same time
        with guard:
            asking.discard(needs[0].mark.order)
        return reserve(needs, again=again)

    world.inventory.reserve = watched  # type: ignore[method-assign, assignment]
    acceptance = Acceptance(world.at, world.catalogue)
    accepted = [acceptance.submit(at_exchange(number, f"X{number}")).id for number in range(6)]
    executor = LocalExecutor(world.at)
    executor.start()
    try:
        done(world, accepted)
    finally:
        executor.stop()
        world.at.store.database.close()
    assert most[0] == 2


def done(world: NullWorld, accepted: Sequence[str]) -> None:
    """Wait until these orders are completed."""
    waiting, waited = set(accepted), threading.Event()
    for _ in range(2000):
        waiting -= {order for order in waiting if world.at.store.tree(order).root.state == "completed"}
        if not waiting:
            return
        waited.wait(0.01)
    raise AssertionError(f"still open: {waiting}")


# -- batches and turns -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 50])
def test_a_transaction_carries_so_many_orders(database_url: str, tmp_path: Path, size: int) -> None:
    world = null_world(database_url, tmp_path / "key", WorkerSettings(batch_targets=size))
    acceptance, worker = Acceptance(world.at, world.catalogue), LaneByLane(world.at)
    for number in range(7):
        acceptance.submit(superfibre(100 + number))
    for lane in ("orders", "netbox/EAST-07", OLT):
        worker.drain(lane)
    carried = [customers(push) for push in world.targets.pushes if push.target == OLT]
    world.at.store.database.close()
    assert max(map(len, carried)) == min(size, 7)
    assert {number for numbers in carried for number in numbers} == set(range(100, 107))


def customers(push: Push) -> set[int]:
    """Numbers of the customers whose services a push creates."""
    added, _ = json.loads(push.change.forward)
    return {int(line.split("SI-INT-")[1].split("/")[0]) for line in added if "SI-INT-" in line}


def test_a_lane_with_much_to_do_lets_others_have_their_turn(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one thread for all lanes."""
    monkeypatch.setattr("engine.worker.TURN", 2)
    world = null_world(database_url, tmp_path / "key", WorkerSettings(batch_targets=1, threads=1, sweep=60))
    acceptance, worker = Acceptance(world.at, world.catalogue), LaneByLane(world.at)
    accepted = [acceptance.submit(superfibre(number)).id for number in range(5)]
    for lane in ("orders", "netbox/EAST-07"):
        worker.drain(lane)
    executor = LocalExecutor(world.at)
    executor.start()
    try:
        done(world, accepted)
    finally:
        executor.stop()
        world.at.store.database.close()
    targets = [push.target for push in world.targets.pushes]
    first = targets.index(OLT)
    assert targets[first : first + 2] == [OLT, OLT]
    assert targets[first + 2] != OLT


def test_priorities_and_then_the_time_of_waiting_decide(database_url: str, tmp_path: Path) -> None:
    world = null_world(database_url, tmp_path / "key", WorkerSettings(batch_targets=1))
    acceptance, worker = Acceptance(world.at, world.catalogue), LaneByLane(world.at)
    for number, priority in enumerate((4, 4, 2, 0, 3, 1, 0)):
        acceptance.submit(superfibre(number).model_copy(update={"priority": priority}))
        worker.drain("orders")  # each becomes ready after the one before it
        worker.drain("netbox/EAST-07")
        world.clock.skipped += 1
    worker.drain(OLT)
    order = [min(customers(push)) for push in world.targets.pushes if push.target == OLT]
    world.at.store.database.close()
    assert order == [3, 6, 5, 2, 4, 0, 1]


def test_who_must_try_again_goes_behind_those_who_wait(world: NullWorld, acceptance: Acceptance) -> None:
    """An order with trouble does not keep others of its priority from the device."""
    world.at.settings.__dict__["batch_targets"] = 1
    tried: list[int] = []

    def fail(push: Push) -> Outcome | None:
        if push.target != OLT:
            return None
        tried.extend(customers(push))
        return refused("no answer", may_retry=True) if tried == [0] else None

    world.targets.fail = fail
    for number in range(3):
        acceptance.submit(superfibre(number))
    worker = LaneByLane(world.at)
    for lane in ("orders", "netbox/EAST-07", OLT):
        worker.drain(lane)
    world.clock.skipped += 1
    worker.drain(OLT)
    assert tried == [0, 1, 2, 0]
