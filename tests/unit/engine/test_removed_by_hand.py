"""Removals and restorations that stand still, and what somebody says about them: it was done by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.acceptance import Acceptance
from engine.cancel import cancel
from engine.fallout.case import Answer, Case
from engine.fallout.desk import Desk
from engine.requests import OrderRequest
from engine.states import OrderState
from tests.null_world import NullWorld, refused, superfibre
from tests.unit.engine.conftest import Work
from tests.unit.engine.test_fallout_cases import listed

SWITCH = "ASW-EAST-07"


def change(action: str, **more: Any) -> OrderRequest:
    return OrderRequest.model_validate({"externalId": f"{action}-1", "action": action, "product": "PI-BB-4821", **more})


@pytest.fixture
def desk(world: NullWorld) -> Desk:
    return Desk(world.at.store)


@pytest.fixture
def stuck(world: NullWorld, acceptance: Acceptance, work: Work) -> Case:
    """A line that ends, at a switch that refuses."""
    work(acceptance.submit(superfibre(4821)).id)
    world.targets.fail = lambda push: refused("read-only") if push.target == SWITCH else None
    assert work(acceptance.submit(change("delete")).id).root.state is OrderState.HELD
    (case,) = listed(world)
    assert (case.kind, case.target) == ("remove", SWITCH)
    return case


def test_what_was_removed_by_hand_is_believed_when_it_is_gone(world: NullWorld, desk: Desk, stuck: Case, work: Work) -> None:
    assert [choice.answer for choice in stuck.answers][:2] == [Answer.RETRY, Answer.DONE]
    sent = len(world.targets.pushes)
    world.targets.lines[SWITCH].clear()
    desk.answer(stuck.id, Answer.DONE, "jane")
    tree = work(stuck.root)
    assert tree.root.state is OrderState.COMPLETED
    assert SWITCH not in {push.target for push in world.targets.pushes[sent:]}
    with world.at.store.database.read() as tx:
        assert world.at.configurations.applied(tx, SWITCH, ["SI-INT-4821/RFS:VLAN-Service"]) == {}


def test_what_is_there_still_is_not_believed_to_be_gone(world: NullWorld, desk: Desk, stuck: Case, work: Work) -> None:
    desk.answer(stuck.id, Answer.DONE, "jane")
    assert work(stuck.root).root.state is OrderState.HELD
    (case,) = listed(world)
    assert case.trouble is not None
    assert (case.trouble.code, case.follows) == ("NOT_AS_SAID", stuck.id)
    assert f"{SWITCH} holds still what was to go: - " in case.trouble.message
    world.targets.fail = lambda _: None
    desk.answer(case.id, Answer.RETRY, "jane")
    assert work(stuck.root).root.state is OrderState.COMPLETED
    assert not world.targets.lines[SWITCH]


def test_what_others_state_need_not_be_gone(world: NullWorld, acceptance: Acceptance, desk: Desk, work: Work) -> None:
    for number in (4821, 4822):
        work(acceptance.submit(superfibre(number)).id)
    world.targets.fail = lambda push: refused("read-only") if push.target == SWITCH else None
    order = acceptance.submit(change("delete")).id
    work(order)
    (case,) = listed(world)
    world.targets.lines[SWITCH] = {line for line in world.targets.lines[SWITCH] if "4821" not in line}
    assert any(line.startswith("shared") for line in world.targets.lines[SWITCH])
    desk.answer(case.id, Answer.DONE, "jane")
    assert work(order).root.state is OrderState.COMPLETED


def test_what_was_put_back_by_hand_is_believed_when_it_is_so(world: NullWorld, acceptance: Acceptance, desk: Desk, work: Work) -> None:
    work(acceptance.submit(superfibre(4821)).id)
    before = set(world.targets.lines["BNG-EAST-01"])
    world.targets.fail = lambda push: refused("no") if push.target == "RADIUS-EAST-01" else None
    order = acceptance.submit(change("modify", offering="PO-SF500")).id
    assert work(order).root.state is OrderState.HELD
    world.targets.fail = lambda push: refused("read-only") if push.target == "BNG-EAST-01" else None
    cancel(world.at, order, "no")
    assert work(order).root.state is OrderState.PENDING_CANCELLATION
    (case,) = listed(world)
    assert (case.kind, case.target) == ("restore", "BNG-EAST-01")
    world.targets.lines["BNG-EAST-01"] = set(before)
    desk.answer(case.id, Answer.DONE, "jane")
    assert work(order).root.state is OrderState.CANCELLED


def test_a_change_that_was_made_by_hand_is_no_drift(world: NullWorld, acceptance: Acceptance, desk: Desk, work: Work) -> None:
    """What somebody changed on the device is what the order wants there."""
    work(acceptance.submit(superfibre(4821)).id)
    world.targets.fail = lambda push: refused("read-only") if push.target == "BNG-EAST-01" else None
    order = acceptance.submit(change("modify", offering="PO-SF500")).id
    assert work(order).root.state is OrderState.HELD
    (case,) = listed(world)
    refusals = [push for push in world.targets.pushes if push.target == "BNG-EAST-01"]
    added, removed = json.loads(refusals[-1].change.forward)
    world.targets.lines["BNG-EAST-01"] = world.targets.lines["BNG-EAST-01"] - set(removed) | set(added)
    desk.answer(case.id, Answer.DONE, "jane")
    tree = work(order)
    assert tree.root.state is OrderState.COMPLETED, [(step.key, step.trouble) for step in tree.steps.values() if step.trouble]
