"""States follow from what changed alone: looking at everything would find nothing more."""

from __future__ import annotations

from datetime import datetime

import pytest

from engine import rolling
from engine.acceptance import Acceptance
from engine.errors import InventoryUnreachable
from engine.ports import CheckResult, Outcome, Push, TransactionState, Trouble
from engine.tree import Tree
from tests.null_world import NullWorld, refused, superfibre
from tests.unit.engine.conftest import Work


@pytest.fixture
def rolled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every roll of a tree is followed by one that looks at everything; what that one still finds."""
    found: list[str] = []
    roll = Tree.roll

    def and_look(tree: Tree, now: datetime) -> None:
        roll(tree, now)
        again = tree.copy()
        rolling.roll(again, now, whole=True)
        found.extend(f"{event.item or event.order}: {event.type} {event.data}" for event in again.events)
        found.extend(f"{key}: {item.trouble}" for key, item in again.items.items() if item.trouble != tree.items[key].trouble)

    monkeypatch.setattr(Tree, "roll", and_look)
    return found


def test_orders_that_complete(rolled: list[str], acceptance: Acceptance, work: Work) -> None:
    for order in [acceptance.submit(superfibre(number)) for number in range(3)]:
        assert work(order.id).root.state == "completed"
    assert rolled == []


@pytest.mark.parametrize("kind", ["olt-port", "vlan", "ipv4", "stock"])
def test_orders_that_are_held_for_want_of_a_resource(
    rolled: list[str], world: NullWorld, acceptance: Acceptance, work: Work, kind: str
) -> None:
    world.inventory.left[kind] = 1
    for order in [acceptance.submit(superfibre(number)) for number in range(2)]:
        work(order.id)
    assert rolled == []


@pytest.mark.parametrize("target", ["OLT-EAST-07", "BNG-EAST-01", "logistics", "ACS-01"])
@pytest.mark.parametrize("may_retry", [True, False])
def test_targets_that_refuse(rolled: list[str], world: NullWorld, acceptance: Acceptance, work: Work, target: str, may_retry: bool) -> None:
    world.targets.fail = lambda push: refused("no", may_retry=may_retry) if push.target == target else None
    work(acceptance.submit(superfibre(1)).id)
    assert rolled == []


def test_a_check_that_fails_for_one_order(rolled: list[str], world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    def one(push: Push) -> Outcome | None:
        failed = tuple(CheckResult(check.step, check.name, False, "not there") for check in push.checks[:1])
        trouble = Trouble.of(InventoryUnreachable("not there"))
        return Outcome(TransactionState.REVERSED, trouble, checks=failed) if push.target == "OLT-EAST-07" and failed else None

    world.targets.fail = one
    for order in [acceptance.submit(superfibre(number)) for number in range(3)]:
        work(order.id)
    assert rolled == []


def test_an_order_that_cannot_be_decomposed_any_more(
    rolled: list[str], world: NullWorld, acceptance: Acceptance, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = acceptance.submit(superfibre(1)).id

    def gone(name: str) -> None:
        raise InventoryUnreachable("no answer")

    monkeypatch.setattr(world.inventory, "site", gone)
    work(order)
    assert rolled == []
