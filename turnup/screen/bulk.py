"""A bulk file while it is worked, as bars in a terminal and now and then a line elsewhere; and its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from engine.overview import Counts, StandingView
from turnup.bulk.accepting import Intake
from turnup.bulk.rows import RefusedRow
from turnup.bulk.running import BulkDocument
from turnup.screen import marks
from turnup.screen.tables import row, titled

LINE = 5.0
"""Seconds between two lines where there is no terminal."""
MOST_SHOWN = 50
ACCEPT, COMPLETE = "accept", "complete"


class BulkScreen:
    """Two bars, one after the other: rows that are accepted, then orders that have ended or are held."""

    def __init__(self, console: Console, now: Callable[[], float] = time.monotonic) -> None:
        """`now`: seconds, for rates."""
        self._console, self._lines, self._now = console, not console.is_terminal, now
        self._progress = Progress(
            TextColumn("{task.description:<8}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            _Says(),
            console=console,
            disable=self._lines,  # it counts all the same
            get_time=now,
        )
        self._phases: dict[str, TaskID] = {}
        self._told, self._alone = now(), set[str]()

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the last picture on the screen."""
        self._progress.stop()

    def accepting(self, intake: Intake) -> None:
        """Rows were looked at."""
        says = Text(f"{intake.accepted} accepted")
        says.append(f", {intake.repeated} ordered before" if intake.repeated else "", "dim")
        says.append(f", {len(intake.refused)} refused" if intake.refused else "", "red")
        self._update(ACCEPT, intake.done, intake.rows, says)

    def following(self, counts: Counts, left_alone: list[str]) -> None:
        """Where the orders are, and which targets do not answer."""
        for text in left_alone:
            if text not in self._alone:
                self.note(text)
        self._alone = set(left_alone)
        says = states({str(state): count for state, count in counts.by_state.items()})
        says.append(f"  {counts.scheduled} scheduled for later" if counts.scheduled else "", "blue")
        self._update(COMPLETE, counts.stopped, counts.total, says)

    def note(self, text: str) -> None:
        """Something to be said once."""
        self._console.print(Text(text, "dim"))

    def _update(self, phase: str, done: int, total: int, says: Text) -> None:
        if phase not in self._phases:
            self._phases[phase] = self._progress.add_task(phase, total=total, says=says)
        number = self._phases[phase]
        self._progress.update(number, completed=done, total=total, says=says)
        task = next(task for task in self._progress.tasks if task.id == number)
        if self._lines and (done == total or self._now() - self._told >= LINE):
            self._told = self._now()
            self._console.print(_line(task), soft_wrap=True)


class _Rate(ProgressColumn):
    """`48.2/s`."""

    def render(self, task: Task) -> Text:
        """Of the last half minute; of a finished task its own."""
        return Text(rate(task), "cyan")


class _Says(ProgressColumn):
    """Counts by state."""

    def render(self, task: Task) -> Text:
        """As it was given."""
        said: Text = task.fields["says"]
        return said


def rate(task: Task) -> str:
    """How many a second; nothing when it is not known yet."""
    speed = task.finished_speed or task.speed
    return f"{speed:.1f}/s" if speed else ""


def _line(task: Task) -> Text:
    left = f"{task.time_remaining:.0f} s left" if task.time_remaining and not task.finished else ""
    parts = [f"{task.completed:.0f} of {task.total:.0f}", rate(task), left]
    return Text(f"{task.description}: ").append(", ".join(filter(None, parts))).append("; ").append(task.fields["says"])


def states(found: Mapping[str, int]) -> Text:
    """`✔ 28 completed  ■ 2 held`."""
    parts = [marks.mark(state).append(f" {count} {state}", "default") for state, count in found.items()]
    return Text("  ").join(parts)


# ------------------------------------------------------------------------------------------------------------------- result


def result(document: BulkDocument) -> Iterator[RenderableType]:
    """What became of the file: bad rows, reasons, counts."""
    if document.refused:
        yield _refused(document.file, document.refused)
    if document.standing:
        yield _standing(document.standing)
    yield from _orders(document)
    yield Text()
    yield _sum(document)


def _refused(file: str, found: list[RefusedRow]) -> RenderableType:
    made = titled("Rows that were refused", "Row", "External id", "Code", "Message")
    made.columns[0].no_wrap = True
    for each in found[:MOST_SHOWN]:
        row(made, f"{file}:{each.line}", each.external_id or "", Text(each.code, "red"), each.message)
    if len(found) > MOST_SHOWN:
        row(made, "...", "", "", f"and {len(found) - MOST_SHOWN} more; --json lists all")
    return made


def _standing(found: list[StandingView]) -> RenderableType:
    made = titled("What stands still, and why", "Orders", "State", "Code", "Message", "What to do")
    made.columns[0].justify = "right"
    for each in found:
        row(made, str(each.count), marks.state(each.state), each.code, each.message, each.remedy)
    return made


def _orders(document: BulkDocument) -> Iterator[RenderableType]:
    if document.orders:
        made = titled("Orders", "State", "Orders")
        made.columns[1].justify = "right"
        for state, count in document.orders.items():
            row(made, marks.state(state), str(count))
        yield made


def _sum(document: BulkDocument) -> Text:
    text = Text(f"{document.file}: {document.rows} rows: {document.accepted} accepted", "bold")
    if document.repeated:
        text.append(f", {document.repeated} ordered before (nothing was ordered twice)")
    if document.refused:
        text.append(f", {len(document.refused)} refused")
    return text
