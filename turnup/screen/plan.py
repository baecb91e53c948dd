"""The plan of an order: which items wait for which, in branches that run side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from engine.documents import ItemView, StepView

_KINDS = {"configure": "configure", "wait": "wait at", "online": "see online at", "remove": "remove from"}


def branches(items: Sequence[ItemView]) -> list[list[ItemView]]:
    """The resource items in groups that do not depend on each other, each in an order in which they can be done."""
    resources = [item for item in items if item.level == "resource"]
    groups: list[list[ItemView]] = []
    for item in resources:
        linked = {item.id, *item.depends_on} | {other.id for other in resources if item.id in other.depends_on}
        joined = [group for group in groups if linked & {member.id for member in group}]
        groups = [group for group in groups if group not in joined] + [[item, *(member for group in joined for member in group)]]
    return sorted((_in_order(group) for group in groups), key=lambda group: min(item.id for item in group))


def _in_order(group: Iterable[ItemView]) -> list[ItemView]:
    left, done = sorted(group, key=lambda item: item.id), []
    while left:
        item = next(item for item in left if all(other.id not in item.depends_on for other in left))
        left.remove(item)
        done.append(item)
    return done


def plan(items: Sequence[ItemView]) -> Table:
    """The branches beside each other, each item with what it waits for and where it works."""
    found = branches(items)
    services = {item.id: item.specification.partition(":")[2] for item in items if item.level == "service"}
    count = "1 branch" if len(found) == 1 else f"{len(found)} branches side by side"
    table = Table(title=f"Plan: {count}", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0))
    for group in found:
        table.add_column(", ".join(dict.fromkeys(services[name] for item in group for name in item.serves if name in services)))
    for row in range(max(map(len, found), default=0)):
        table.add_row(*(_cell(group[row]) if row < len(group) else Text() for group in found))
    return table


def _cell(item: ItemView) -> Text:
    text = Text(f"{item.id} ", "bold").append(item.specification.partition(":")[2], "")
    if item.depends_on:
        text.append(f"  after {', '.join(item.depends_on)}", "dim")
    for kind, targets in _work(item.steps).items():
        text.append(f"\n  {kind} {', '.join(targets)}", "cyan")
    return text


def _work(steps: Sequence[StepView]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for step in steps:
        if step.kind in _KINDS:
            found.setdefault(_KINDS[step.kind], []).append(step.target or "(told by the reservation)")
    return {kind: list(dict.fromkeys(targets)) for kind, targets in found.items()}
