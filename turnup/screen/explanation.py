"""What the catalogue says about an RFS."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from engine.catalogue.explain import Explanation
from turnup.screen import tables


def whole(found: Explanation) -> Iterator[RenderableType]:
    """All of it: what it is and does, then what happens when a step fails."""
    yield Text(f"{found.id}  {found.name}", "bold")
    if found.description:
        yield Text(found.description)
    for heading in found.says:
        yield Group(Text(heading.title, "bold"), *(Text(f"  {line}") for line in heading.lines))
    table = tables.titled("When a step fails", "Step", "Errors", "What happens", "Rule")
    before = ""
    for each in found.failures:
        errors = Text(each.error if not each.only else f"{each.error} (only {each.only})")
        tables.row(table, each.step if each.step != before else "", errors, each.what, str(each.rule))
        before = each.step
    yield table
