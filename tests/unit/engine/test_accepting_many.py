"""Many orders in one write: each is told of by itself, and none is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from engine.acceptance import Acceptance, Accepted
from engine.errors import DuplicateOrder, TurnupError, UnknownSpecification
from engine.requests import OrderRequest
from engine.states import OrderState
from engine.store.schema import orders
from tests.null_world import NullWorld, superfibre
from tests.unit.engine.conftest import Work


def accepted_ids(world: NullWorld) -> list[str]:
    with world.at.store.database.read() as tx:
        return list(tx.execute(sa.select(orders.c.external_id).order_by(orders.c.id)).scalars())


def same_customer(number: int, *external_ids: str) -> list[OrderRequest]:
    return [superfibre(number).model_copy(update={"external_id": name}) for name in external_ids]


def test_each_order_is_told_of_in_its_place(world: NullWorld, acceptance: Acceptance) -> None:
    before = acceptance.submit(superfibre(1))
    unknown = superfibre(3).model_copy(update={"offering": "PO-SF200X"})
    told = acceptance.submit_many(
        [superfibre(2), unknown, superfibre(1), superfibre(1, ssid="Other"), superfibre(2), superfibre(2, ssid="Other"), superfibre(4)]
    )
    assert told[0] == Accepted("PO-2024-00848", "SF200-2", repeated=False)
    assert isinstance(told[1], UnknownSpecification)
    assert told[2] == Accepted(before.id, "SF200-1", repeated=True)
    assert isinstance(told[3], DuplicateOrder)
    assert told[4] == Accepted("PO-2024-00848", "SF200-2", repeated=True)
    assert isinstance(told[5], DuplicateOrder)
    assert told[6] == Accepted("PO-2024-00849", "SF200-4", repeated=False)
    assert accepted_ids(world) == ["SF200-1", "SF200-2", "SF200-4"]


def test_nothing_to_submit(acceptance: Acceptance) -> None:
    assert acceptance.submit_many([]) == []


def test_all_complete(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    told = acceptance.submit_many([superfibre(number) for number in range(30)])
    trees = [work(order.id) for order in told if isinstance(order, Accepted)]
    assert len(trees) == 30
    assert {tree.root.state for tree in trees} == {OrderState.COMPLETED}


def test_lines_of_one_customer_accepted_and_decomposed_together(acceptance: Acceptance, work: Work) -> None:
    told = acceptance.submit_many(same_customer(1, "first", "second", "third"))
    found = [sorted(work(order.id).instances) for order in told if isinstance(order, Accepted)]
    assert [ids[1] for ids in found] == ["SI-CPE-1", "SI-CPE-1-2", "SI-CPE-1-3"]
    assert [ids[0] for ids in found] == ["PI-BB-1", "PI-BB-1-2", "PI-BB-1-3"]


def test_more_lines_of_one_customer_than_are_looked_for_at_once(acceptance: Acceptance, world: NullWorld) -> None:
    acceptance.submit_many(same_customer(1, *(f"line-{number}" for number in range(20))))
    last = acceptance.submit(same_customer(1, "last")[0])
    assert list(world.at.store.tree(last.id).instances) == ["PI-BB-1-21"]


def test_who_was_faster_with_one_of_them(world: NullWorld, acceptance: Acceptance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and writing another process accepted one of the orders: that one is answered, the others are stored."""
    look, looked = acceptance._earlier, []

    def too_early(requests: Sequence[OrderRequest]) -> dict[str, Accepted | TurnupError]:
        looked.append(len(requests))
        found = look(requests)
        if len(looked) == 1:
            Acceptance(world.at, world.catalogue).submit(superfibre(2))
        return found

    monkeypatch.setattr(acceptance, "_earlier", too_early)
    told = acceptance.submit_many([superfibre(1), superfibre(2), superfibre(3)])
    assert [order.repeated for order in told if isinstance(order, Accepted)] == [False, True, False]
    assert sorted(accepted_ids(world)) == ["SF200-1", "SF200-2", "SF200-3"]


def test_a_commit_that_was_not_answered_accepts_each_once(
    world: NullWorld, acceptance: Acceptance, monkeypatch: pytest.MonkeyPatch
) -> None:
    repeat, lost = world.at.store.database.patience.repeat, [True]

    def lose_the_answer(work: Callable[[], Any]) -> Any:
        if work.__qualname__.startswith("Database.change") and lost.pop():
            work()
            lost.append(False)
        return repeat(work)

    monkeypatch.setattr(world.at.store.database.patience, "repeat", lose_the_answer)
    told = acceptance.submit_many([superfibre(number) for number in range(5)])
    assert [order.repeated for order in told if isinstance(order, Accepted)] == [True] * 5
    assert len(accepted_ids(world)) == 5
