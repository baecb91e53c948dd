"""The orders while they change: a live list in a terminal, a line for each change elsewhere, a JSON object a line for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from engine.documents import OrderHead
from engine.states import OrderState
from turnup.changes import Change
from turnup.screen import marks, tables
from turnup.screen.bulk import states

AROUND = 8
"""Lines of the screen that are not orders."""


class Screen(Protocol):
    """Shows orders that change."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the last picture."""

    def changed(self, changes: Sequence[Change]) -> None:
        """Show these."""


class Lines:
    """A line for each change, of `state` only for those to it. `write` gets what a change is as."""

    def __init__(self, write: Callable[[Change], None], state: OrderState | None) -> None:
        self._write, self._state = write, state

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing to leave."""

    def changed(self, changes: Sequence[Change]) -> None:
        """Print them."""
        for change in changes:
            if self._state is None or change.head.state == self._state:
                self._write(change)


def as_text(console: Console) -> Callable[[Change], None]:
    """Writes changes for people."""
    return lambda change: console.print(line(change), soft_wrap=True)


def as_json(file: TextIO) -> Callable[[Change], None]:
    """Writes changes for programs, each at once."""
    return lambda change: print(change.view.model_dump_json(by_alias=True), file=file, flush=True)


def line(change: Change) -> Text:
    """`2024-03-11 09:00:00  PO-2024-00847  SF200-CUST-4821  CUST-4821  ■ held  (no free port)`."""
    head = change.head
    parts = [f"{change.at:%Y-%m-%d %H:%M:%S}", head.id, head.external_id or "", head.customer]
    text = Text("  ".join(filter(None, parts))).append("  ").append(marks.state(head.state))
    return text.append(f"  ({head.reason})" if head.reason else "", "magenta")


class LiveList:
    """How many orders are in which state, and those that changed last, or of `state` all that fit."""

    def __init__(self, console: Console, now: Mapping[str, OrderState], heads: Iterable[OrderHead], state: OrderState | None) -> None:
        self._now, self._state = dict(now), state
        self._counts = Counter(self._now.values())
        self._heads = {head.id: head for head in heads}
        self._most = max(3, console.height - AROUND)
        self._live = Live(console=console, get_renderable=self._picture, refresh_per_second=8)

    def __enter__(self) -> Self:
        """Begin to show."""
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the last picture on the screen."""
        self._live.stop()

    def changed(self, changes: Sequence[Change]) -> None:
        """Take over what has changed; what changed last is at the end."""
        for head in (change.head for change in changes):
            self._count(head)
            self._heads.pop(head.id, None)
            if self._state is None or head.state == self._state:
                self._heads[head.id] = head
        if self._state is None:
            for order in list(self._heads)[: -self._most]:
                del self._heads[order]
        self._live.refresh()

    def _count(self, head: OrderHead) -> None:
        before, state = self._now.get(head.id), OrderState(head.state)
        if before is not None:
            self._counts[before] -= 1
        self._counts[state] += 1
        self._now[head.id] = state

    def _picture(self) -> Group:
        counts = {str(state): self._counts[state] for state in OrderState if self._counts[state]}
        shown = list(self._heads.values())[-self._most :]
        more = len(self._heads) - len(shown)
        above = [Text(f"and {more} before these", "dim")] if more else []
        return Group(states(counts) if counts else Text("no orders", "dim"), Text(), *above, tables.orders(shown))
