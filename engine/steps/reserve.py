"""Reserve all that orders need from the inventory, before any device is touched."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from engine.batch import Batch, Settlement, StepRef, Workplace, ref
from engine.checksum import verify
from engine.context import remember_site
from engine.errors import ChecksumMismatch, ResourceExhausted, ResourceNotFree, TargetUnknown, TurnupError
from engine.failpoints import Failpoint, reached
from engine.model import Step, StepKind, StepResult, StepState
from engine.plan import RESERVE
from engine.policy import after_trouble
from engine.ports import Allocation, Need, Shortage, Trouble
from engine.states import Level
from engine.steps import needs as wanted
from engine.tree import Tree


def carry_out(batch: Batch, at: Workplace) -> Iterator[Settlement]:
    """One call for the needs of the whole batch, one settlement for what came of it."""
    asked: dict[StepRef, list[Need]] = {}
    results: dict[StepRef, StepResult] = {}
    for step in batch.steps:
        try:
            asked[ref(step)] = wanted.missing(at.scope(batch.tree(step)))
        except TurnupError as error:
            results[ref(step)] = _policy(batch, at, step, error)
    steps = [step for step in batch.steps if ref(step) in asked]
    reached(Failpoint.RESERVING)
    try:
        given = at.inventory.reserve([n for needs in asked.values() for n in needs], again=any(s.attempt > 1 for s in steps))
    except TurnupError as error:
        yield Settlement(results | {ref(step): _policy(batch, at, step, error) for step in steps})
        return
    reached(Failpoint.RESERVED)
    taken: dict[StepRef, list[Allocation]] = {}
    short: dict[StepRef, list[Shortage]] = {}
    for step in steps:
        mine = [given[need.mark] for need in asked[ref(step)]]
        taken[ref(step)] = [a for a in mine if isinstance(a, Allocation)]
        lacking = [s for s in mine if isinstance(s, Shortage)]
        short[ref(step)] = [s for s in lacking if s.exhausted] or lacking
        results[ref(step)] = _result(batch, at, step, taken[ref(step)], short[ref(step)])

    def write(tx: sa.Connection, trees: Mapping[str, Tree]) -> None:
        for step in steps:
            if results[ref(step)].state is StepState.FAILED:
                continue  # what it had taken was given back
            _write(tx, at, trees[step.root], trees[step.root].steps[step.key], taken[ref(step)], short[ref(step)])

    yield Settlement(results, write)


def _policy(batch: Batch, at: Workplace, step: Step, error: TurnupError) -> StepResult:
    tree = batch.tree(step)
    return after_trouble(at.catalogue(tree), tree, step, Trouble.of(error), at.clock.real())


def _result(batch: Batch, at: Workplace, step: Step, taken: list[Allocation], short: list[Shortage]) -> StepResult:
    """The first reservation is done even when something is short: what is short goes on as a step of its own."""
    tree = batch.tree(step).copy()
    tree.allocations.update({allocation.mark: allocation for allocation in taken})
    try:
        wanted.bind(at.scope(tree))
        if tree.root.checksum:
            verify(at, tree)
    except TurnupError as error:
        result = StepResult(StepState.FAILED, Trouble.of(error)) if isinstance(error, ChecksumMismatch) else _policy(batch, at, step, error)
        if result.state is StepState.FAILED:
            at.inventory.release(list(tree.allocations.values()))
        return result
    return _held(short[0]) if short and step.key != RESERVE else StepResult(StepState.DONE)


def _held(short: Shortage) -> StepResult:
    error = ResourceNotFree(short.message) if short.exact else ResourceExhausted(f"resource exhaustion: {short.message}")
    return StepResult(StepState.HELD, Trouble.of(error), awaits=short.pool)


def _write(tx: sa.Connection, at: Workplace, tree: Tree, step: Step, taken: list[Allocation], short: list[Shortage]) -> None:
    at.store.keep_allocations(tx, tree, taken)
    remember_site(tree, at.scope(tree).site)
    now = at.clock.now()  # one time for what was taken together
    for a in taken:
        tree.emit(a.mark.order, a.mark.item, "allocation", now, name=a.mark.name, kind=a.kind, attributes=dict(a.attributes))
    if short and step.key == RESERVE:
        _follow_up(at, tree, step, short[0])
    try:
        lanes = wanted.bind(at.scope(tree))
    except TurnupError:
        return  # the result of the step says so
    at.store.ensure_lanes(tx, lanes)
    _note_platforms(tx, at, lanes)


def _note_platforms(tx: sa.Connection, at: Workplace, targets: set[str]) -> None:
    """What a target is can then be shown without asking anybody, also when nothing is ever sent to it."""
    for name in sorted(targets - set(at.configurations.platforms(tx, targets))):
        with contextlib.suppress(TargetUnknown):  # the step that works there says so
            at.configurations.target_id(tx, name, at.targets.platform(name))


def _follow_up(at: Workplace, tree: Tree, first: Step, short: Shortage) -> None:
    """What is exhausted holds only the items that need it: they wait for a second reservation, held until there is capacity."""
    catalogue, item = at.catalogue(tree), short.mark.item
    key = f"{item}/{RESERVE}"
    held = _held(short)
    missing = wanted.missing(at.scope(tree))
    names = {need.mark.name for need in missing}
    users = {i.id for i in tree.items_of(short.mark.order) if names & set(catalogue.resource(i.specification).uses)}
    lacking = users | {need.mark.item for need in missing}
    products = tree.order_of(Level.PRODUCT)
    offerings = [catalogue.offering(i.offering) for i in tree.items_of(products.id) if i.offering] if products else []
    if any(offering.on_shortage == "wait" for offering in offerings):
        lacking = {i.id for i in tree.items_of(short.mark.order)}
    step = Step(0, tree.root.id, first.order, key, StepKind.RESERVE, StepState.HELD, item=item, lane=first.lane, priority=first.priority)
    step.trouble, step.awaits = held.trouble, held.awaits
    tree.steps[key] = step
    wanted.hold_back(tree, lacking, key)
