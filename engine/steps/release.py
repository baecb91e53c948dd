"""Give back to the inventory what the order left: off its critical path, nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from engine import releasing
from engine.batch import Batch, Settlement, StepRef, Workplace, ref
from engine.context import Scope
from engine.errors import TurnupError
from engine.failpoints import Failpoint, reached
from engine.model import Step, StepResult, StepState
from engine.policy import after_trouble
from engine.ports import Allocation, Trouble
from engine.states import Level
from engine.steps.needs import leaving
from engine.tree import Tree


def carry_out(batch: Batch, at: Workplace) -> Iterator[Settlement]:
    """One call for the whole batch."""
    given: dict[StepRef, list[Allocation]] = {}
    results: dict[StepRef, StepResult] = {}
    for step in batch.steps:
        try:
            given[ref(step)] = of_step(at.scope(batch.tree(step)), step)
        except TurnupError as error:
            results[ref(step)] = _policy(batch, at, step, error)
    try:
        written = releasing.release(at, [allocation for found in given.values() for allocation in found])
    except TurnupError as error:
        yield Settlement(results | {ref(step): _policy(batch, at, step, error) for step in batch.steps if ref(step) in given})
        return
    reached(Failpoint.RELEASED)

    def write(tx: sa.Connection, trees: Mapping[str, Tree]) -> None:
        written(tx)
        for (root, _), found in given.items():
            for allocation in found:
                trees[root].release(allocation, at.clock.now())

    yield Settlement(results | {key: StepResult(StepState.DONE) for key in given}, write)


def of_step(scope: Scope, step: Step) -> list[Allocation]:
    """What this step gives back: all that the order left, but what its customer has yet to send back, which has a step of its own."""
    tree = scope.tree
    left = [held for mark, held in tree.allocations.items() if mark.order in tree.orders] if tree.root.withdrawn else leaving(scope)
    return [held for held in left if _sent_back_with(scope, held) == step.item]


def _sent_back_with(scope: Scope, held: Allocation) -> str | None:
    """The item with which an allocation comes back from the customer."""
    catalogue, order = scope.catalogue, scope.tree.order_of(Level.RESOURCE)
    for item in scope.tree.items_of(order.id) if order else ():
        waits = any("/returned" in step.key for step in scope.tree.steps_of(item.order, item.id))
        if waits and item.specification == catalogue.user_of(held.mark.name):
            return item.id
    return None


def _policy(batch: Batch, at: Workplace, step: Step, error: TurnupError) -> StepResult:
    tree = batch.tree(step)
    return after_trouble(at.catalogue(tree), tree, step, Trouble.of(error), at.clock.real())
