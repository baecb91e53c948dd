"""What a check found, and what a repair does."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from turnup.drifting import DriftReport, DriftView, NodeView, RepairReport, RepairView
from turnup.screen import audit, marks
from turnup.screen.changes import change
from turnup.screen.tables import row

_SHOWN = 40
"""Nodes of a target; `--json` has more."""
_SIGNS = {"missing": ("-", "red"), "different": ("~", "yellow"), "extra": ("+", "cyan")}


def checked(report: DriftReport) -> Iterator[RenderableType]:
    """A line for each target, then what differs."""
    table = _table("Drift", "Target", "Platform", "State", "Fragments", "Message")
    for each in report.targets:
        row(table, each.target, each.platform, marks.state(each.state), str(each.fragments), _message(each))
    yield table
    for each in report.targets:
        if each.nodes:
            yield _nodes(each)
    if report.inventory is not None:
        yield from audit.audited(report.inventory)
    if report.unreachable:
        yield Text("not everything could be looked at", "magenta")
    if not report.clean:
        yield Text("`turnup repair` shows what would be sent to put it back, and asks first", "dim")
    elif not report.unreachable:
        yield Text("✔ everything is as it was applied", "green")


def repaired(report: RepairReport) -> Iterator[RenderableType]:
    """The exact difference of each target, or what became of it."""
    for each in report.targets:
        for transaction in each.transactions:
            state = f" · {marks.mark(transaction.state)} {transaction.state}" if transaction.state else ""
            yield change(f"{each.target} ({each.platform}){state}", transaction.change)
        yield from _remarks(each)
    if not any(each.transactions or each.trouble for each in report.targets):
        yield Text("✔ nothing to put back", "green")


def _remarks(each: RepairView) -> Iterator[Text]:
    if each.left:
        yield Text(f"{each.target}: {each.left}", "cyan")
    if each.trouble:
        yield Text(f"{each.target}: {each.trouble.code}: {each.trouble.message}", "red").append(f"\n   {each.trouble.remedy}", "dim")


def _message(each: DriftView) -> str:
    if each.trouble:
        return f"{each.trouble.code}: {each.trouble.message}"
    return "" if not each.found else "1 node differs" if each.found == 1 else f"{each.found} nodes differ"


def _nodes(each: DriftView) -> Table:
    table = _table(each.target, "", "Node", "Applied", "Held", "Fragment")
    for node in each.nodes[:_SHOWN]:
        sign, style = _SIGNS[node.kind]
        row(table, Text(sign, style), node.path, _value(node, node.applied), _value(node, node.held), node.fragment)
    if each.found > _SHOWN:
        row(table, "", Text(f"and {each.found - _SHOWN} more", "dim"))
    return table


def _value(node: NodeView, value: str | None) -> Text:
    return Text("missing" if node.kind == "missing" else "nobody's", "dim") if value is None else Text(value or "there")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
