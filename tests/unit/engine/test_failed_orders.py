"""What becomes of an order that fails, and of what it was to make: states of orders, services and products."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.acceptance import Acceptance, Accepted
from engine.cancel import undo
from engine.catalogue.models import FailureRule
from engine.requests import OrderRequest
from engine.states import OrderState
from engine.tree import Tree
from tests.null_world import NullWorld, refused, superfibre
from tests.unit.engine.conftest import Work

BNG, OLT, ACS = "BNG-EAST-01", "OLT-EAST-07", "ACS-01"


@pytest.fixture
def strict(world: NullWorld) -> Acceptance:
    """A catalogue by which nobody is asked: what is refused has failed."""
    rule = FailureRule(error="refused", then="fail")
    return Acceptance(world.at, replace(world.catalogue, failure_policy=(rule, *world.catalogue.failure_policy)))


def change(name: str, **more: Any) -> OrderRequest:
    return OrderRequest.model_validate({"externalId": name, "action": "modify", "product": "PI-BB-4821", **more})


def states(tree: Tree) -> dict[str, str]:
    return {instance.specification: str(instance.state) for instance in tree.instances.values()}


# -- changes -------------------------------------------------------------------------------------------------------------


def test_a_change_that_is_refused_before_anything_was_done_has_failed(world: NullWorld, strict: Acceptance, work: Work) -> None:
    work(strict.submit(superfibre(4821)).id)
    world.targets.fail = lambda push: refused("no")
    tree = work(strict.submit(change("ssid", characteristics={"ssid": "Nest"})).id)
    assert {str(order.state) for order in tree.orders.values()} == {"failed"}
    assert {str(i.state) for i in tree.items.values() if i.action == "modify"} == {"failed"}
    assert {str(i.state) for i in tree.items.values() if i.action == "noChange"} == {"completed"}
    assert set(states(tree).values()) == {"active"}
    assert tree.instances["PI-BB-4821"].characteristics["ssid"] == "SmithHome"


def test_a_change_of_which_a_part_was_done_is_partial(world: NullWorld, strict: Acceptance, work: Work) -> None:
    work(strict.submit(superfibre(4821)).id)
    world.targets.fail = lambda push: refused("no") if push.target == ACS else None
    tree = work(strict.submit(change("both", offering="PO-SF500", characteristics={"ssid": "Nest"})).id)
    assert tree.root.state is OrderState.PARTIAL


def test_a_change_of_nothing_is_complete(world: NullWorld, strict: Acceptance, work: Work) -> None:
    work(strict.submit(superfibre(4821)).id)
    tree = work(strict.submit(change("same", characteristics={"ssid": "SmithHome"})).id)
    assert {str(order.state) for order in tree.orders.values()} == {"completed"}


# -- new lines -----------------------------------------------------------------------------------------------------------


def test_what_a_failed_order_was_to_make_has_ended(world: NullWorld, strict: Acceptance, work: Work) -> None:
    world.targets.fail = lambda push: refused("no")
    tree = work(strict.submit(superfibre(4821)).id)
    assert tree.root.state is OrderState.FAILED
    found = states(tree)
    assert found.pop("PS-RBA-01") == "aborted"
    assert set(found.values()) == {"terminated"}


@pytest.mark.parametrize("refuses", [OLT, BNG])
def test_it_is_there_to_be_taken_back_as_long_as_it_holds_something(world: NullWorld, strict: Acceptance, work: Work, refuses: str) -> None:
    world.targets.fail = lambda push: refused("no") if push.target == refuses else None
    tree = work(strict.submit(superfibre(4821)).id)
    internet = tree.instances["SI-INT-4821"]
    assert internet.ended is None
    assert str(internet.state) == ("terminated" if refuses == OLT else "inactive")  # a part of it stands on the OLT
    assert world.inventory.given
    world.targets.fail = lambda _: None
    taken_back = undo(world.at, strict, tree.root.id, "it failed")
    assert isinstance(taken_back, Accepted)
    tree = work(taken_back.id)
    assert tree.root.state is OrderState.COMPLETED
    assert {target for target, lines in world.targets.lines.items() if lines} == {"logistics"}
    assert world.inventory.given == {}
    assert all(instance.ended for instance in tree.instances.values())


def test_nothing_is_left_of_an_order_that_failed_before_it_took_anything(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    order = acceptance.submit(superfibre(4821), checksum="0123456789abcdef").id
    tree = work(order)
    assert tree.root.state is OrderState.FAILED
    assert world.inventory.given == {}
    assert all(instance.ended for instance in tree.instances.values()), states(tree)
    found = states(tree)
    assert found.pop("PS-RBA-01") == "aborted"
    assert set(found.values()) == {"terminated"}
