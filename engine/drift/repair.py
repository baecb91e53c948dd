"""Putting back what somebody else changed: planned first, then sent exactly as it was shown, in transactions written ahead.

A repair works its target's lane like a worker: with a lease, a fence and a heartbeat, and never beside one.
"""

from __future__ import annotations

import os
import secrets
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from engine.batch import Holding, Workplace
from engine.context import Scope as Context
from engine.drift.before import way_back
from engine.drift.check import Compared, Scope, differing
from engine.drift.compare import DriftKind, NodeDrift, summary
from engine.drift.policy import DriftPolicy, policy_of
from engine.errors import ChecksumMismatch, StoreError, TargetLocked, TurnupError
from engine.failpoints import Failpoint, reached
from engine.heartbeat import Heartbeat
from engine.model import StepKind
from engine.ports import Change, CheckRequest, Fragment, Node, Outcome, Push, Site, TransactionState, Trouble
from engine.steps.wanted import own_key
from engine.store import lanes, stated
from engine.store.store import Unit
from engine.store.transactions import OpenTransaction
from engine.tree import Tree

log = structlog.get_logger()

_PAUSE = 0.1


@dataclass(frozen=True)
class Mending:
    """One transaction of a repair: the change, the fragments that it puts back, and what they lacked."""

    change: Change
    fragments: tuple[Fragment, ...]
    nodes: tuple[NodeDrift, ...]


@dataclass(frozen=True)
class RepairPlan:
    """What would be sent to one target. `left`: what stays, and why."""

    scope: Scope
    mendings: tuple[Mending, ...] = ()
    left: str = ""
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Repaired:
    """What became of a plan: the transactions with their states, and what stopped it."""

    plan: RepairPlan
    transactions: tuple[tuple[str, TransactionState], ...] = ()
    trouble: Trouble | None = None

    @property
    def done(self) -> bool:
        """Whether all of it was confirmed."""
        return self.trouble is None and len(self.transactions) == len(self.plan.mendings)


def plan(at: Workplace, scope: Scope, *, remove_extra: bool = False) -> RepairPlan:
    """What leads back. Sends nothing. Raises StoreError alone."""
    if policy_of(at.settings.drift, scope.target, scope.platform) is DriftPolicy.REPORT:
        return RepairPlan(scope, left="the drift policy leaves it to a person")
    try:
        found = tuple(_mendings(at, scope, remove_extra=remove_extra))
    except StoreError:
        raise
    except TurnupError as error:
        return RepairPlan(scope, trouble=Trouble.of(error))
    staying = [node for mending in found for node in mending.nodes if node.kind is DriftKind.EXTRA and not remove_extra]
    left = f"{summary(staying)}: `--remove-extra` takes it away" if staying else ""
    return RepairPlan(scope, tuple(mending for mending in found if mending.change), left)


def _mendings(at: Workplace, scope: Scope, *, remove_extra: bool) -> Iterator[Mending]:
    done: dict[str, frozenset[str]] = {}
    for compared in differing(at, scope):
        extra = [node.path for node in compared.nodes if node.kind is DriftKind.EXTRA] if remove_extra else []
        yield Mending(_change(at, scope, compared, extra, done), compared.fragments, compared.nodes)
        done |= {node.path: frozenset({node.value}) for fragment in compared.fragments for node in at.targets.nodes(fragment)}


def _change(at: Workplace, scope: Scope, compared: Compared, extra: Sequence[str], done: Mapping[str, frozenset[str]]) -> Change:
    fragments, keys = compared.fragments, [fragment.key for fragment in compared.fragments]
    there = at.targets.part(compared.held, fragments, extra)
    nodes: list[Node] = [node for fragment in (*fragments, there) for node in at.targets.nodes(fragment)]
    others = at.store.database.look(lambda tx: at.configurations.others(tx, scope.target, keys, nodes))
    return way_back(at, compared.held, fragments, fragments, others, extra, done=done)


def secrets_of(at: Workplace, target: str, keys: Sequence[str]) -> set[str]:
    """What must not be shown of these fragments."""
    with at.store.database.read() as tx:
        return at.secrets(list(at.store.trees(tx, stated.roots(tx, target, keys)).values()))


class Repairer:
    """Carries out plans."""

    def __init__(self, at: Workplace, *, wait: float | None = None) -> None:
        """`wait`: seconds for which a lane that is being worked is waited for; default: until the lease of one who died is over."""
        self._at = at
        self._wait = at.settings.lease + 1 if wait is None else wait
        self._owner = f"repair:{os.uname().nodename}:{os.getpid()}:{secrets.token_hex(4)}"
        self._heartbeat = Heartbeat(at.store.database, at.settings.lease / 3)

    def carry_out(self, planned: RepairPlan, *, remove_extra: bool = False) -> Repaired:
        """Send what was planned, if it is still that. Raises StoreError alone."""
        sent: list[tuple[str, TransactionState]] = []
        try:
            lease = self._take(planned.scope.target)
            holding = Holding(lease, self._at.settings.lease, self._at.clock)
            try:
                with self._heartbeat.of(holding):
                    trouble = self._send(holding, planned, sent, remove_extra=remove_extra)
            finally:
                self._at.store.database.change(lambda tx: lanes.free(tx, lease))
        except StoreError:
            raise
        except TurnupError as error:
            trouble = Trouble.of(error)
        return Repaired(planned, tuple(sent), trouble)

    def _take(self, target: str) -> lanes.Lease:
        """The lease of the target's lane. Raises TargetLocked when a worker does not give it back in time."""
        at, until = self._at, time.monotonic() + self._wait
        while True:
            lease = at.store.database.change(lambda tx: lanes.take(tx, target, self._owner, at.clock.real(), at.settings.lease))
            if lease is not None:
                return lease
            if time.monotonic() >= until:
                told = f"{target}: a worker has its lane, or leaves it alone because it does not answer"
                raise TargetLocked(told, target=target, remedy="Repair again when it is through; `turnup orders` shows what is being done.")
            time.sleep(_PAUSE)  # another process has it: nothing tells us when it is through

    def _send(
        self, holding: Holding, planned: RepairPlan, sent: list[tuple[str, TransactionState]], *, remove_extra: bool
    ) -> Trouble | None:
        at, target = self._at, planned.scope.target
        self._resolve(holding, target)
        now = plan(at, planned.scope, remove_extra=remove_extra)
        if now.trouble is not None:
            return now.trouble
        if [mending.change for mending in now.mendings] != [mending.change for mending in planned.mendings]:
            raise ChecksumMismatch(f"{target} has changed since the difference was shown", remedy="Run `turnup repair` again.")
        for mending in now.mendings:
            transaction, outcome = self._transact(holding, target, mending)
            sent.append((transaction, outcome.state))
            if outcome.state is not TransactionState.CONFIRMED:
                return outcome.trouble or Trouble.of(TurnupError(f"{target}: {outcome.state} without a reason", target=target))
        return None

    def _resolve(self, holding: Holding, target: str) -> None:
        """Find out what became of a repair that ended in the middle. Raises TargetLocked when an order's transaction is still open."""
        at = self._at
        for left in at.store.database.look(lambda tx: at.transactions.unresolved(tx, target)):
            self._find_out(holding, left)

    def _find_out(self, holding: Holding, left: OpenTransaction) -> None:
        at, target = self._at, left.target
        if at.store.database.look(lambda tx: at.transactions.steps_of(tx, left.id)):
            told = f"{target}: it is not known yet what became of an order's transaction"
            raise TargetLocked(told, target=target, remedy="A worker finds it out: start one with `turnup worker`, then repair again.")
        push = Push(left.id, target, left.change, timeout=at.settings.push_timeout, old_session=holding.lease.session)
        outcome = at.targets.resolve(push)
        if outcome.state is TransactionState.NOT_ATTEMPTED:
            raise TargetLocked(outcome.trouble.message if outcome.trouble else f"{target} cannot be asked", target=target)
        at.store.change(lambda unit: self._close(unit, holding, left, outcome))

    def _transact(self, holding: Holding, target: str, mending: Mending) -> tuple[str, Outcome]:
        at = self._at
        keys = [fragment.key for fragment in mending.fragments]
        entries = at.store.database.look(lambda tx: at.configurations.standing(tx, target, keys))
        transaction = OpenTransaction(uuid.uuid4().hex, target, mending.change, tuple(entries))

        def write_ahead(tx: sa.Connection) -> None:
            holding.keep(tx)
            at.transactions.open(tx, transaction, holding.lease.fence, ())

        at.store.database.change(write_ahead)
        reached(Failpoint.WRITTEN_AHEAD)
        outcome = at.targets.push(
            Push(
                transaction.id,
                target,
                mending.change,
                (CheckRequest(0, "readback", {}),),
                at.settings.push_timeout,
                holds=lambda: holding.outlasts(at.settings.rpc_margin),
                began=lambda session: at.store.database.change(lambda tx: lanes.works_with(tx, holding.lease, session)),
            )
        )
        reached(Failpoint.PUSHED)
        at.store.change(lambda unit: self._close(unit, holding, transaction, outcome))
        log.info("repaired", target=target, transaction=transaction.id, state=str(outcome.state), nodes=len(mending.nodes))
        return transaction.id, outcome

    def _close(self, unit: Unit, holding: Holding, transaction: OpenTransaction, outcome: Outcome) -> None:
        """What became of it, also in the history of the orders whose configuration it is. Raises LeaseLost: then a worker finds it out."""
        at, target = self._at, transaction.target
        holding.keep(unit.tx)
        keys = [fragment.key for fragment in transaction.fragments]
        trees = unit.trees(set(stated.roots(unit.tx, target, keys)))
        at.transactions.close(unit.tx, transaction.id, outcome, at.secrets(list(trees.values())))
        for tree in trees.values():
            if outcome.state is TransactionState.CONFIRMED:
                self._learn(tree, transaction, outcome)
            tree.emit(tree.root.id, None, "repair", at.clock.now(), id=transaction.id, target=target, state=str(outcome.state))

    def _learn(self, tree: Tree, transaction: OpenTransaction, outcome: Outcome) -> None:
        """What is registered anew may have got another id."""
        at = self._at
        told = {fragment.key: outcome.learned_of(at.targets.nodes(fragment)) for fragment in transaction.fragments}
        scope = Context(tree, at.catalogue(tree), Site("", {}), lambda _, sealed: sealed)
        for step in tree.steps.values():
            if step.kind is StepKind.CONFIGURE and step.target == transaction.target and (values := told.get(own_key(scope, step))):
                step.learned = {**step.learned, **values}
