"""Orders for later: they wait for their start date, are shown as scheduled, let others go first; and orders that are late."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.acceptance import Acceptance
from engine.cancel import cancel
from engine.overview import Overview
from engine.requests import OrderRequest
from engine.schedule import START, is_scheduled
from engine.states import OrderState
from engine.tree import Tree
from engine.views import document, listed
from tests.null_world import LaneByLane, NullWorld, superfibre
from tests.unit.engine.conftest import Work, worked_until

DAY = timedelta(days=1)


def change(name: str, **more: Any) -> OrderRequest:
    return OrderRequest.model_validate({"externalId": name, "action": "modify", "product": "PI-BB-4821", **more})


def dated(request: OrderRequest, start: datetime | None = None, completion: datetime | None = None) -> OrderRequest:
    return request.model_copy(update={"requested_start_date": start, "requested_completion_date": completion})


def drained(world: NullWorld, order: str) -> Tree:
    """After the lane of new orders was worked."""
    LaneByLane(world.at).drain("orders")
    return world.at.store.tree(order)


def test_an_order_for_tomorrow_begins_tomorrow(world: NullWorld, acceptance: Acceptance) -> None:
    start = world.clock.now() + DAY
    order = acceptance.submit(dated(superfibre(4821), start)).id
    tree = drained(world, order)
    assert (tree.root.state, tree.root.decomposed, is_scheduled(tree.root, world.clock.now())) == ("acknowledged", False, True)
    world.clock.skipped = (DAY - timedelta(minutes=1)).total_seconds()
    assert not drained(world, order).root.decomposed
    world.clock.skipped = DAY.total_seconds()
    tree = drained(world, order)
    assert tree.root.decomposed
    assert tree.root.state is OrderState.IN_PROGRESS


def test_it_looks_again_where_peoples_time_went_slower_than_it_could(world: NullWorld, acceptance: Acceptance) -> None:
    start = world.clock.now() + DAY
    earliest, world.clock.earliest = world.clock.earliest, lambda _: world.clock.real()  # type: ignore[method-assign]
    order = acceptance.submit(dated(superfibre(4821), start)).id
    world.clock.earliest = earliest  # type: ignore[method-assign]
    tree = drained(world, order)
    (step,) = tree.steps.values()
    assert (step.state, step.awaits, step.attempt) == ("waiting", START, 1)
    assert step.evidence.startswith("scheduled for 2024-03-12T")
    assert step.due == pytest.approx(world.clock.real() + DAY.total_seconds(), abs=60)


def test_it_is_shown_as_scheduled(world: NullWorld, acceptance: Acceptance) -> None:
    start = world.clock.now() + DAY
    order = acceptance.submit(dated(superfibre(4821), start, start + DAY)).id
    (head,) = listed(world.at)
    assert (head.scheduled, head.overdue, head.requested_start_date, head.requested_completion_date) == (True, False, start, start + DAY)
    assert document(world.at, world.at.store.tree(order)).order == head
    counts = Overview(world.at.store.database).counts()
    assert (counts.total, counts.scheduled, counts.stopped) == (1, 1, 1)
    assert Overview(world.at.store.database).moving().total == 0
    world.clock.skipped = DAY.total_seconds()
    drained(world, order)
    (head,) = listed(world.at)
    assert not head.scheduled
    assert Overview(world.at.store.database).counts().scheduled == 0
    assert Overview(world.at.store.database).moving().total == 1


def test_an_order_is_overdue_after_its_completion_date(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    world.targets.done = lambda question: question.until != "delivered"
    wanted = world.clock.now() + DAY
    order = acceptance.submit(dated(superfibre(4821), completion=wanted)).id
    assert not listed(world.at)[0].overdue
    world.clock.skipped = (DAY + timedelta(minutes=1)).total_seconds()
    assert listed(world.at)[0].overdue
    world.targets.done = lambda _: True
    assert work(order).root.state is OrderState.COMPLETED
    assert listed(world.at)[0].overdue  # it was late


def test_an_order_that_was_complete_in_time_is_not_overdue_later(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    order = acceptance.submit(dated(superfibre(4821), completion=world.clock.now() + DAY)).id
    assert work(order).root.state is OrderState.COMPLETED
    world.clock.skipped = 2 * DAY.total_seconds()
    assert not listed(world.at)[0].overdue


def test_a_cancelled_order_is_neither_scheduled_nor_overdue(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    start = world.clock.now() + DAY
    order = acceptance.submit(dated(superfibre(4821), start, start + DAY)).id
    cancel(world.at, order, "not wanted any more")
    assert world.at.store.tree(order).root.state is OrderState.CANCELLED
    world.clock.skipped = 3 * DAY.total_seconds()
    head = listed(world.at)[0]
    assert (head.scheduled, head.overdue) == (False, False)


def test_a_change_for_next_month_lets_one_for_today_go_first(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    work(acceptance.submit(superfibre(4821)).id)
    later = acceptance.submit(dated(change("later", characteristics={"ssid": "Later"}), world.clock.now() + 30 * DAY)).id
    today = work(acceptance.submit(change("today", characteristics={"features": "speedTest"})).id)
    assert today.root.state is OrderState.COMPLETED
    world.clock.skipped = 30 * DAY.total_seconds()
    tree = work(later)
    assert tree.root.state is OrderState.COMPLETED
    product = world.at.store.tree(later).instances["PI-BB-4821"]
    assert (product.characteristics["ssid"], product.characteristics["features"]) == ("Later", "speedTest")


def test_a_change_whose_day_has_come_waits_for_one_that_has_begun(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    work(acceptance.submit(superfibre(4821)).id)
    later = acceptance.submit(dated(change("later", characteristics={"features": "speedTest"}), world.clock.now() + DAY)).id
    world.targets.done = lambda question: question.until != "delivered"
    today = acceptance.submit(change("swap", replace=["ont"])).id
    worked_until(world, today, lambda tree: tree.root.state is OrderState.PENDING)
    world.clock.skipped = DAY.total_seconds()
    worked_until(world, later, lambda tree: next(iter(tree.steps.values())).evidence.startswith(f"waits for {today}"))
    world.targets.done = lambda _: True
    world.clock.skipped += timedelta(hours=1).total_seconds()  # it is looked again
    assert work(today).root.state is OrderState.COMPLETED
    assert work(later).root.state is OrderState.COMPLETED


def test_nothing_changes_what_is_only_scheduled_to_be_there(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    first = acceptance.submit(dated(superfibre(4821), world.clock.now() + DAY)).id
    second = acceptance.submit(change("second", characteristics={"ssid": "Nest"})).id
    tree = drained(world, second)
    assert not tree.root.decomposed
    assert next(iter(tree.steps.values())).evidence.startswith(f"waits for {first}")


def test_a_completion_before_the_start_is_refused() -> None:
    start = datetime.fromisoformat("2024-04-01T09:00:00+11:00")
    with pytest.raises(ValueError, match=r"requestedCompletionDate 2024-03-31T09:00:00\+11:00 is before requestedStartDate"):
        change("x", requestedStartDate=start.isoformat(), requestedCompletionDate=(start - DAY).isoformat())
    with pytest.raises(ValueError, match="requestedCompletionDate needs a time zone"):
        change("x", requestedCompletionDate="2024-03-31T09:00:00")
