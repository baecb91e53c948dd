"""Reserve all that orders need from the inventory, before any device is touched.

What is exhausted holds only the items that need it: a step of their own waits for its pool, in its turn (engine.store.waiting).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from engine.batch import Batch, Settlement, StepRef, Workplace, ref
from engine.checksum import verify
from engine.context import remember_site
from engine.errors import ChecksumMismatch, ResourceExhausted, ResourceNotFree, TargetUnknown, TurnupError
from engine.failpoints import Failpoint, reached
from engine.fallout.exchange import replaced_by
from engine.model import Step, StepKind, StepResult, StepState
from engine.plan import RESERVE
from engine.policy import after_trouble
from engine.ports import Allocation, Need, Shortage, Trouble
from engine.states import Level
from engine.steps import needs as wanted
from engine.steps.leave import leave
from engine.store import waiting
from engine.store.waiting import Turn
from engine.tree import Tree


@dataclass
class _Part:
    """One step's part of a batch: what it asks for, and what it got."""

    step: Step
    needs: list[Need]
    """What is asked of the inventory."""
    short: list[Shortage] = field(default_factory=list)
    """What it does not get, first of all what others wait for."""
    taken: list[Allocation] = field(default_factory=list)
    left: list[Allocation] = field(default_factory=list)
    """What it has, and asks for another in its place: that is given back first."""
    returned: list[Allocation] = field(default_factory=list)
    """What was given back as it failed: of this order's own, what nothing was configured with."""

    @property
    def why(self) -> Shortage:
        """The shortage that it waits for."""
        return next((found for found in self.short if found.exhausted), self.short[0])


def carry_out(batch: Batch, at: Workplace) -> Iterator[Settlement]:
    """One call for the needs of the whole batch, one settlement for what came of it."""
    results: dict[StepRef, StepResult] = {}
    parts: list[_Part] = []
    for step in sorted(batch.steps, key=Turn.of):
        try:
            parts.append(_part(at, batch.tree(step), step))
        except TurnupError as error:
            results[ref(step)] = _policy(batch, at, step, error)
    _queue_behind(at, parts)
    asked = at.clock.real()
    reached(Failpoint.RESERVING)
    try:
        _ask(at, parts)
    except TurnupError as error:
        yield Settlement(results | {ref(part.step): _policy(batch, at, part.step, error) for part in parts})
        return
    reached(Failpoint.RESERVED)
    results |= {ref(part.step): _result(batch, at, part) for part in parts}

    def write(tx: sa.Connection, trees: Mapping[str, Tree]) -> None:
        lanes: set[str] = set()
        for part in parts:
            if results[ref(part.step)].state is StepState.FAILED:
                at.store.mark_allocations(tx, part.returned, "released")
                for allocation in part.returned:
                    trees[part.step.root].release(allocation, at.clock.now())
            else:
                lanes |= _write(tx, at, trees[part.step.root], part, results[ref(part.step)])
        at.store.ensure_lanes(tx, lanes)
        _note_platforms(tx, at, lanes)
        _tell_pools(tx, at, parts, asked)

    yield Settlement(results, write)


def _part(at: Workplace, tree: Tree, step: Step) -> _Part:
    left = [tree.allocations[mark] for mark in replaced_by(tree, step)]
    return _Part(step, wanted.missing(at.scope(_without(tree, left))), left=left)


def _without(tree: Tree, left: Sequence[Allocation]) -> Tree:
    """The tree as it is when these are given back."""
    if left:
        tree = tree.copy()
        for allocation in left:
            del tree.allocations[allocation.mark]
    return tree


# -- asking --------------------------------------------------------------------------------------------------------------


def _queue_behind(at: Workplace, parts: list[_Part]) -> None:
    """Nobody overtakes: what others wait for is not asked for, unless it is this step's turn."""
    names = {at.inventory.pool(need) for part in parts for need in part.needs}
    besides = {part.step.id for part in parts}
    first = at.store.database.look(lambda tx: waiting.first_in_line(tx, names, besides))
    if not first:
        return
    for part in parts:
        turn = Turn.of(part.step)
        closed = {name for name, ahead in first.items() if ahead < turn and name != part.step.awaits}
        queued = {need.mark: name for need in part.needs if not need.exact and (name := at.inventory.pool(need)) in closed}
        part.short += [Shortage(mark, True, name, f"other orders wait for {name} already") for mark, name in queued.items()]
        part.needs, lost = wanted.without(part.needs, queued)
        part.short += lost


def _ask(at: Workplace, parts: list[_Part]) -> None:
    """Ask the inventory for all in one call. Raises InventoryError."""
    if left := [allocation for part in parts for allocation in part.left]:
        at.inventory.release(left)  # at once: nothing was made with it
    needs = [need for part in parts for need in part.needs]
    given = at.inventory.reserve(needs, again=any(_may_have(part.step) for part in parts)) if needs else {}
    for part in parts:
        answers = [(need, given[need.mark]) for need in part.needs]
        part.taken = [replace(answer, asked=need.pool) for need, answer in answers if isinstance(answer, Allocation)]
        part.short += [answer for _, answer in answers if isinstance(answer, Shortage)]


def _may_have(step: Step) -> bool:
    """Whether an earlier attempt may have taken something of which nobody knows: not after one that plainly came back short."""
    plainly_short = step.trouble is not None and step.trouble.code == ResourceExhausted.code and not step.crashes
    return step.attempt > 1 and not plainly_short


def _policy(batch: Batch, at: Workplace, step: Step, error: TurnupError) -> StepResult:
    """What the failure policy says. Who waits for a pool keeps the place."""
    tree = batch.tree(step)
    return replace(after_trouble(at.catalogue(tree), tree, step, Trouble.of(error), at.clock.real()), awaits=step.awaits)


def _result(batch: Batch, at: Workplace, part: _Part) -> StepResult:
    """The step is done even when something is short, which goes on as another step, unless it stands for the item that lacks it."""
    step = part.step
    tree = _without(batch.tree(step), part.left).copy()
    tree.allocations.update({allocation.mark: allocation for allocation in part.taken})
    try:
        wanted.bind(at.scope(tree))
        if tree.root.checksum:
            verify(at, tree)
    except TurnupError as error:
        result = StepResult(StepState.FAILED, Trouble.of(error)) if isinstance(error, ChecksumMismatch) else _policy(batch, at, step, error)
        if result.state is StepState.FAILED:
            part.returned = part.taken if step.key != RESERVE else [a for a in tree.allocations.values() if a.mark.order in tree.orders]
            at.inventory.release(part.returned)
        return result
    return _held(part.why) if part.short and part.why.mark.item == step.item else StepResult(StepState.DONE)


def _held(short: Shortage) -> StepResult:
    """Who asked for a certain one waits for an answer: what else comes into the pool is not what was asked for."""
    if short.exact:
        return StepResult(StepState.HELD, Trouble.of(ResourceNotFree(short.message)))
    return StepResult(StepState.HELD, Trouble.of(ResourceExhausted(f"resource exhaustion: {short.message}")), awaits=short.pool)


# -- writing down --------------------------------------------------------------------------------------------------------


def _write(tx: sa.Connection, at: Workplace, tree: Tree, part: _Part, result: StepResult) -> set[str]:
    """Keep what was taken, give steps their targets. Returns the lanes that they have now."""
    step = tree.steps[part.step.key]
    _give_back(tx, at, tree, part.left)
    at.store.keep_allocations(tx, tree, part.taken)
    remember_site(tree, at.scope(tree).site)
    now = at.clock.now()  # one time for what was taken together
    for a in part.taken:
        tree.emit(a.mark.order, a.mark.item, "allocation", now, name=a.mark.name, kind=a.kind, attributes=dict(a.attributes))
    if step.awaits and result.state is StepState.DONE:
        tree.emit(step.order, step.item, "resume", now, step=step.key, reason=f"{step.awaits} has capacity again")
    if part.short:
        step.since = step.since or at.clock.real()
        _hold(at, tree, step, part.why, result)
    try:
        return wanted.bind(at.scope(tree)) | leave(tx, at, tree)
    except TurnupError:
        return set()  # the result of the step says so


def _give_back(tx: sa.Connection, at: Workplace, tree: Tree, left: Sequence[Allocation]) -> None:
    """Write down what is no longer held."""
    at.store.mark_allocations(tx, left, "released")
    waiting.capacity(tx, {allocation.pool for allocation in left}, at.clock.real())
    for allocation in left:
        tree.release(allocation, at.clock.now())


def _note_platforms(tx: sa.Connection, at: Workplace, targets: set[str]) -> None:
    """What a target is can then be shown without asking anybody, also when nothing is ever sent to it."""
    for name in sorted(targets - set(at.configurations.platforms(tx, targets))):
        with contextlib.suppress(TargetUnknown):  # the step that works there says so
            at.configurations.target_id(tx, name, at.targets.platform(name))


def _hold(at: Workplace, tree: Tree, step: Step, short: Shortage, result: StepResult) -> None:
    """What is exhausted holds only the items that need it: they wait for a step of their own. The others go on."""
    lacking = _lacking(at, tree, short)
    key = step.key
    if result.state is StepState.DONE:
        key = wanted.free_key(tree, short.mark.item)
        tree.steps[key] = _follow_up(step, key, short)
    wanted.hold_back(tree, lacking, key)
    wanted.let_go(tree, lacking, key)


def _lacking(at: Workplace, tree: Tree, short: Shortage) -> set[str]:
    """The items that wait: those without their own resources, those that use them, and all when the offering says so."""
    catalogue, items = at.catalogue(tree), tree.items_of(short.mark.order)
    products = tree.order_of(Level.PRODUCT)
    offerings = [catalogue.offering(i.offering) for i in tree.items_of(products.id) if i.offering] if products else []
    if any(offering.on_shortage == "wait" for offering in offerings):
        return {item.id for item in items}
    missing = wanted.missing(at.scope(tree))
    names = {need.mark.name for need in missing}
    return {i.id for i in items if names & set(catalogue.resource(i.specification).uses)} | {need.mark.item for need in missing}


def _follow_up(step: Step, key: str, short: Shortage) -> Step:
    """A step that stands for an item and waits for a pool, with the place in the queue that its order has."""
    held = _held(short)
    made = Step(0, step.root, step.order, key, StepKind.RESERVE, StepState.HELD, item=short.mark.item, lane=step.lane)
    made.priority, made.since, made.trouble, made.awaits = step.priority, step.since, held.trouble, held.awaits
    return made


def _tell_pools(tx: sa.Connection, at: Workplace, parts: list[_Part], asked: float) -> None:
    """Who got something lets the next in line ask; who did not ends that, for a while."""
    now, again = at.clock.real(), at.clock.real() + at.settings.patience
    served = {pool for part in parts if (pool := part.step.awaits) and pool not in {found.pool for found in part.short}}
    waiting.served(tx, served, now)
    waiting.capacity(tx, {allocation.pool for part in parts for allocation in part.returned}, now)
    for pool, came_back_short in sorted({(part.why.pool, _asked_for(part)) for part in parts if part.short and not part.why.exact}):
        if came_back_short:
            waiting.short(tx, pool, asked, again)
        else:
            waiting.queued(tx, pool, again)


def _asked_for(part: _Part) -> bool:
    """Whether the inventory itself said that there is nothing left in the pool."""
    return part.why.mark in {need.mark for need in part.needs}
