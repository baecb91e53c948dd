"""A fallout case as plain data: one step that stands still, one person's answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from engine.ports import Trouble


class CaseState(StrEnum):
    """Where a case stands. A case takes one answer: a step that stands still again has a new case, which follows the old one."""

    OPEN = "open"
    TAKEN = "taken"  # somebody is at it
    ANSWERED = "answered"  # a person's answer moved the step
    CLOSED = "closed"  # the step went on, or was cancelled, without an answer

    @property
    def final(self) -> bool:
        """Nothing more will happen to it."""
        return self in (CaseState.ANSWERED, CaseState.CLOSED)


class Answer(StrEnum):
    """What a person may say to a case."""

    RETRY = "retry"  # do it again; with values: with these
    DONE = "done"  # it was done by hand: look, and believe it when it is so
    SKIP = "skip"  # go on without it
    UNDO = "undo"  # take the order back
    CANCEL = "cancel"  # cancel the order


@dataclass(frozen=True)
class Choice:
    """One answer that is possible, with the values that may be given: name -> what is to be written for it."""

    answer: Answer
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """What somebody wrote down."""

    by: str
    at: datetime
    text: str


@dataclass(frozen=True)
class Case:
    """One standstill of one step. `type` is the class of its error, `queue` who must act."""

    id: str
    root: str
    order: str
    item: str | None
    specification: str | None
    step: str
    kind: str
    target: str | None
    trouble: Trouble | None
    type: str
    queue: str
    state: CaseState
    answers: tuple[Choice, ...]
    tries: int
    """Attempts that the step had until then."""
    opened: datetime
    waits_for: str | None = None
    """It also goes on by itself, when there is some of this."""
    follows: str | None = None
    """The case of the step's standstill before."""
    due: datetime | None = None
    assignee: str | None = None
    notes: tuple[Note, ...] = ()
    answer: Answer | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    answered_by: str | None = None
    outcome: str = ""
    ended: datetime | None = None
    version: int = 1
    """Counts the changes."""
