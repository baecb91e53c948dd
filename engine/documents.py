"""The documents that people and programs are shown of an order: camelCase in JSON, the same for the command line, `--json` and pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class View(BaseModel):
    """Base: camelCase in JSON."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class TroubleView(View):
    """Why something stands still, and what to do."""

    code: str
    message: str
    remedy: str


class DecisionView(View):
    """What the failure policy decided about a step in trouble. `rule` counts from 1; `next_try` is in the machine's time."""

    rule: int
    applies_to: str
    what: str
    retries: int
    limit: int
    next_try: datetime | None


class StepView(View):
    """A step, where it stands and why."""

    key: str
    kind: str
    state: str
    target: str | None
    attempt: int
    needs: list[str] = Field(default_factory=list)
    gates: bool = True
    evidence: str = ""
    awaits: str | None = None
    overdue: datetime | None = None
    trouble: TroubleView | None = None
    decision: DecisionView | None = None
    ended: datetime | None = None


class ItemView(View):
    """An item of any level."""

    id: str
    order: str
    specification: str
    level: str
    state: str
    depends_on: list[str]
    parent: str | None
    serves: list[str] = Field(default_factory=list)
    characteristics: dict[str, Any] = Field(default_factory=dict)
    reason: str = ""
    trouble: TroubleView | None = None
    started: datetime | None = None
    ended: datetime | None = None
    steps: list[StepView] = Field(default_factory=list)


class OrderHead(View):
    """An order in a list."""

    id: str
    external_id: str | None
    level: str
    state: str
    customer: str = ""
    description: str = ""
    reason: str = ""
    created: datetime
    requested_start_date: datetime | None = None
    requested_completion_date: datetime | None = None
    scheduled: bool = False
    """It waits for its start date; nothing of it has begun."""
    overdue: bool = False
    """It is not complete by its completion date, or was not when it ended."""
    ended: datetime | None = None


class AllocationView(View):
    """A line of the allocation table."""

    rfs: str
    resource: str
    type: str
    value: str


class InstanceView(View):
    """A product or service instance."""

    id: str
    specification: str
    state: str
    characteristics: dict[str, Any]
    offering: str | None = None
    since: datetime | None = None


class OwnedView(InstanceView):
    """A product or service of a customer, and the orders that made and changed it, the first first."""

    customer: str
    level: str
    until: datetime | None
    orders: list[str]


class TargetView(View):
    """A target of the order and what became of it: done, failed, held, waiting, or not attempted."""

    name: str
    platform: str
    state: str
    transaction: str | None
    message: str = ""


class TransactionView(View):
    """One transaction that carried changes of the order, with what was really sent (secrets masked)."""

    id: str
    target: str
    state: str
    message: str
    sent: str
    checks: list[str]
    opened: str
    ended: str | None


class EventView(View):
    """A line of the history."""

    number: int
    at: datetime
    order: str
    item: str | None
    type: str
    data: dict[str, Any]


class AnswerView(View):
    """An answer that a case may be given. `typed`: as it is typed, with the values it may have."""

    answer: str
    values: dict[str, str]
    typed: str


class NoteView(View):
    """What somebody wrote down on a case."""

    by: str
    at: datetime
    text: str


class CaseView(View):
    """A fallout case: why a step stands still, since when, who must act, what they may answer, and what was answered."""

    id: str
    state: str
    order: str
    root: str
    item: str | None
    specification: str | None
    step: str
    kind: str
    target: str | None
    type: str
    trouble: TroubleView | None
    queue: str
    assignee: str | None
    opened: datetime
    age: float
    """Seconds since it was opened, or between its opening and its end."""
    due: datetime | None
    overdue: bool
    waits_for: str | None
    wait_before: int | None = None
    """How many orders wait for the same and are served earlier; known where one order is shown."""
    tries: int
    answers: list[AnswerView]
    answer: str | None
    given: dict[str, str]
    answered_by: str | None
    outcome: str
    ended: datetime | None
    follows: str | None
    notes: list[NoteView]
    version: int


class OrderDocument(View):
    """All of an order."""

    order: OrderHead
    orders: list[OrderHead]
    items: list[ItemView]
    allocations: list[AllocationView]
    services: list[InstanceView]
    products: list[InstanceView]
    targets: list[TargetView]
    cases: list[CaseView] = Field(default_factory=list)
    """Of its steps that stand still."""
    transactions: list[TransactionView] = Field(default_factory=list)
    history: list[EventView] = Field(default_factory=list)
