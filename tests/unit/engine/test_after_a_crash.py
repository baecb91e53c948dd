"""What a worker leaves behind when it ends in the middle, and what the next one makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.acceptance import Acceptance
from engine.errors import LeaseLost
from engine.model import StepState
from engine.ports import Outcome, Push, TransactionState, Trouble
from engine.tree import Tree
from engine.worker import Worker
from tests.null_world import NullWorld, refused, superfibre
from tests.unit.engine.draining import drain


class Died(BaseException):
    """The worker's process ended."""


def dies(world: NullWorld, target: str, *, after: bool) -> None:
    """Work all lanes until a worker ends within a transaction on this target: before it was asked, or after it had done it."""
    push: Callable[[Push], Outcome] = world.targets.push

    def die(asked: Push) -> Outcome:
        if asked.target != target:
            return push(asked)
        if after:
            push(asked)
        raise Died

    world.targets.push = die  # type: ignore[method-assign]
    with pytest.raises(Died):
        drain(world)
    world.targets.push = push  # type: ignore[method-assign]


def step(tree: Tree, key: str) -> tuple[StepState, dict[str, str]]:
    """State of a step and what it learned."""
    return tree.steps[key].state, tree.steps[key].learned


class TestTransactionLeftOpen:
    def test_what_the_target_kept_is_not_sent_again_and_what_it_told_is_known(self, world: NullWorld, acceptance: Acceptance) -> None:
        orders = [acceptance.submit(superfibre(number)).id for number in (1, 2)]
        resolve = world.targets.resolve
        world.targets.resolve = lambda push: replace(resolve(push), learned={"": {"id": "SHO-1"}})  # type: ignore[method-assign]
        dies(world, "logistics", after=True)
        drain(world)
        pushed = [push for push in world.targets.pushes if push.target == "logistics"]
        assert len(pushed) == 1
        for order in orders:
            tree = world.at.store.tree(order)
            assert step(tree, "ROI-007/configure/0") == (StepState.DONE, {"id": "SHO-1"})
            assert told(world, order).count(pushed[0].transaction) == 1

    def test_what_the_target_did_not_get_is_sent(self, world: NullWorld, acceptance: Acceptance) -> None:
        order = acceptance.submit(superfibre(1)).id
        dies(world, "logistics", after=False)
        drain(world)
        assert world.at.store.tree(order).root.state == "completed"
        assert len([push for push in world.targets.pushes if push.target == "logistics"]) == 1


def told(world: NullWorld, order: str) -> list[str]:
    """Ids of the transactions that the order's events tell of."""
    from engine.store.schema import events

    with world.at.store.database.read() as tx:
        rows = tx.execute(events.select().where(events.c.root == order, events.c.type == "transaction")).mappings()
        return [row["data"]["id"] for row in rows]


class TestDoneTogether:
    def test_what_was_fused_waits_again_when_the_transaction_failed(self, world: NullWorld, acceptance: Acceptance) -> None:
        order = acceptance.submit(superfibre(1)).id
        world.targets.fail = lambda push: refused("no answer", may_retry=True) if push.target == "OLT-EAST-07" else None
        worker = Worker(world.at, stopping=lambda: True)  # one batch a call: what is to be tried again is not
        for lane in ("orders", "orders", "netbox/EAST-07", "OLT-EAST-07"):
            worker.drain(lane)
        tree = world.at.store.tree(order)
        assert tree.steps["ROI-001/configure/0"].trouble is not None
        assert tree.steps["ROI-001/configure/0"].state is StepState.READY
        assert tree.steps["ROI-002/configure/0"].state is StepState.BLOCKED


class TestLeaseThatWasTooShort:
    def test_it_holds_no_order(self, world: NullWorld, acceptance: Acceptance) -> None:
        order = acceptance.submit(superfibre(1)).id
        lost = Outcome(TransactionState.REVERSED, Trouble.of(LeaseLost("the lease ends before a commit would be over")))
        once = iter([lost])
        world.targets.fail = lambda push: next(once, None) if push.target == "OLT-EAST-07" else None
        drain(world)
        tree = world.at.store.tree(order)
        assert tree.steps["ROI-001/configure/0"].state is StepState.READY
        world.clock.skipped += 5
        drain(world)
        assert world.at.store.tree(order).root.state == "completed"
