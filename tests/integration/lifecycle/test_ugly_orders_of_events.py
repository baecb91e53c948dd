"""Events in the order in which nobody wants them, over the embedded lab. At the end of each story the independent checker finds network,
inventory and orders in agreement (`Storm.end`), and after all lines are given up nothing is left of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from engine.acceptance import Acceptance
from engine.cancel import Cancelled, cancel, undo
from engine.errors import OrderEnded, TurnupError
from engine.model import Step
from engine.requests import OrderRequest
from engine.states import OrderState
from engine.tree import Tree
from tests.chaos.world import patient
from tests.storms.embedded import Labs, LabWorld
from tests.storms.storm import Storm
from tests.storms.story import ASKED, UNTIL_STILL, Fails, Heals, Ordered, Orders, TakesBack, TakesUp, Wish, Works

pytestmark = pytest.mark.timeout(120)

OLT, BNG, RADIUS = "OLT-EAST-07", "BNG-EAST-01", "RADIUS-EAST-01"
STILL = Works(UNTIL_STILL)
A_LINE = (Orders(1, Wish.ADD), STILL)
HELD_UPGRADE = (*A_LINE, Fails(RADIUS, "refuse"), Orders(1, Wish.UPGRADE), STILL)


def undoing(tree: Tree, target: str) -> Sequence[Step]:
    """The steps that take back what the order did to a target."""
    return [step for step in tree.steps.values() if step.target == target and step.key.endswith("/undo")]


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What becomes of calls that begin together: the result or the error of each."""
    barrier = threading.Barrier(len(calls))

    def call(one: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return one()
        except TurnupError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


class TestUndoDuringAnOutage:
    def test_the_device_comes_back_and_the_undo_ends(self, labs: Labs) -> None:
        with labs.storm() as (world, storm):
            storm.acceptance = Acceptance(world.at, patient(world.catalogue))
            storm.play(HELD_UPGRADE)
            assert storm.last().root.state is OrderState.HELD
            world.kill(OLT)
            storm.play([TakesBack(1, "cancel", 0)])
            world.until(lambda: any(step.failures for step in undoing(storm.last(), OLT)))
            assert storm.last().root.state is OrderState.PENDING_CANCELLATION
            world.revive()
            storm.play([Heals(), STILL])
            assert storm.last().root.state is OrderState.CANCELLED
            assert storm.end() == []

    def test_the_device_stays_away_and_nothing_is_forgotten(self, labs: Labs) -> None:
        with labs.storm() as (world, storm):
            storm.play(HELD_UPGRADE)
            world.kill(OLT)
            world.chaos.remote(RADIUS).heal()
            storm.play([TakesBack(1, "cancel", 0), STILL])
            tree = storm.last()
            assert tree.root.state is OrderState.PENDING_CANCELLATION
            assert {str(step.state) for step in undoing(tree, OLT)} <= {"held", "blocked"}
            assert any(step.case for step in undoing(tree, OLT)), "somebody is asked"
            assert {str(step.state) for step in undoing(tree, BNG)} == {"done"}, "the others do not wait"
            world.revive()
            storm.play([TakesUp(), STILL])
            assert storm.last().root.state is OrderState.CANCELLED
            assert storm.end() == []


def test_capacity_that_appears_while_an_order_is_taken_back_is_not_taken(labs: Labs) -> None:
    with labs.storm() as (world, storm):
        storm.play([Fails("netbox", "vlan"), *A_LINE])
        assert "resource exhaustion" in storm.last().root.reason
        world.chaos.remote(OLT).fail("lock", "slow", times=None, seconds=0.5)
        storm.play([TakesBack(1, "undo", 0)])
        world.chaos.remote("netbox").heal()
        somebody_changes_the_vlans(world)
        storm.play([STILL])
        assert storm.last().root.state is OrderState.CANCELLED
        assert storm.end() == []


def somebody_changes_the_vlans(world: LabWorld) -> None:
    """In the group that orders take theirs from: who waits for one hears of it."""
    headers = {"Authorization": f"Token {world.chaos.lab.credentials.netbox_token}"}
    with httpx.Client(base_url=f"{world.chaos.lab.endpoints['netbox'].url}/api", headers=headers, trust_env=False) as client:
        (group,) = client.get("/ipam/vlan-groups/", params={"name": "EAST-07-RES"}).raise_for_status().json()["results"]
        made = client.post("/ipam/vlans/", json={"vid": 4001, "name": "theirs", "group": group["id"]}).raise_for_status().json()
        client.delete(f"/ipam/vlans/{made['id']}/").raise_for_status()


class TestALineThatIsHalfDone:
    def test_is_changed_when_it_is_done(self, labs: Labs) -> None:
        with labs.storm() as (_, storm):
            storm.play([Fails(BNG, "refuse"), *A_LINE, Orders(1, Wish.UPGRADE), STILL])
            (waits,) = storm.last().steps.values()
            assert waits.evidence.startswith(f"waits for {storm.orders[0].id}, which is under way")
            storm.play([Heals(), TakesUp(), STILL])
            assert storm.last().root.state is OrderState.COMPLETED
            assert storm.end() == []

    def test_is_given_up_when_it_is_done(self, labs: Labs) -> None:
        with labs.storm() as (_, storm):
            storm.play([Fails(BNG, "refuse"), *A_LINE, Orders(1, Wish.CEASE), STILL, Heals(), TakesUp(), STILL])
            assert storm.last().root.state is OrderState.COMPLETED
            assert storm.end() == []

    def test_is_taken_back_and_what_waited_for_it_is_in_vain(self, labs: Labs) -> None:
        with labs.storm() as (_, storm):
            storm.play([Fails(BNG, "refuse"), *A_LINE, Orders(1, Wish.CEASE), STILL, Heals(), TakesBack(1, "undo", 1), STILL])
            assert storm.last().root.state is OrderState.FAILED
            assert storm.end() == []


def test_two_changes_at_once_have_their_turn_one_after_the_other(labs: Labs) -> None:
    with labs.storm() as (_, storm):
        storm.play(A_LINE)
        product = storm.products[1]
        wishes = (Wish.UPGRADE, Wish.STATIC)
        requests = [OrderRequest.model_validate({"externalId": f"{product} {wish}", "product": product, **ASKED[wish]}) for wish in wishes]
        accepted = at_once(*[lambda request=request: storm.acceptance.submit(request) for request in requests])
        storm.orders += sorted((Ordered(one.id, 1, wish, product) for one, wish in zip(accepted, wishes, strict=True)), key=lambda o: o.id)
        storm.play([STILL])
        assert [storm.world.at.store.tree(one.id).root.state for one in accepted] == [OrderState.COMPLETED] * 2
        assert storm.end() == []


@pytest.mark.parametrize("progress", [2, 12, 20])
def test_cancelling_races_with_completing_and_one_of_them_wins(labs: Labs, progress: int) -> None:
    with labs.storm() as (world, storm):
        storm.play(A_LINE)
        begun = world.working.settled
        storm.play([Orders(1, Wish.UPGRADE)])
        order = storm.last().root.id
        world.until(lambda: world.working.settled >= begun + progress or storm.last().root.state.final)
        outcomes = at_once(*[lambda: cancel(world.at, order, "changed my mind")] * 2)
        storm.play([STILL])
        state = storm.last().root.state
        if state is OrderState.CANCELLED:
            storm.taken_back.add(order)
            assert all(isinstance(outcome, Cancelled | OrderEnded) for outcome in outcomes)
        else:
            assert state is OrderState.COMPLETED
            assert all(isinstance(outcome, OrderEnded) for outcome in outcomes)
        assert storm.end() == []


def test_an_order_that_two_people_undo_at_once_is_undone_once(labs: Labs) -> None:
    with labs.storm() as (world, storm):
        storm.play([*A_LINE, Orders(1, Wish.UPGRADE), STILL])
        upgrade = storm.orders[-1]
        outcomes = at_once(*[lambda: undo(world.at, storm.acceptance, upgrade.id, "no")] * 2)
        assert len({outcome.id for outcome in outcomes}) == 1, outcomes
        storm.orders.append(Ordered(outcomes[0].id, 1, None, upgrade.product, upgrade.id))
        storm.play([STILL])
        assert storm.last().root.state is OrderState.COMPLETED
        assert storm.end() == []


def test_what_is_used_is_looked_at(labs: Labs) -> None:
    """That a story ends well says something: with a line that nobody knows of it would not."""
    with labs.storm() as (_, storm):
        storm.play(A_LINE)
        forgetful = Storm(storm.world, storm.before, storm.number)
        assert forgetful.findings() != []
        assert storm.end() == []
