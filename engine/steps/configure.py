"""Bring a target from what it was given to what the batch's orders want, in one transaction, written ahead.

A refused transaction is split until the culprit stands alone: the others go through, the culprit gets the device's own message.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from engine.batch import Batch, Settlement, StepRef, Workplace, ref
from engine.context import Scope
from engine.drift import before
from engine.errors import TurnupError
from engine.failpoints import Failpoint, reached
from engine.model import Step, StepKind, StepResult, StepState
from engine.policy import after_trouble
from engine.ports import Node, Outcome, Push, TransactionState, Trouble
from engine.steps.by_hand import believe
from engine.steps.wanted import Work, own_key, work_of
from engine.store import lanes
from engine.store.configurations import Entry, Sides
from engine.store.transactions import OpenTransaction
from engine.tree import Tree

_FOUND = "found as sent, after the worker had ended"


def carry_out(batch: Batch, at: Workplace) -> Iterator[Settlement]:
    """Settles each transaction by itself, so that what a target confirmed is kept before the next one begins."""
    yield from _Pusher(batch, at).run()


@dataclass
class _Pusher:
    batch: Batch
    at: Workplace
    done: set[StepRef] = field(default_factory=set)
    scopes: dict[str, Scope] = field(default_factory=dict)
    session: str = ""

    def __post_init__(self) -> None:
        self.session = self.batch.holding.lease.session

    @property
    def target(self) -> str:
        return self.batch.holding.lease.lane

    def run(self) -> Iterator[Settlement]:
        try:
            yield from self._resolve(self.batch.left)
            if not self.batch.adopted:
                self._adopt()
        except TurnupError as error:
            yield Settlement({ref(step): self._after(Work(step, (), ()), Trouble.of(error)) for step in self.batch.steps})
            return
        works = []
        for step in self.batch.steps:
            if ref(step) in self.done:
                continue
            try:
                works.append(work_of(self._scope(step.root), step, self.at.targets, self._formers(step)))
            except TurnupError as error:
                yield Settlement({ref(step): self._after(Work(step, (), ()), Trouble.of(error))})
        yield from self._by_hand([work for work in works if work.step.by_hand])
        yield from self._transact([work for work in works if not work.step.by_hand])

    def _scope(self, root: str) -> Scope:
        if root not in self.scopes:
            self.scopes[root] = self.at.scope(self.batch.trees[root])
        return self.scopes[root]

    def _formers(self, step: Step) -> Mapping[str, Entry]:
        """What the target held before the step's order touched it, where the step puts that back."""
        if step.kind is not StepKind.RESTORE:
            return {}
        return self.at.store.database.look(lambda tx: self.at.configurations.formers(tx, self.target, step.root))

    def _stated(self, entries: Iterable[Entry]) -> dict[Entry, Sequence[Node]]:
        """What each of these states."""
        return {entry: self.at.targets.nodes(entry.fragment) if entry.fragment else () for entry in entries}

    # -- before the first push -----------------------------------------------------------------------------------------
    def _adopt(self) -> None:
        """Learn what the target held before us, once."""
        at, target = self.at, self.target
        platform, fragment = at.targets.platform(target), at.targets.day_zero(target)
        stated = self._stated([Entry(fragment.key, fragment)] if fragment else [])
        reached(Failpoint.ADOPTED)

        def adopt(tx: sa.Connection) -> None:
            self.batch.holding.keep(tx)
            number = at.configurations.target_id(tx, target, platform)
            at.configurations.apply(tx, number, None, stated)
            at.configurations.mark_adopted(tx, target)

        at.store.database.change(adopt)

    def _resolve(self, left: Sequence[OpenTransaction]) -> Iterator[Settlement]:
        """A former owner of the lane died within a transaction: the target knows what became of it."""
        at = self.at
        for transaction in left:
            outcome = at.targets.resolve(replace(self._push(transaction, ()), old_session=self.session))
            if outcome.state is TransactionState.NOT_ATTEMPTED and outcome.trouble is not None:
                raise outcome.trouble.as_error()
            reached(Failpoint.RESOLVED)
            yield self._resolved(transaction, outcome)

    def _resolved(self, transaction: OpenTransaction, outcome: Outcome) -> Settlement:
        """When the target kept it, all steps that it carried are done, also those that are not in this batch."""
        at, closing = self.at, self._settlement(transaction, outcome, {})
        with at.store.database.read() as tx:
            carried = at.transactions.steps_of(tx, transaction.id)
        numbers = {number for number, _ in carried}
        if outcome.state is TransactionState.CONFIRMED:
            self.done |= {ref(step) for step in self.batch.steps if step.id in numbers}
        stated = {entry.key: nodes for entry, nodes in self._stated(transaction.entries).items()}

        def write(tx: sa.Connection, trees: Mapping[str, Tree]) -> None:
            closing.before(tx, trees)
            if outcome.state is not TransactionState.CONFIRMED:
                return
            for tree in trees.values():
                for step in tree.steps.values():
                    if step.id in numbers and not step.state.final:
                        learned = outcome.learned_of(stated.get(own_key(at.scope(tree), step), ()))
                        result = StepResult(StepState.DONE, evidence=_FOUND, learned=learned, transaction=transaction.id)
                        tree.settle(step, result, at.clock.now(), at.clock.real())
                tree.roll(at.clock.now())

        return Settlement({}, write, frozenset(root for _, root in carried))

    # -- transactions --------------------------------------------------------------------------------------------------
    def _transact(self, works: Sequence[Work]) -> Iterator[Settlement]:
        works, given_back = self._possible(works)
        if given_back:
            yield Settlement({ref(work.step): StepResult(StepState.BLOCKED) for work in given_back})
        if not works:
            return
        try:
            seen, stated = self._change(works)
        except TurnupError as error:
            if error.may_retry:  # of the target, which was looked at: no order's fault
                yield Settlement({ref(work.step): self._after(work, Trouble.of(error)) for work in works})
                return
            yield from self._split(works, Settlement({}), Trouble.of(error))
            return
        if seen.nodes:
            yield before.told(seen, self.target, {work.step.root for work in works}, self.at)
        transaction = OpenTransaction(uuid.uuid4().hex, self.target, seen.change, tuple(stated))
        if not seen.change:
            self.done |= {ref(work.step) for work in works}
            yield self._nothing_to_do(works, stated)
            return
        self._write_ahead(transaction, works)
        reached(Failpoint.WRITTEN_AHEAD)
        outcome = self.at.targets.push(self._push(transaction, works))
        reached(Failpoint.PUSHED)
        if outcome.state is TransactionState.CONFIRMED:
            self.done |= {ref(work.step) for work in works}
            yield self._settlement(transaction, outcome, {ref(w.step): self._confirmed(transaction, w, outcome, stated) for w in works})
            return
        yield from self._not_confirmed(transaction, works, outcome)

    def _possible(self, works: Sequence[Work]) -> tuple[list[Work], list[Work]]:
        """Steps that wait for a step of this batch which did not come through are given back."""
        inside = {ref(step) for step in self.batch.steps}
        ahead = set(self.done)
        possible, given_back = [], []
        for work in works:
            needs = {StepRef(work.step.root, key) for key in work.step.needs} & inside
            if needs <= ahead:
                ahead.add(ref(work.step))
                possible.append(work)
            else:
                given_back.append(work)
        return possible, given_back

    def _sides(self, works: Sequence[Work]) -> Sides:
        """What stood there before and what stands there afterwards. Who refers to something shared last takes it along."""
        at, wanted = self.at, {entry.key: entry for work in works for entry in work.entries}
        return at.store.database.look(lambda tx: at.configurations.sides(tx, self.target, list(wanted.values()), at.targets.nodes))

    def _change(self, works: Sequence[Work]) -> tuple[before.Seen, Mapping[Entry, Sequence[Node]]]:
        """What is sent, and what stands there afterwards with what each states."""
        at, target, sides = self.at, self.target, self._sides(works)
        stated, applied, fragments = sides.stated, sides.applied, sides.wanted
        change = at.targets.change(target, list(applied.values()), list(fragments.values()), sides.others)
        seen = before.look(at, target, applied, fragments, sides.others, change)
        if not seen.nodes:
            return seen, stated
        found = {fragment.key: fragment for fragment in seen.wanted}
        return seen, self._stated(replace(entry, fragment=found.get(entry.key)) for entry in stated)

    def _write_ahead(self, transaction: OpenTransaction, works: Sequence[Work]) -> None:
        holding, carried = self.batch.holding, [(work.step.id, work.step.root) for work in works]

        def write(tx: sa.Connection) -> None:
            self.session = holding.keep(tx).session
            self.at.transactions.open(tx, transaction, holding.lease.fence, carried)

        self.at.store.database.change(write)

    def _push(self, transaction: OpenTransaction, works: Sequence[Work]) -> Push:
        settings, holding = self.at.settings, self.batch.holding
        return Push(
            transaction.id,
            self.target,
            transaction.change,
            tuple(check for work in works for check in work.checks),
            settings.push_timeout,
            holds=lambda: holding.outlasts(settings.rpc_margin),
            began=self._began,
        )

    def _began(self, session: str) -> None:
        """Write down with which session the target is worked. It is kept open, so that this is seldom something new."""
        if session != self.session:
            self.at.store.database.change(lambda tx: lanes.works_with(tx, self.batch.holding.lease, session))
            self.session = session

    # -- done by hand --------------------------------------------------------------------------------------------------
    def _by_hand(self, works: Sequence[Work]) -> Iterator[Settlement]:
        """What is as it was said to be is ours from now on."""
        for work in works:
            try:
                sides = self._sides([work])
                believe(self.at, self.target, work, sides.applied, sides.wanted, sides.others)
            except TurnupError as error:
                yield Settlement({ref(work.step): self._after(work, Trouble.of(error))})
                continue
            self.done.add(ref(work.step))
            yield self._nothing_to_do([work], sides.stated, "done by hand, read back as wanted")

    # -- what came of it -----------------------------------------------------------------------------------------------
    def _confirmed(self, transaction: OpenTransaction, work: Work, outcome: Outcome, stated: Mapping[Entry, Sequence[Node]]) -> StepResult:
        evidence = "; ".join(check.evidence for check in outcome.checks if check.step == work.step.id)
        nodes = {entry.key: found for entry, found in stated.items()}
        learned = outcome.learned_of([node for entry in work.entries for node in nodes[entry.key]])
        return StepResult(StepState.DONE, evidence=evidence, learned=learned, transaction=transaction.id)

    def _nothing_to_do(self, works: Sequence[Work], stated: Mapping[Entry, Sequence[Node]], evidence: str = "already there") -> Settlement:
        """The target holds all of it already; it is still ours from now on."""
        at, target = self.at, self.target

        def write(tx: sa.Connection, _trees: Mapping[str, Tree]) -> None:
            number = at.configurations.target_id(tx, target, at.targets.platform(target))
            at.configurations.apply(tx, number, None, stated)

        done = {ref(w.step): StepResult(StepState.DONE, evidence=evidence, learned=w.step.given) for w in works}
        return Settlement(done, write)

    def _not_confirmed(self, transaction: OpenTransaction, works: Sequence[Work], outcome: Outcome) -> Iterator[Settlement]:
        trouble = outcome.trouble or Trouble.of(TurnupError(f"{self.target}: {outcome.state} without a reason", target=self.target))
        closing = self._settlement(transaction, outcome, {})
        culprits = {check.step for check in outcome.checks if not check.passed}
        if culprits and outcome.state is TransactionState.REVERSED and len(culprits) < len(works):
            yield closing
            yield Settlement({ref(w.step): self._after(w, trouble, transaction.id) for w in works if w.step.id in culprits})
            yield from self._transact([w for w in works if w.step.id not in culprits])
        elif outcome.state in (TransactionState.REFUSED, TransactionState.REVERSED) and not trouble.may_retry:
            yield from self._split(works, closing, trouble, transaction.id)
        else:
            yield closing
            yield Settlement({ref(w.step): self._after(w, trouble, transaction.id) for w in works})

    def _split(self, works: Sequence[Work], closing: Settlement, trouble: Trouble, transaction: str | None = None) -> Iterator[Settlement]:
        yield closing
        if len(works) == 1:
            yield Settlement({ref(works[0].step): self._after(works[0], trouble, transaction)})
            return
        middle = len(works) // 2
        yield from self._transact(works[:middle])
        yield from self._transact(works[middle:])

    def _after(self, work: Work, trouble: Trouble, transaction: str | None = None) -> StepResult:
        tree = self.batch.tree(work.step)
        return after_trouble(self.at.catalogue(tree), tree, work.step, trouble, self.at.clock.real(), transaction)

    def _settlement(self, transaction: OpenTransaction, outcome: Outcome, results: Mapping[StepRef, StepResult]) -> Settlement:
        """Close the transaction; when it was confirmed, its fragments are what the target holds."""
        at = self.at
        stated = self._stated(transaction.entries)
        told = bool(outcome.trouble or outcome.checks)
        hidden = at.secrets(list(self.batch.trees.values())) if told else frozenset()

        def write(tx: sa.Connection, trees: Mapping[str, Tree]) -> None:
            at.transactions.close(tx, transaction.id, outcome, hidden)
            if outcome.state is TransactionState.CONFIRMED:
                number = at.configurations.target_id(tx, transaction.target, at.targets.platform(transaction.target))
                at.configurations.apply(tx, number, transaction.id, stated)
            for root in {step.root for step in results} or set(trees):
                tree = trees[root]
                tree.emit(
                    tree.root.id,
                    None,
                    "transaction",
                    at.clock.now(),
                    id=transaction.id,
                    target=transaction.target,
                    state=str(outcome.state),
                )

        return Settlement(results, write)
