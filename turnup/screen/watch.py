"""An order while it is worked: live in a terminal, line by line elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from engine.documents import ItemView, OrderDocument, StepView
from turnup.screen import decomposition, marks
from turnup.screen.plan import plan


class Watch(Protocol):
    """Shows an order as it goes on."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the last state on the screen."""

    def update(self, document: OrderDocument) -> None:
        """Show what has changed."""


def watch(console: Console, now: Callable[[], datetime]) -> Watch:
    """The way of showing that fits this console. `now`: the time that the order lives in."""
    return LiveWatch(console, now) if console.is_terminal else PlainWatch(console, now)


def title(document: OrderDocument) -> str:
    """The ids of the orders of all levels."""
    return " → ".join(order.id for order in document.orders)


class LiveWatch:
    """Tree and targets stay in place and change; the plan is printed above them once."""

    def __init__(self, console: Console, now: Callable[[], datetime]) -> None:
        self._console, self._now = console, now
        self._document: OrderDocument | None = None
        self._plan_shown = False
        self._spinner = Spinner("dots", Text(" getting everything ready", "dim"))
        self._live = Live(console=console, get_renderable=self._picture, refresh_per_second=8)

    def __enter__(self) -> Self:
        """Begin to show."""
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the last picture on the screen."""
        self._live.stop()

    def update(self, document: OrderDocument) -> None:
        """Take over what has changed."""
        self._document = document
        if not self._plan_shown and planned(document):
            self._plan_shown = True
            self._console.print(plan(document.items))
        self._live.refresh()

    def _picture(self) -> Group:
        document = self._document
        if document is None:
            return Group(self._spinner)
        elapsed = marks.since(self._now() - document.order.created)
        self._spinner.update(text=Text(f" {document.order.state}, {elapsed} since the order", "dim"))
        parts: list[RenderableType] = [decomposition.tree(title(document), document.items), Text(), *_targets(document)]
        return Group(*parts) if document.order.ended else Group(*parts, self._spinner)


def _targets(document: OrderDocument) -> Iterator[Table]:
    """A line for each target: which items work there, and how far they are."""
    found: dict[str, list[tuple[ItemView, StepView]]] = {}
    for item, step in work(document):
        if step.target:
            found.setdefault(step.target, []).append((item, step))
    if found:
        table = Table.grid(padding=(0, 2))
        for name, done in found.items():
            steps = Text("  ").join(marks.mark(step.state).append(f" {item.id} {step.kind}", "default") for item, step in done)
            table.add_row(Text(name, "bold"), steps)
        yield table


class PlainWatch:
    """A line for each change of an order, item or step."""

    def __init__(self, console: Console, now: Callable[[], datetime]) -> None:
        self._console, self._now = console, now
        self._known: dict[str, str] = {}
        self._told: set[str] = set()
        self._plan_shown = False

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing to leave."""

    def update(self, document: OrderDocument) -> None:
        """Print what has changed; tree and plan as soon as they are complete. Of an order that has ended already only these."""
        over = bool(document.order.ended) and not self._known
        if planned(document) and not self._plan_shown:
            self._plan_shown = True
            self._console.print(decomposition.tree(title(document), document.items, states=over), plan(document.items), sep="\n")
        if over:
            return
        elapsed = marks.since(self._now() - document.order.created)
        for name, state, reason in _states(document):
            if self._known.get(name) != state + reason:
                self._known[name] = state + reason
                # with the first that it stops, not again with all that depends on it
                told = f" ({reason})" if reason and (reason not in self._told or name.startswith(" ")) else ""
                self._told.add(reason)
                self._console.print(f"{elapsed:>8}  {name}: {state}{told}", highlight=False, markup=False)


_PUSHES = ("configure", "remove", "restore")
_WORK = (*_PUSHES, "wait", "online")
_TOLD = {"waiting", "held", "done", "failed"}


def _states(document: OrderDocument) -> Iterator[tuple[str, str, str]]:
    zone = document.order.created.tzinfo
    for order in document.orders:
        yield f"{order.level} order {order.id}", order.state, order.reason
    for item in document.items:
        if item.state != "acknowledged":
            yield f"{item.id} {item.specification}", item.state, item.reason
    for item, step in work(document):
        # a look at what is waited for is no news; what it found is
        if step.state in _TOLD or (step.state == "running" and step.kind in _PUSHES):
            reason = step.trouble.message if step.trouble else marks.times(step.evidence, zone)
            yield f"  {item.id} {step.kind} at {step.target}", step.state, reason


def work(document: OrderDocument) -> Iterator[tuple[ItemView, StepView]]:
    """The steps that are done at targets, with their items."""
    return ((item, step) for item in document.items for step in item.steps if step.kind in _WORK)


def planned(document: OrderDocument) -> bool:
    """Whether the plan is there and the targets of its first steps are known."""
    return any(step.target for _, step in work(document))
