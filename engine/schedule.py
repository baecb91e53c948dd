"""When an order is to begin, and when it is to be complete: dates that its body holds, in the time people live in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.model import Order, Step, StepKind, StepState
from engine.states import OrderState

START = "requestedStartDate"
"""In the body of an order; and what its first step waits for until then."""
COMPLETION = "requestedCompletionDate"
"""In the body of an order."""
_CAME_TO_NOTHING = (OrderState.CANCELLED, OrderState.REJECTED, OrderState.FAILED)


def start_date(order: Order) -> datetime | None:
    """Nothing of the order begins before this."""
    return _date(order, START)


def completion_date(order: Order) -> datetime | None:
    """By when whoever ordered wants it complete."""
    return _date(order, COMPLETION)


def is_scheduled(order: Order, now: datetime) -> bool:
    """Whether the order waits for its start date: nothing of it has begun."""
    start = start_date(order)
    return start is not None and start > now and not order.decomposed and not order.state.final and not order.withdrawn


def is_overdue(order: Order, now: datetime) -> bool:
    """Whether it is not complete by its requested completion date, or was not when it ended."""
    wanted = completion_date(order)
    return wanted is not None and wanted < (order.ended or now) and order.state not in _CAME_TO_NOTHING


def in_turn(by_age: Sequence[Order]) -> list[Order]:
    """The orders of one subscription as they have their turn, one after the other: what has begun, then the others as they were accepted
    or are scheduled. So one for next month lets one for today go first. What made the subscription comes before all."""

    def turn(order: Order) -> tuple[bool, datetime, str]:
        wanted = max(order.created, start_date(order) or order.created)
        return order.started is None, order.started or wanted, order.id

    return [*by_age[:1], *sorted(by_age[1:], key=turn)]


def first_step(order: Order, steps: dict[str, Step]) -> Step:
    """The step with which an order begins."""
    return next(step for step in steps.values() if step.order == order.id and step.kind is StepKind.DECOMPOSE)


def put_off(step: Step, until: float) -> None:
    """Let an order's first step wait for its start date. `until`: when it may have come, in seconds since the epoch."""
    step.state, step.awaits, step.due = StepState.WAITING, START, until
    step.noted = 0.0  # a date: it stays when the clock is set back


def _date(order: Order, name: str) -> datetime | None:
    found = order.body.get(name)
    return datetime.fromisoformat(found) if found else None
