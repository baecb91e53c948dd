"""Changes of devices, as they are sent, in colour."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from engine.documents import TransactionView
from turnup.screen import marks, tables


def change(title: str, text: str) -> RenderableType:
    """One change, a statement a line: what comes in green, what goes in red. Without a frame, so that it can be copied."""
    body = Text("\n").join(_line(line) for line in text.splitlines()) if text.strip() else Text("no change", "dim")
    return Group(Rule(Text(title, "bold"), align="left", style="dim"), body, "")


def _line(line: str) -> Text:
    style = {"+": "green", "-": "red", "~": "yellow"}.get(line.lstrip()[:1], "")
    return Text(line, style)


def transactions(found: list[TransactionView]) -> Iterator[RenderableType]:
    """What was really sent, transaction by transaction."""
    for each in found:
        yield change(f"{each.target} · {marks.mark(each.state)} {each.state} · {each.id[: tables.SHORT]}", each.sent)
        for check in each.checks:
            yield Text(f"   check {check}", "dim")
        if each.message:
            yield Text(f"   {each.message}", "red")
