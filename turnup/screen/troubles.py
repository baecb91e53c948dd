"""Why an order stands still, and what a person may do."""

from __future__ import annotations

from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from engine.documents import OrderDocument, TroubleView


def troubles(document: OrderDocument) -> list[RenderableType]:
    """One panel for each reason, with the items that it stops."""
    found: dict[tuple[str, str], tuple[TroubleView, list[str]]] = {}
    for item in document.items:
        if item.trouble is not None and item.state != "completed":
            key = (item.trouble.code, item.trouble.message)
            found.setdefault(key, (item.trouble, []))[1].append(item.id)
    return [_panel(trouble, stopped) for trouble, stopped in found.values()]


def _panel(trouble: TroubleView, stopped: list[str]) -> RenderableType:
    text = Text(trouble.message)
    text.append(f"\n\nStops: {', '.join(stopped)}", "dim")
    text.append("\nWhat to do: ", "bold").append(trouble.remedy)
    return Panel(text, title=f"[bold]{trouble.code}[/]", title_align="left", border_style="magenta", padding=(0, 1))
