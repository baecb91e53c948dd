"""All of one order."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from engine.documents import OrderDocument
from turnup.screen import changes, decomposition, marks, tables
from turnup.screen.plan import plan
from turnup.screen.troubles import troubles
from turnup.screen.watch import planned, title
from turnup.timeline import timeline


def whole(document: OrderDocument) -> Iterator[RenderableType]:
    """From the state at the top to the history at the end."""
    head = document.order
    yield marks.state(head.state).append(f"  {head.id}", "bold").append(f"  {head.external_id or ''}  {head.customer}", "dim")
    if dates := marks.dates(head):
        yield dates
    if head.description:
        yield Text(head.description)
    yield Text()
    yield decomposition.tree(title(document), document.items)
    yield from troubles(document)
    if planned(document):
        yield plan(document.items)
    yield from tables.result(document)
    yield from changes.transactions(document.transactions)
    yield tables.timeline(timeline(document))
    yield tables.history(document.history)
