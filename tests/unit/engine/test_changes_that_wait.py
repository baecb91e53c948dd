"""Changes of a line that lack a resource, or are refused while they reserve: the line itself loses nothing."""

from __future__ import annotations

import threading

import pytest

from engine.acceptance import Acceptance
from engine.capacity import CapacityWatch
from engine.requests import OrderRequest
from engine.states import OrderState
from engine.store import lanes
from engine.worker import Worker
from tests.null_world import NullWorld, superfibre

STATIC = OrderRequest.model_validate(
    {"externalId": "static", "action": "modify", "product": "PI-BB-4821", "characteristics": {"staticIp": True}}
)


def drain(world: NullWorld) -> None:
    """Work all lanes until nothing is due."""
    worker = Worker(world.at)
    while True:
        with world.at.store.database.read() as tx:
            found = lanes.with_work(tx, world.clock.real())
        if not sum(worker.drain(lane) for lane in sorted(found)):
            return


@pytest.fixture(autouse=True)
def line(world: NullWorld, acceptance: Acceptance) -> None:
    """The worked example, completed."""
    acceptance.submit(superfibre(4821))
    drain(world)


def test_an_address_that_there_is_not_is_waited_for_and_the_line_keeps_its_own(world: NullWorld, acceptance: Acceptance) -> None:
    before = dict(world.inventory.given)
    world.inventory.left["ipv4"] = 0
    order = acceptance.submit(STATIC).id
    drain(world)
    tree = world.at.store.tree(order)
    assert tree.root.state is OrderState.HELD
    assert tree.steps["ROI-003/reserve"].awaits == "ipv4:EAST-07"
    assert world.inventory.given == before
    world.inventory.add("ipv4", 1)
    watch = CapacityWatch(world.at, lambda _: None, threading.Event())
    while watch.look():
        drain(world)
    assert world.at.store.tree(order).root.state is OrderState.COMPLETED
    assert len(world.inventory.given) == len(before)


def test_what_differs_from_what_was_shown_gives_back_its_own_only(world: NullWorld, acceptance: Acceptance) -> None:
    before = dict(world.inventory.given)
    order = acceptance.submit(STATIC, checksum="0" * 16).id
    drain(world)
    tree = world.at.store.tree(order)
    assert tree.root.state in (OrderState.FAILED, OrderState.PARTIAL)
    assert tree.steps["reserve"].trouble is not None
    assert tree.steps["reserve"].trouble.code == "CHECKSUM_MISMATCH"
    assert world.inventory.given == before
    assert {allocation.mark for allocation in tree.allocations.values()} == set(before)
