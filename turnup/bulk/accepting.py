"""Accepting the rows of a bulk file. One that is refused is noted; the others go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.acceptance import Acceptance, Accepted, Submitted
from engine.errors import (
    BadInput,
    CatalogueInvalid,
    Conflict,
    DuplicateOrder,
    InventoryIncomplete,
    SettingsInvalid,
    TemplateFailed,
    TurnupError,
)
from turnup.bulk.files import Found
from turnup.bulk.rows import RefusedRow, Row

TOGETHER = 100
"""Rows that are accepted with one write to the disk."""


@dataclass
class Intake:
    """What has become of a file's rows so far."""

    rows: int
    accepted: int = 0
    repeated: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    orders: dict[str, int] = field(default_factory=dict)
    """The file's orders, by id, with the line that asked for each first."""

    @property
    def done(self) -> int:
        """How many rows were looked at."""
        return self.accepted + self.repeated + len(self.refused)


def accept(acceptance: Acceptance, rows: Sequence[Found], told: Callable[[Intake], None]) -> Intake:
    """Accept what can be accepted; `told` of each step forward.

    Raises what is not a row's fault (NetBox or database gone, settings): what was accepted before stays.
    """
    intake, lines = Intake(len(rows)), dict[str, int]()
    for first in range(0, len(rows), TOGETHER):
        some = rows[first : first + TOGETHER]
        good = [row for row in some if isinstance(row, Row)]
        intake.refused += [row for row in some if isinstance(row, RefusedRow)]
        try:
            outcomes = acceptance.submit_many([row.request for row in good])
        except TurnupError as error:
            raise _with_place(error, intake) from error
        others = [_record(row, outcome, intake, lines) for row, outcome in zip(good, outcomes, strict=True)]
        told(intake)
        for other in filter(None, others):
            raise _with_place(other, intake) from other
    intake.refused.sort(key=lambda row: row.line)
    return intake


def _record(row: Row, outcome: Submitted, intake: Intake, lines: dict[str, int]) -> TurnupError | None:
    """Note what became of a row. Returns an error that is not the row's."""
    name = row.request.external_id
    if isinstance(outcome, Accepted):
        lines.setdefault(name, row.line)
        intake.orders.setdefault(outcome.id, row.line)
        intake.repeated += outcome.repeated
        intake.accepted += not outcome.repeated
        return None
    if not _of_the_row(outcome):
        return outcome
    intake.refused.append(row.refused(_twice(outcome, lines.get(name))))
    return None


def _of_the_row(error: TurnupError) -> bool:
    """Whether another row may do better."""
    of_all = isinstance(error, SettingsInvalid | CatalogueInvalid)
    return isinstance(error, BadInput | Conflict | InventoryIncomplete | TemplateFailed) and not of_all


def _twice(error: TurnupError, line: int | None) -> TurnupError:
    """A duplicate of another row of the file says of which."""
    if line is None or not isinstance(error, DuplicateOrder):
        return error
    return DuplicateOrder(f"{error.message} (line {line} of this file)")


def _with_place(error: TurnupError, intake: Intake) -> TurnupError:
    """The error with how far the file is."""
    how_far = f"{intake.done} of {intake.rows} rows were looked at; the same command goes on with the rest"
    return type(error)(f"{error.message} ({how_far})", target=error.target, remedy=error.hint)
