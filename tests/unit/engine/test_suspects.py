"""Steps that were being done when workers died: the last time one at a time, so that none is blamed for another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine.acceptance import Acceptance
from engine.model import StepState
from engine.ports import Outcome, Push
from engine.store import lanes
from tests.null_world import LaneByLane, NullWorld, superfibre

OLT, LOGISTICS = "OLT-EAST-07", "logistics"
DEADLY, INNOCENT = "ROI-001/configure/0", "ROI-007/configure/0"


def cut_off(world: NullWorld, order: str, times: dict[str, int]) -> None:
    """Workers died so often while they did these steps."""
    with world.at.store.unit() as unit:
        tree = unit.trees([order])[order]
        for key, count in times.items():
            tree.steps[key].crashes = count
        tree.touch()


def begun(world: NullWorld, acceptance: Acceptance, worker: LaneByLane, times: dict[str, int]) -> str:
    """An order whose first steps at OLT and carrier are ready."""
    order = acceptance.submit(superfibre(1)).id
    for lane in ("orders", "netbox/EAST-07"):
        worker.drain(lane)
    cut_off(world, order, times)
    return order


@contextmanager
def while_the_olt_is_changed(world: NullWorld, worker: LaneByLane) -> Iterator[None]:
    inside, go_on = threading.Event(), threading.Event()

    def wait(push: Push) -> Outcome | None:
        if push.target == OLT:
            inside.set()
            assert go_on.wait(20)
        return None

    world.targets.fail = wait
    thread = threading.Thread(target=worker.drain, args=(OLT,))
    thread.start()
    assert inside.wait(20)
    try:
        yield
    finally:
        go_on.set()
        thread.join()


def test_while_one_is_done_no_other_is_begun(world: NullWorld, acceptance: Acceptance) -> None:
    """So it is not cut off when that one ends the process, and told when it may."""
    hinted: list[set[str]] = []
    worker = LaneByLane(world.at, hinted.append)
    order = begun(world, acceptance, worker, {DEADLY: 2, INNOCENT: 2})
    with while_the_olt_is_changed(world, worker):
        before = world.at.store.tree(order).steps[INNOCENT]
        assert worker.drain(LOGISTICS) == 0
        step = world.at.store.tree(order).steps[INNOCENT]
        assert (step.state, step.attempt) == (StepState.READY, before.attempt)
        lease = world.at.store.database.change(lambda tx: lanes.take(tx, LOGISTICS, "other", world.clock.real(), 1))
        assert lease is not None  # another process may do it
        world.at.store.database.change(lambda tx: lanes.free(tx, lease))
        assert {LOGISTICS} not in hinted
    assert {LOGISTICS} in hinted
    assert worker.drain(LOGISTICS) > 0
    assert world.at.store.tree(order).steps[INNOCENT].state is StepState.DONE


def test_what_was_cut_off_once_hinders_nobody(world: NullWorld, acceptance: Acceptance) -> None:
    """After the death of a worker its lanes are taken over side by side."""
    worker = LaneByLane(world.at)
    order = begun(world, acceptance, worker, {DEADLY: 1, INNOCENT: 1})
    other = threading.Thread(target=worker.drain, args=(LOGISTICS,))
    with while_the_olt_is_changed(world, worker):
        other.start()
        deadline = time.monotonic() + 20
        while world.at.store.tree(order).steps[INNOCENT].state is not StepState.RUNNING:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    other.join()
    assert world.at.store.tree(order).steps[INNOCENT].state is StepState.DONE


def test_one_whose_work_is_lost_hinders_nobody_any_more(world: NullWorld, acceptance: Acceptance) -> None:
    """A mistake in the step, or the database gone: its thread does something else now."""
    worker = LaneByLane(world.at)
    order = begun(world, acceptance, worker, {DEADLY: 2, INNOCENT: 2})

    def mistaken(push: Push) -> Outcome | None:
        if push.target == OLT:
            raise ZeroDivisionError
        return None

    world.targets.fail = mistaken
    died: list[str] = []

    def drain() -> None:
        try:
            worker.drain(OLT)
        except ZeroDivisionError:
            died.append(OLT)

    thread = threading.Thread(target=drain)
    thread.start()
    thread.join()
    assert died == [OLT]
    assert worker.drain(LOGISTICS) > 0
    assert world.at.store.tree(order).steps[INNOCENT].state is StepState.DONE
