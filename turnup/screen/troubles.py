"""Why an order stands still, and what a person may do."""

from __future__ import annotations

from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from engine.documents import CaseView, OrderDocument, TroubleView
from turnup.screen.cases import short


def troubles(document: OrderDocument) -> list[RenderableType]:
    """One panel for each reason, with the items that it stops."""
    found: dict[tuple[str, str], tuple[TroubleView, list[str]]] = {}
    cases = {(case.trouble.code, case.trouble.message): case for case in document.cases if case.trouble}
    for item in document.items:
        if item.trouble is not None and item.state != "completed":
            key = (item.trouble.code, item.trouble.message)
            found.setdefault(key, (item.trouble, []))[1].append(item.id)
    return [_panel(trouble, stopped, cases.get(key)) for key, (trouble, stopped) in found.items()]


def _panel(trouble: TroubleView, stopped: list[str], case: CaseView | None) -> RenderableType:
    text = Text(trouble.message)
    text.append(f"\n\nStops: {', '.join(stopped)}", "dim")
    text.append("\nWhat to do: ", "bold").append(trouble.remedy)
    if case is not None:
        text.append("\nCase: ", "bold").append_text(short(case))
        text.append("\nAnswers: ", "bold").append(", ".join(answer.typed for answer in case.answers))
    return Panel(text, title=f"[bold]{trouble.code}[/]", title_align="left", border_style="magenta", padding=(0, 1))
