"""Changes and cancellations of orders that lack a resource: nobody loses what is his, and what is given up goes to who waits."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from engine.acceptance import Acceptance
from engine.cancel import cancel
from engine.capacity import CapacityWatch
from engine.model import Order
from engine.requests import OrderRequest
from engine.states import OrderState
from engine.steps import decompose
from engine.store import lanes
from engine.store.schema import steps
from engine.store.store import Subscription
from tests.null_world import LaneByLane, NullWorld, superfibre
from tests.unit.engine.draining import drain

STATIC = OrderRequest.model_validate(
    {"externalId": "static", "action": "modify", "product": "PI-BB-4821", "characteristics": {"staticIp": True}}
)


def settle(world: NullWorld) -> None:
    """Let those who wait ask, and work, until nothing happens any more."""
    watch = CapacityWatch(world.at, lambda _: None, threading.Event())
    while watch.look():
        drain(world)


def state(world: NullWorld, order: str) -> OrderState:
    return world.at.store.tree(order).root.state


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
    settle(world)
    assert state(world, order) is OrderState.COMPLETED
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


def waiting(world: NullWorld, acceptance: Acceptance) -> list[str]:
    """Three orders: the first has the last port, two wait."""
    world.inventory.left["olt-port"] = 1
    orders = [acceptance.submit(superfibre(number)).id for number in (1, 2, 3)]
    drain(world)
    settle(world)
    assert [state(world, order) for order in orders] == [OrderState.COMPLETED, OrderState.HELD, OrderState.HELD]
    return orders


def test_who_no_longer_waits_is_passed_over(world: NullWorld, acceptance: Acceptance) -> None:
    _, second, third = waiting(world, acceptance)
    cancel(world.at, second, "moved away", recall=True)
    drain(world)
    world.inventory.add("olt-port", 1)
    world.clock.skipped += world.at.settings.watch
    settle(world)
    assert state(world, third) is OrderState.COMPLETED
    assert state(world, second) is OrderState.CANCELLED
    assert not [mark for mark in world.inventory.given if mark.order in world.at.store.tree(second).orders and mark.name == "port"]


def test_who_is_cancelled_while_asking_gives_it_to_the_next(world: NullWorld, acceptance: Acceptance) -> None:
    """It is cancelled while NetBox is asked, and gets the port all the same."""
    _, second, third = waiting(world, acceptance)
    world.inventory.add("olt-port", 1)
    world.clock.skipped += world.at.settings.watch

    def cancelled() -> None:
        world.inventory.trouble = lambda: None
        cancel(world.at, second, "moved away", recall=True)

    world.inventory.trouble = cancelled
    settle(world)
    drain(world)
    settle(world)
    assert (state(world, second), state(world, third)) == (OrderState.CANCELLED, OrderState.COMPLETED)


def test_what_a_line_that_ends_gives_back_goes_to_who_waits(world: NullWorld, acceptance: Acceptance) -> None:
    _, second, third = waiting(world, acceptance)
    end = {"externalId": "end", "action": "delete", "product": "PI-BB-4821"}
    order = acceptance.submit(OrderRequest.model_validate(end)).id
    drain(world)
    settle(world)
    assert [state(world, name) for name in (order, second, third)] == [OrderState.COMPLETED, OrderState.COMPLETED, OrderState.HELD]


# -- turns ---------------------------------------------------------------------------------------------------------------


def ended(world: NullWorld, acceptance: Acceptance, *names: str) -> list[str]:
    """Orders that end the line, one after the other."""
    asked = [{"externalId": name, "action": "delete", "product": "PI-BB-4821"} for name in names]
    return [acceptance.submit(OrderRequest.model_validate(each)).id for each in asked]


def test_who_waits_behind_one_that_is_done_together_with_him_has_his_turn_at_once(world: NullWorld, acceptance: Acceptance) -> None:
    """The second and the third look in one batch: the second fails, as the line has ended, and the third need not look later."""
    orders = ended(world, acceptance, "first", "second", "third")
    drain(world)
    assert [state(world, order) for order in orders] == [OrderState.COMPLETED, OrderState.FAILED, OrderState.FAILED]


def test_who_was_ahead_may_end_while_it_is_looked_whether_he_has(
    world: NullWorld, acceptance: Acceptance, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = ended(world, acceptance, "first")
    LaneByLane(world.at).drain("orders")
    (second,) = ended(world, acceptance, "second")
    looked = decompose.waits_for

    def meanwhile(subscription: Subscription, order: str) -> Order | None:
        found = looked(subscription, order)
        if order == second and found is not None:
            monkeypatch.setattr(decompose, "waits_for", looked)
            cancel(world.at, first, "changed my mind", recall=True)
            drain(world)
            assert state(world, first) is OrderState.CANCELLED
        return found

    monkeypatch.setattr(decompose, "waits_for", meanwhile)
    LaneByLane(world.at).drain("orders")
    drain(world)
    assert state(world, second) is OrderState.COMPLETED


def test_a_step_that_was_told_is_not_made_to_wait_by_what_else_is_written(world: NullWorld, acceptance: Acceptance) -> None:
    """Who tells writes past the trees: in memory the step still waits."""
    first, second = ended(world, acceptance, "first", "second")
    LaneByLane(world.at).drain("orders")
    now = world.clock.real()
    with world.at.store.unit() as unit:
        tree = unit.trees([second])[second]
        step = tree.steps[f"{second}/decompose"]
        assert step.due > now + 10
        assert lanes.wake(unit.tx, [step.awaits or ""], now) == {"orders"}
        step.priority = 1
        other = unit.trees([first])[first].steps[f"{first}/decompose"]
        other.due = now + 5
    with world.at.store.database.read() as tx:
        assert tx.execute(sa.select(steps.c.due).where(steps.c.root == second)).scalar_one() == now
