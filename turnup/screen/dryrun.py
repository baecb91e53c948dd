"""The dry run of an order."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from turnup.planning import PlanDocument
from turnup.screen import decomposition, tables
from turnup.screen.changes import change
from turnup.screen.plan import plan


def dry_run(document: PlanDocument, file: str) -> Iterator[RenderableType]:
    """Items, plan, expected allocations, the change of each target, the checksum."""
    yield decomposition.tree(f"{document.external_id} (dry run: nothing is claimed, nothing is changed)", document.items, states=False)
    yield Text()
    yield plan(document.items)
    yield tables.allocations(document.allocations, expected=True)
    for shortage in document.shortages:
        yield Text(f"short: {shortage.item} {shortage.name}: {shortage.message}", "magenta")
    for each in document.changes:
        yield change(f"{each.target} ({each.platform})", each.change)
    for each_untold in document.untold:
        yield Text(f"not known before its resources are: {each_untold}", "dim")
    yield Text("checksum ", "bold").append(document.checksum, "cyan")
    if document.ordered is None:
        yield Text(f"`turnup run {file} --checksum {document.checksum}` sends exactly this, or refuses", "dim")
    else:
        yield Text(f"{document.external_id} was ordered before as {document.ordered}: a run orders nothing more", "yellow")
