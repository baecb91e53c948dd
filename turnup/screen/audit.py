"""What an audit of NetBox found."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from inventory.audit import AuditReport
from turnup.screen.tables import row


def audited(report: AuditReport) -> Iterator[RenderableType]:
    """A line for each thing that does not fit."""
    if report.findings:
        table = Table(title="What does not fit", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        for column in ("Kind", "Object", "Mark", "Message"):
            table.add_column(column, overflow="fold")
        for finding in report.findings:
            row(table, Text(finding.kind, "red"), f"{finding.name} ({finding.url})", finding.mark, finding.message)
        yield table
    looked = ", ".join(f"{count} {model}" for model, count in report.looked_at.items())
    if report.clean:
        yield Text("✔ NetBox and the orders fit", "green").append(f"  looked at: {looked}", "dim")
    else:
        yield Text(f"{len(report.findings)} findings").append(f"  looked at: {looked}", "dim")
