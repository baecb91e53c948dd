"""Working a lane: take a batch, carry it out, settle it with what it sets free, take the next."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from graphlib import TopologicalSorter
from typing import TypeAlias

import structlog

from engine import circuit
from engine.batch import Batch, Holding, Settlement, StepRef, WorkerSettings, Workplace, ref
from engine.errors import LeaseLost, StoreError
from engine.failpoints import Failpoint, reached
from engine.heartbeat import Heartbeat
from engine.model import PUSHES, Step, StepKind, StepResult, StepState
from engine.recall import may_go, take_back
from engine.steps import activate, configure, decompose, release, reserve, wait
from engine.store import lanes
from engine.store.lanes import Lease, Limit
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
    StepKind.REMOVE: configure.carry_out,
    StepKind.RESTORE: configure.carry_out,
    StepKind.RELEASE: release.carry_out,
}
TURN = 8
"""Batches until a lane is given back though it has more: others wait for the thread, too."""


class Worker:
    """Works lanes, one at a time per call. Any number of calls in threads, on PostgreSQL also in processes."""

    def __init__(
        self, at: Workplace, hint: Callable[[set[str]], None] = lambda _: None, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        """`hint` is told which lanes have work; `stopping` is asked between two batches."""
        self._at, self._hint, self._stopping = at, hint, stopping
        self._name, self._numbers = f"{os.uname().nodename}:{os.getpid()}:{secrets.token_hex(4)}", itertools.count(1)
        self._heartbeat = Heartbeat(at.store.database, at.settings.lease / 3)

    def drain(self, lane: str) -> int:
        """Work the lane until nothing is due in it, its turn is over, or `stopping` says so: then the batch that is being done is finished
        and the lane given back. Returns how many steps were settled; 0 at once when another works it, or when as many of its kind as
        may be are worked. Raises StoreError."""
        taken = self._take(lane)
        if taken is None:
            return 0
        holding, batch = taken
        settled = batches = 0
        try:
            with self._heartbeat.of(holding):
                while batch is not None:
                    reached(Failpoint.CLAIMED)
                    settled, batches = settled + self._carry_out(batch), batches + 1
                    batch = self._at.store.change(partial(self._next, holding, last=batches >= TURN))
            self._tell_next(lane, batches)
        except LeaseLost:
            log.info("lane lost", lane=lane, fence=holding.lease.fence)
        except StoreError:
            raise  # the lane cannot be given back either: its lease ends
        except BaseException:
            self._at.store.database.change(partial(lanes.free, lease=holding.lease))
            raise
        return settled

    # -- taking --------------------------------------------------------------------------------------------------------
    def _take(self, lane: str) -> tuple[Holding, Batch | None] | None:
        """The lane and its first batch; None when another works it."""
        at, owner = self._at, f"{self._name}:{next(self._numbers)}"

        def take(unit: Unit) -> tuple[Holding, Batch | None] | None:
            lease = lanes.take(unit.tx, lane, owner, at.clock.real(), at.settings.lease, limit_of(at.settings))
            if lease is None:
                return None
            holding = Holding(lease, at.settings.lease, at.clock)
            return holding, self._claim(unit, holding, lease)

        return at.store.change(take)

    def _next(self, holding: Holding, unit: Unit, *, last: bool) -> Batch | None:
        """The next batch of a lane that is held; None when there is none, its turn is over (`last`) or the worker is to stop: then the
        lane is free."""
        lease = holding.keep(unit.tx)
        if last or lease.open_until > self._at.clock.real() or self._stopping():
            lanes.free(unit.tx, lease)
            return None
        return self._claim(unit, holding, lease)

    def _claim(self, unit: Unit, holding: Holding, lease: Lease) -> Batch | None:
        at, lane = self._at, lease.lane
        self._again(unit, lane)
        found = lanes.next_steps(unit.tx, lane, at.clock.real(), self._batch_size(lane))
        if not found:
            lanes.free(unit.tx, lease)
            return None
        trees = unit.trees({root for _, root in found})
        if circuit.on_trial(lease, at.settings):
            found = [(number, root) for number, root in found if root == found[0][1]]
        steps = _together([_by_id(trees[root], number) for number, root in found])
        if steps[0].kind in PUSHES and not steps[0].crashes:
            steps += fused([trees[root] for root in sorted({step.root for step in steps})], steps, lane)
        now = at.clock.now()
        trees = {step.root: trees[step.root] for step in steps}
        for step in steps:
            trees[step.root].claim(step, now)
        for tree in trees.values():
            tree.roll(now)
        return Batch(holding, tuple(replace(step) for step in in_order(steps)), trees)

    def _again(self, unit: Unit, lane: str) -> None:
        """What is running in a lane that is being claimed was left by a former owner, who died or lost the lane: it is done again."""
        left = lanes.orphans(unit.tx, lane)
        if not left:
            return
        trees = unit.trees({root for _, root in left})
        now, real = self._at.clock.now(), self._at.clock.real()
        for number, root in left:
            trees[root].orphaned(_by_id(trees[root], number), now, real)
        for tree in trees.values():
            tree.roll(now)
        unit.save()

    def _tell_next(self, lane: str, batches: int) -> None:
        """Who may be worked now that this lane was given back: itself, at the end of the queue, and those that it is limited with."""
        at, limit = self._at, limit_of(self._at.settings)
        if limit.holds_for(lane):
            found = at.store.database.look(lambda tx: lanes.with_work(tx, at.clock.real(), limit))
            self._hint({name for name in found if limit.holds_for(name)})
        elif batches >= TURN:
            self._hint({lane})

    def _batch_size(self, lane: str) -> int:
        system = lane.startswith((circuit.INVENTORY_LANES, circuit.ORDERS_LANE))
        return self._at.settings.batch_systems if system else self._at.settings.batch_targets

    # -- doing and settling --------------------------------------------------------------------------------------------
    def _carry_out(self, batch: Batch) -> int:
        settled = 0
        for settlement in CARRY_OUT[batch.steps[0].kind](batch, self._at):
            settled += self._settle(batch, settlement)
        return settled

    def _settle(self, batch: Batch, settlement: Settlement) -> int:
        """Record what became of steps and wake the lanes that now have work. Raises LeaseLost."""
        tries = itertools.count()
        settled, hot = self._at.store.change(lambda unit: self._record(unit, batch, settlement, again=next(tries) > 0))
        reached(Failpoint.SETTLED)
        self._hint(hot)
        return settled

    def _record(self, unit: Unit, batch: Batch, settlement: Settlement, *, again: bool) -> tuple[int, set[str]]:
        """One transaction: results of steps whose attempt is no longer current are refused, dependants of completed steps become
        ready, order and item states roll up, and the events they cause are written to the outbox.

        `again`: the connection was lost the first time, maybe after the commit; then there is nothing left to record.
        """
        at = self._at
        attempts = {ref(step): step.attempt for step in batch.steps}
        lease = batch.holding.keep(unit.tx)
        trees = unit.trees({key.root for key in settlement.results} | settlement.roots)
        current = {key: result for key, result in settlement.results.items() if _is_current(trees[key.root].steps[key.key], attempts[key])}
        if again and settlement.results and not current:
            return 0, self._hot(trees, settlement.results)
        settlement.before(unit.tx, trees)
        now, real = at.clock.now(), at.clock.real()
        told = {key: self._masked(trees[key.root], result) for key, result in current.items()}
        for key, result in told.items():
            trees[key.root].settle(trees[key.root].steps[key.key], result, now, real)
        for key in (key for key, result in told.items() if result.undo and may_go(trees[key.root])):
            tree = trees[key.root]
            take_back(at.catalogue(tree), tree, f"{key.key} failed", now)
        for tree in trees.values():
            tree.roll(now)
        turns = {decompose.turn_of(subscription) for tree in trees.values() if (subscription := ended(tree))}
        woken = lanes.wake(unit.tx, turns, real) if turns else set()
        circuit.record(unit.tx, lease, told.values(), at.settings, real)
        reached(Failpoint.SETTLING)
        unit.let_go()
        return len(told), self._hot(trees, settlement.results) | woken

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


def limit_of(settings: WorkerSettings) -> Limit:
    """NetBox is one system with many lanes."""
    return Limit(circuit.INVENTORY_LANES, settings.netbox_lanes)


def ended(tree: Tree) -> str | None:
    """The subscription of an order that has ended: another order of it may have its turn."""
    return tree.root.subscription if tree.root.state.final else None


def _is_current(step: Step, attempt: int) -> bool:
    return step.state is StepState.RUNNING and step.attempt == attempt


def _together(steps: Sequence[Step]) -> list[Step]:
    """Of these steps, in the order of their turn, those that are done together: of one kind, or all of a transaction. One whose worker
    died before is done by itself, so that it is seen which of a batch does that."""
    first = steps[0]
    kinds = PUSHES if first.kind in PUSHES else (first.kind,)
    return [first] if first.crashes else [step for step in steps if step.kind in kinds and not step.crashes]


def _by_id(tree: Tree, number: int) -> Step:
    return next(step for step in tree.steps.values() if step.id == number)


def fused(trees: Iterable[Tree], steps: Sequence[Step], lane: str) -> list[Step]:
    """Steps of the same lane that only wait for steps of this batch: they can be done in the same commit."""
    found: list[Step] = []
    for tree in trees:
        inside = {step.key for step in steps if step.root == tree.root.id}
        blocked = [s for s in tree.steps.values() if s.state is StepState.BLOCKED and not s.crashes]
        waiting = [s for s in blocked if s.lane == lane and s.kind in PUSHES]
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
