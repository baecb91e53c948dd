"""Amending an order that is under way: its dates and priority, and characteristics as long as nothing that they touch has begun.

One transaction over the order's tree, so that of an amendment and a worker one is first: what a worker does at this moment is not amended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.acceptance import Acceptance
from engine.amend_items import Amended, amended, keep
from engine.batch import Workplace
from engine.catalogue.models import Scalar
from engine.errors import AmendDenied, BadInput, OrderEnded
from engine.model import Order, Step, StepState
from engine.ports import Clock
from engine.requests import complain_of_dates
from engine.schedule import COMPLETION, START, completion_date, first_step, is_scheduled, put_off, start_date
from engine.states import OrderState
from engine.tree import Tree


@dataclass(frozen=True)
class Wish:
    """What is to be different of an order. What is None, or not named, stays."""

    start: datetime | None = None
    completion: datetime | None = None
    priority: int | None = None
    characteristics: Mapping[str, Scalar] = field(default_factory=dict)
    item: str | None = None
    """Of which item, where the order has several."""


@dataclass(frozen=True)
class Outcome:
    """What became of an amendment. `changed`: the attributes with their new values, spelled as TM Forum does, and `characteristics`, with
    secrets masked; empty when all of it was so already."""

    order: str
    state: OrderState
    changed: Mapping[str, Any]


def amend(at: Workplace, acceptance: Acceptance, order: str, wish: Wish, why: str) -> Outcome:
    """Change an order that has not ended. `why`: who said so, kept in its history.

    All of the wish is done, or nothing. Raises UnknownOrder, BadInput, CharacteristicInvalid (the wish itself is wrong), OrderEnded,
    AmendDenied (the order goes on as before).
    """
    root = at.store.tree(order).root.id
    return at.store.change(lambda unit: _amend(at, acceptance, unit.trees([root])[root], wish, why))


def _amend(at: Workplace, acceptance: Acceptance, tree: Tree, wish: Wish, why: str) -> Outcome:
    root, now = tree.root, at.clock.now()
    if root.state.final:
        raise OrderEnded(f"{root.id} is {root.state}")
    if root.withdrawn:
        raise AmendDenied(f"{root.id} is being cancelled")
    changed = dict(_attributes(tree, wish))
    if START in changed:
        _must_not_have_begun(tree)
    found = amended(at, acceptance, tree, wish.characteristics, wish.item) if wish.characteristics else Amended()
    dates = {name: value for name, value in changed.items() if name in (START, COMPLETION)}
    if dates:
        root.body = {**root.body, **dates}
        _check_dates(root)
    if START in dates:
        _reschedule(tree, at.clock)
    if wish.priority is not None:
        _prioritise(tree, wish.priority)
    keep(tree, found, now, why)
    told: dict[str, Any] = {**changed, **({"characteristics": dict(found.shown)} if found.shown else {})}
    if told:
        tree.emit(root.id, None, "orderAttributeValueChange", now, **told, reason=why)
    return Outcome(root.id, root.state, told)


def _attributes(tree: Tree, wish: Wish) -> Iterator[tuple[str, Scalar]]:
    """The attributes of the order that get another value, as TM Forum spells them."""
    root = tree.root
    for name, wanted, is_now in ((START, wish.start, start_date(root)), (COMPLETION, wish.completion, completion_date(root))):
        if wanted is not None and wanted != is_now:
            yield name, wanted.isoformat(timespec="seconds")
    if wish.priority is not None and wish.priority != root.priority:
        if not 0 <= wish.priority <= _LOWEST:
            raise BadInput(f"priority {wish.priority} is none: 0 is the highest, {_LOWEST} the lowest")
        yield "priority", wish.priority


def _check_dates(order: Order) -> None:
    try:
        complain_of_dates(start_date(order), completion_date(order))
    except ValueError as error:
        raise BadInput(str(error)) from error


def _must_not_have_begun(tree: Tree) -> None:
    step = first_step(tree.root, tree.steps)
    if tree.root.decomposed or step.state is StepState.RUNNING:
        since = f" at {tree.root.started:%Y-%m-%d %H:%M}" if tree.root.started else ""
        raise AmendDenied(f"the start date cannot be moved: {tree.root.id} began{since}")


def _reschedule(tree: Tree, clock: Clock) -> None:
    step, start = first_step(tree.root, tree.steps), start_date(tree.root)
    if step.state not in (StepState.READY, StepState.WAITING) or start is None:
        return  # it stands still: the date counts when it is taken up again
    if is_scheduled(tree.root, clock.now()):
        put_off(step, clock.earliest(start))
    elif step.awaits == START:
        step.state, step.awaits, step.evidence = StepState.READY, None, ""
        step.due = step.noted = clock.real()


def _prioritise(tree: Tree, priority: int) -> None:
    """Also in the lanes, and among those who wait for a pool."""
    parts: list[Order | Step] = [*tree.orders.values(), *(step for step in tree.steps.values() if not step.state.final)]
    for part in parts:
        part.priority = priority


_LOWEST = 4
