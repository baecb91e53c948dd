"""Working a lane: take a batch, carry it out, settle it with what it sets free, take the next."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from functools import partial
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
from engine.suspects import Suspects
from engine.together import fused, in_order, together
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


class Later(Enum):
    """The next batch is not known yet."""

    LATER = "later"


LATER = Later.LATER
Next: TypeAlias = Batch | Later | None
Then: TypeAlias = Callable[[Unit, Lease, Collection[str]], Next]
"""What is to be taken next, of these lanes that were woken among others."""
TURN = 16
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
        self._suspects = Suspects(hint)

    def drain(self, lane: str) -> int:
        """Work the lane until nothing is due in it, then one that it woke, and so on until the turn is over, or `stopping` says so: then
        the batch that is being done is finished and the lane given back. Returns how many steps were settled; 0 at once when another
        works the lane, or when as many of its kind as may be are worked. Raises StoreError."""
        settled, turn = 0, iter(range(TURN - 1, -1, -1))
        try:
            batch = self._take(lane)
            while batch is not None:
                done, batch = self._hold(batch, turn)
                settled += done
        finally:
            self._suspects.ended()
        return settled

    def _hold(self, batch: Batch, turn: Iterator[int]) -> tuple[int, Batch | None]:
        """Work a lane that was taken with this batch until it is given back. Returns how many steps were settled, and the batch with
        which another lane was taken instead. `turn` counts down to the last batch."""
        holding, lane, settled, left = batch.holding, batch.lane, 0, 0
        following: Batch | None = batch
        try:
            with self._heartbeat.of(holding):
                while following is not None and following.holding is holding:
                    reached(Failpoint.CLAIMED)
                    self._suspects.begins(following.steps)
                    left = next(turn)
                    done, following = self._carry_out(following, last=left == 0)
                    settled += done
            self._tell_next(lane, over=left == 0)
        except LeaseLost:
            log.info("lane lost", lane=lane, fence=holding.lease.fence)
            return settled, None
        except StoreError:
            raise  # the lane cannot be given back either: its lease ends
        except BaseException:
            self._at.store.database.change(partial(lanes.free, lease=holding.lease))
            raise
        return settled, following

    # -- taking --------------------------------------------------------------------------------------------------------
    def _take(self, lane: str) -> Batch | None:
        """The first batch of a lane; None when there is none, or another works it."""

        def take(unit: Unit) -> Batch | None:
            lease = self._lease(unit, lane)
            batch = self._claim(unit, lease) if lease else None
            return None if batch is LATER else batch

        return self._at.store.change(take)

    def _take_over(self, unit: Unit, woken: Collection[str]) -> Batch | None:
        """The first batch of one of the lanes that were woken, in the transaction that wakes them: its orders are in this process' memory.
        None where another works them or would have to be waited for, who may wait for us."""
        for lane in sorted(woken):
            lease = self._lease(unit, lane, wait=False)
            batch = self._claim(unit, lease, wait=False) if lease else None
            if lease and batch is LATER:
                lanes.free(unit.tx, lease)
            elif batch is not None and batch is not LATER:
                return batch
        return None

    def _lease(self, unit: Unit, lane: str, *, wait: bool = True) -> Lease | None:
        at, owner = self._at, f"{self._name}:{next(self._numbers)}"
        return lanes.take(unit.tx, lane, owner, at.clock.real(), at.settings.lease, limit_of(at.settings), wait=wait)

    def _next(self, holding: Holding, unit: Unit, lease: Lease, woken: Collection[str], *, last: bool, wait: bool = False) -> Next:
        """The next batch of a lane that is held, else of one that was woken; None when there is none, the turn is over (`last`) or the
        worker is to stop: then the lane is free. Without `wait` it is LATER when somebody else is changing one of its orders."""
        if last or self._stopping():
            lanes.free(unit.tx, lease)
            return None
        if lease.open_until > self._at.clock.real():
            lanes.free(unit.tx, lease)
            following: Next = None
        else:
            following = self._claim(unit, lease, wait=wait, holding=holding)
        return self._take_over(unit, woken) if following is None else following

    def _claim(self, unit: Unit, lease: Lease, *, wait: bool = True, holding: Holding | None = None) -> Next:
        """The next steps of a lane. Without them it is given back."""
        at, lane = self._at, lease.lane
        left, found = self._work(unit, lane)
        if left and not wait:
            return LATER
        if left:
            self._again(unit, left)
            _, found = self._work(unit, lane)
        if not found:
            lanes.free(unit.tx, lease)
            return None
        roots = {root for _, root in found}
        trees = unit.trees(roots, wait=wait)
        if len(trees) < len(roots):
            return LATER
        if circuit.on_trial(lease, at.settings):
            found = [(number, root) for number, root in found if root == found[0][1]]
        steps = together([_by_id(trees[root], number) for number, root in found])
        if not self._suspects.may_begin(lane, steps):
            lanes.free(unit.tx, lease)
            return None
        if steps[0].kind in PUSHES and not steps[0].crashes:
            steps += fused([trees[root] for root in sorted({step.root for step in steps})], steps, lane)
        now = at.clock.now()
        trees = {step.root: trees[step.root] for step in steps}
        for step in steps:
            trees[step.root].claim(step, now)
        for tree in trees.values():
            tree.roll(now)
        holding = holding or Holding(lease, at.settings.lease, at.clock)
        batch = Batch(holding, tuple(replace(step) for step in in_order(steps)), trees)
        if steps[0].kind not in PUSHES:
            return batch
        unresolved = at.transactions.unresolved(unit.tx, lane)
        return replace(batch, left=tuple(unresolved), adopted=at.configurations.adopted(unit.tx, lane))

    def _work(self, unit: Unit, lane: str) -> lanes.Work:
        return lanes.work(unit.tx, lane, self._at.clock.real(), self._batch_size(lane))

    def _again(self, unit: Unit, left: Sequence[tuple[int, str]]) -> None:
        """What is running in a lane that is being claimed was left by a former owner, who died or lost the lane: it is done again."""
        trees = unit.trees({root for _, root in left})
        now, real = self._at.clock.now(), self._at.clock.real()
        for number, root in left:
            trees[root].orphaned(_by_id(trees[root], number), now, real)
        for tree in trees.values():
            tree.roll(now)
        unit.save()

    def _tell_next(self, lane: str, *, over: bool) -> None:
        """Who may be worked now that this lane was given back: itself, at the end of the queue, and those that it is limited with."""
        at, limit = self._at, limit_of(self._at.settings)
        if limit.holds_for(lane):
            found = at.store.database.look(lambda tx: lanes.with_work(tx, at.clock.real(), limit))
            self._hint({name for name in found if limit.holds_for(name)})
        elif over:
            self._hint({lane})

    def _batch_size(self, lane: str) -> int:
        system = lane.startswith((circuit.INVENTORY_LANES, circuit.ORDERS_LANE))
        return self._at.settings.batch_systems if system else self._at.settings.batch_targets

    # -- doing and settling --------------------------------------------------------------------------------------------
    def _carry_out(self, batch: Batch, *, last: bool) -> tuple[int, Batch | None]:
        """How many steps were settled, and the next batch of the lane. It is taken in the transaction that settles the last steps of this
        one, unless that would have to wait for somebody who may wait for us."""
        following: Next = LATER
        settled, left = 0, {ref(step) for step in batch.steps}
        for settlement in CARRY_OUT[batch.steps[0].kind](batch, self._at):
            left -= settlement.results.keys()
            count, following = self._settle(batch, settlement, None if left else partial(self._next, batch.holding, last=last))
            settled += count
        if following is LATER:
            after = partial(self._next, batch.holding, woken=(), last=last, wait=True)
            following = self._at.store.change(lambda unit: after(unit, batch.holding.keep(unit.tx)))
        return settled, None if following is LATER else following

    def _settle(self, batch: Batch, settlement: Settlement, then: Then | None) -> tuple[int, Next]:
        """Record what became of steps and wake the lanes that now have work. Raises LeaseLost."""
        tries = itertools.count()
        settled, hot, following = self._at.store.change(lambda unit: self._record(unit, batch, settlement, then, again=next(tries) > 0))
        reached(Failpoint.SETTLED)
        self._hint(hot)
        return settled, following

    def _record(self, unit: Unit, batch: Batch, settlement: Settlement, then: Then | None, *, again: bool) -> tuple[int, set[str], Next]:
        """One transaction: results of steps whose attempt is no longer current are refused, dependants of completed steps become
        ready, order and item states roll up, and the events they cause are written to the outbox.

        `then`: what is to be taken next. `again`: the connection was lost the first time, maybe after the commit; then there is nothing
        left to record.
        """
        at = self._at
        attempts = {ref(step): step.attempt for step in batch.steps}
        lease = batch.holding.keep(unit.tx)
        trees = unit.trees({key.root for key in settlement.results} | settlement.roots)
        current = {key: result for key, result in settlement.results.items() if _is_current(trees[key.root].steps[key.key], attempts[key])}
        if again and settlement.results and not current:
            return 0, self._hot(trees, settlement.results), LATER
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
        unit.save()  # what waits from now on may be woken, too
        turns = decompose.turns_that_came(unit.tx, at, trees, told)
        woken = lanes.wake(unit.tx, turns, real) if turns else set()
        lease = circuit.record(unit.tx, lease, told.values(), at.settings, real)
        reached(Failpoint.SETTLING)
        following: Next = LATER
        hot = self._hot(trees, settlement.results) | woken
        if then is not None:
            following = then(unit, lease, hot)
        taken = following if isinstance(following, Batch) else None
        unit.let_go(besides=taken.trees if taken else ())
        return len(told), hot - {taken.lane} if taken else hot, following

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


def _is_current(step: Step, attempt: int) -> bool:
    return step.state is StepState.RUNNING and step.attempt == attempt


def _by_id(tree: Tree, number: int) -> Step:
    return next(step for step in tree.steps.values() if step.id == number)
