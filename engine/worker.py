"""Working a lane: take a batch, carry it out, settle it with what it sets free, take the next."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import TypeAlias

import structlog

from engine.batch import Batch, Holding, Settlement, StepRef, Workplace, ref
from engine.errors import LeaseLost
from engine.failpoints import Failpoint, reached
from engine.model import Step, StepKind, StepResult, StepState
from engine.steps import activate, configure, decompose, reserve, wait
from engine.store import lanes
from engine.store.store import Unit
from engine.tree import Tree
from engine.vault import mask

log = structlog.get_logger()

CarryOut: TypeAlias = Callable[[Batch, Workplace], Iterator[Settlement]]
CARRY_OUT: Mapping[StepKind, CarryOut] = {
    StepKind.DECOMPOSE: decompose.carry_out,
    StepKind.RESERVE: reserve.carry_out,
    StepKind.CONFIGURE: configure.carry_out,
    StepKind.WAIT: wait.carry_out,
    StepKind.ONLINE: wait.carry_out,
    StepKind.ACTIVATE: activate.carry_out,
}


class Worker:
    """Works lanes, one at a time per call. Any number of calls in threads, on PostgreSQL also in processes."""

    def __init__(self, at: Workplace, hint: Callable[[set[str]], None] = lambda _: None) -> None:
        self._at, self._hint = at, hint
        self._numbers = itertools.count(1)

    def drain(self, lane: str) -> int:
        """Work the lane until nothing is due in it. Returns how many steps were settled; 0 at once when another works it."""
        taken = self._take(lane)
        if taken is None:
            return 0
        holding, batch = taken
        settled = 0
        try:
            while batch is not None:
                reached(Failpoint.CLAIMED)
                settled += self._carry_out(batch)
                with self._at.store.unit() as unit:
                    holding.keep(unit.tx)
                    batch = self._claim(unit, holding)
        except LeaseLost:
            log.info("lane lost", lane=lane, fence=holding.lease.fence)
        return settled

    # -- taking --------------------------------------------------------------------------------------------------------
    def _take(self, lane: str) -> tuple[Holding, Batch | None] | None:
        """The lane and its first batch; None when another works it."""
        at, owner = self._at, f"{os.uname().nodename}:{os.getpid()}:{next(self._numbers)}"
        with at.store.unit() as unit:
            lease = lanes.take(unit.tx, lane, owner, at.clock.real(), at.settings.lease)
            if lease is None:
                return None
            left = lanes.orphans(unit.tx, lane)
            trees = unit.trees({root for _, root in left})
            for number, root in left:
                # the former owner died while it did this: it is done again, under a new attempt
                _by_id(trees[root], number).state = StepState.READY
            unit.save()
            holding = Holding(lease, at.settings.lease, at.clock)
            return holding, self._claim(unit, holding)

    def _claim(self, unit: Unit, holding: Holding) -> Batch | None:
        """The next batch of the lane; None when there is none, then the lane is free."""
        at, lane = self._at, holding.lease.lane
        device = not lane.startswith(("netbox/", decompose.ORDERS_LANE))
        limit = at.settings.batch_targets if device else at.settings.batch_systems
        found = lanes.next_steps(unit.tx, lane, at.clock.real(), limit)
        if not found:
            lanes.free(unit.tx, holding.lease)
            return None
        trees = unit.trees({root for _, root in found})
        first = [_by_id(trees[root], number) for number, root in found]
        steps = [step for step in first if step.kind is first[0].kind]
        if first[0].kind is StepKind.CONFIGURE:
            steps += fused(trees.values(), steps, lane)
        now = at.clock.now()
        for step in steps:
            trees[step.root].claim(step, now)
        for tree in trees.values():
            tree.roll(now)
        return Batch(holding, tuple(replace(step) for step in in_order(steps)), trees)

    # -- doing and settling --------------------------------------------------------------------------------------------
    def _carry_out(self, batch: Batch) -> int:
        settled = 0
        for settlement in CARRY_OUT[batch.steps[0].kind](batch, self._at):
            settled += self._settle(batch, settlement)
        return settled

    def _settle(self, batch: Batch, settlement: Settlement) -> int:
        """Record what became of steps and wake the lanes that now have work.

        One transaction: results of steps whose attempt is no longer current are refused, dependants of completed steps become
        ready, order and item states roll up, and the events they cause are written to the outbox. Raises LeaseLost.
        """
        at = self._at
        attempts = {ref(step): step.attempt for step in batch.steps}
        settled = 0
        with at.store.unit() as unit:
            batch.holding.keep(unit.tx)
            trees = unit.trees({key.root for key in settlement.results})
            settlement.before(unit.tx, trees)
            now, real = at.clock.now(), at.clock.real()
            for key, result in settlement.results.items():
                step = trees[key.root].steps[key.key]
                if step.state is StepState.RUNNING and step.attempt == attempts[key]:
                    trees[key.root].settle(step, self._masked(trees[key.root], result), now, real)
                    settled += 1
            for tree in trees.values():
                tree.roll(now)
            hot = self._hot(trees, settlement.results)
            reached(Failpoint.SETTLING)
        reached(Failpoint.SETTLED)
        self._hint(hot)
        return settled

    def _hot(self, trees: Mapping[str, Tree], results: Mapping[StepRef, StepResult]) -> set[str]:
        real = self._at.clock.real()
        roots = {key.root for key in results}
        return {
            step.lane
            for root in roots
            for step in trees[root].steps.values()
            if step.lane and step.state is StepState.READY and step.due <= real
        }

    def _masked(self, tree: Tree, result: StepResult) -> StepResult:
        """What devices and systems say may repeat a secret."""
        if result.trouble is None and not result.evidence:
            return result
        hidden = self._at.secrets([tree])
        trouble = result.trouble and replace(result.trouble, message=mask(result.trouble.message, hidden))
        return replace(result, trouble=trouble, evidence=mask(result.evidence, hidden))


def _by_id(tree: Tree, number: int) -> Step:
    return next(step for step in tree.steps.values() if step.id == number)


def fused(trees: Iterable[Tree], steps: Sequence[Step], lane: str) -> list[Step]:
    """Steps of the same lane that only wait for steps of this batch: they can be done in the same commit."""
    found: list[Step] = []
    for tree in trees:
        inside = {step.key for step in steps if step.root == tree.root.id}
        waiting = [s for s in tree.steps.values() if s.lane == lane and s.kind is StepKind.CONFIGURE and s.state is StepState.BLOCKED]
        while more := [s for s in waiting if s.key not in inside and _only_needs(tree, s, inside)]:
            found += more
            inside |= {step.key for step in more}
    return found


def _only_needs(tree: Tree, step: Step, inside: set[str]) -> bool:
    return all(key in inside or tree.steps[key].state is StepState.DONE for key in step.needs)


def in_order(steps: Sequence[Step]) -> list[Step]:
    """Dependencies first; otherwise in the order in which they were claimed."""
    by_ref = {ref(step): step for step in steps}
    graph = {key: [StepRef(key.root, need) for need in step.needs if StepRef(key.root, need) in by_ref] for key, step in by_ref.items()}
    return [by_ref[key] for key in TopologicalSorter(graph).static_order()]
