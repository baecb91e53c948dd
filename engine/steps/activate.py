"""Mark the resources of a completed item as in use: off the critical path, nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from engine.batch import Batch, Settlement, Workplace, item_of, ref
from engine.errors import TurnupError
from engine.failpoints import Failpoint, reached
from engine.model import Step, StepResult, StepState
from engine.policy import after_trouble
from engine.ports import Allocation, Trouble
from engine.tree import Tree


def carry_out(batch: Batch, at: Workplace) -> Iterator[Settlement]:
    """One call for the whole batch."""
    used = {ref(step): put_to_use(at, batch.tree(step), step) for step in batch.steps}
    flat = [allocation for given in used.values() for allocation in given]
    try:
        at.inventory.activate(flat)
    except TurnupError as error:
        trouble, real = Trouble.of(error), at.clock.real()
        yield Settlement({ref(s): after_trouble(at.catalogue(batch.tree(s)), batch.tree(s), s, trouble, real) for s in batch.steps})
        return
    reached(Failpoint.ACTIVATED)

    def write(tx: sa.Connection, _trees: Mapping[str, Tree]) -> None:
        at.store.mark_allocations(tx, flat, "active")

    yield Settlement({ref(step): StepResult(StepState.DONE) for step in batch.steps}, write)


def put_to_use(at: Workplace, tree: Tree, step: Step) -> list[Allocation]:
    """The allocations of this order that come into use with the item of this step. Those of earlier orders are in use."""
    catalogue, item = at.catalogue(tree), item_of(tree, step)
    by_id = {i.id: i for i in tree.items_of(step.order)}
    present = {i.specification for i in by_id.values()}
    found = []
    for mark, allocation in tree.allocations.items():
        if mark.order not in tree.orders:
            continue
        owner = by_id[mark.item].specification
        user = catalogue.resource(owner).reserve[mark.name].activated_by or owner
        if (user if user in present else owner) == item.specification:
            found.append(allocation)
    return found
