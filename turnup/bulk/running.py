"""Running a bulk file: accept its rows, then follow all its orders together, by counting them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import Field

from engine.acceptance import Acceptance
from engine.documents import View
from engine.overview import Counts, Overview, StandingView
from engine.states import OrderState
from turnup.bulk.accepting import Intake, accept
from turnup.bulk.files import read
from turnup.bulk.rows import RefusedRow
from turnup.following import LOOK, PATIENCE, Exit
from turnup.wiring import Wiring
from turnup.working import Working, who_works

SHARE = 0.05
"""Most of the time that looking may take: with many orders it is done less often."""


class BulkDocument(View):
    """What became of a bulk file."""

    file: str
    rows: int = Field(description="orders in the file")
    accepted: int = Field(description="accepted by this run")
    repeated: int = Field(description="accepted before: nothing was ordered twice")
    refused: list[RefusedRow]
    orders: dict[str, int] = Field(description="number of orders by state")
    scheduled: int = Field(default=0, description="of these those that wait for their start date")
    standing: list[StandingView] = Field(default_factory=list, description="why orders stand still or failed")
    worker: dict[str, object] = Field(default_factory=dict, description="who works the orders, when this run does not follow them")

    @property
    def exit_code(self) -> Exit:
        """1 as soon as one row was refused or one order failed, even when all others are done; 2 when no row could be accepted."""
        states = {OrderState(state) for state in self.orders}
        if not states:
            return Exit.BAD_INPUT
        if self.refused or any(state.final and state is not OrderState.COMPLETED for state in states):
            return Exit.FAILED
        return Exit.DONE if states == {OrderState.COMPLETED} or self.worker else Exit.WAITING


class Shows(Protocol):
    """Shows how far a file is."""

    def accepting(self, intake: Intake) -> None:
        """Rows were looked at."""

    def following(self, counts: Counts, left_alone: list[str]) -> None:
        """Where the orders are, and which targets do not answer."""

    def note(self, text: str) -> None:
        """Something to be said once."""


@dataclass(frozen=True)
class Bulk:
    """One run of a bulk file."""

    wiring: Wiring
    file: Path
    screen: Shows

    def submit(self) -> BulkDocument:
        """Accept the rows and say who will work the orders. Raises PlaybookInvalid, and what `accept` raises."""
        intake = self._accept()
        return self._document(intake, who_works(self.wiring)[0])

    def run(self) -> BulkDocument:
        """Accept the rows and follow the orders until they have ended or need a person. Raises likewise; StoreError."""
        intake = self._accept()
        if intake.orders:
            self._follow(Overview(self.wiring.store.database, intake.orders))
        return self._document(intake, {})

    def _accept(self) -> Intake:
        rows = read(self.file, self.wiring.catalogue)
        return accept(Acceptance(self.wiring.workplace, self.wiring.catalogue), rows, self.screen.accepting)

    def _follow(self, orders: Overview) -> None:
        with Working(self.wiring) as working:
            if not working.begin():
                self.screen.note(f"process {working.other} works the lanes; this one follows, and takes over when that one ends")
            patience = _Patience()
            while True:
                working.begin()
                began = time.monotonic()
                counts = orders.counts()
                self.screen.following(counts, working.left_alone())
                if counts.stopped == counts.total and patience.over(orders.moving()):
                    return
                time.sleep(max(LOOK, (time.monotonic() - began) / SHARE))

    def _document(self, intake: Intake, worker: Mapping[str, object]) -> BulkDocument:
        orders = Overview(self.wiring.store.database, intake.orders)
        counts = orders.counts()
        return BulkDocument(
            file=str(self.file),
            rows=intake.rows,
            accepted=intake.accepted,
            repeated=intake.repeated,
            refused=intake.refused,
            orders={str(state): count for state, count in counts.by_state.items()},
            scheduled=counts.scheduled,
            standing=orders.standing(),
            worker=dict(worker),
        )


class _Patience:
    """Held orders may have a branch that goes on: that is waited for. What nobody waits for, in orders that have ended, only a while."""

    def __init__(self) -> None:
        self._until: float | None = None

    def over(self, moving: Counts) -> bool:
        """Whether there is nothing left to wait for."""
        if moving.total > moving.ended:
            self._until = None
            return False
        self._until = self._until or time.monotonic() + PATIENCE
        return moving.total == 0 or time.monotonic() > self._until
