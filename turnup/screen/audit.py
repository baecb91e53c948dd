"""What an audit of NetBox found."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from inventory.audit import AuditReport
from turnup.screen.tables import row, titled


def audited(report: AuditReport) -> Iterator[RenderableType]:
    """A line for each thing that does not fit."""
    if report.findings:
        table = titled("What does not fit", "Kind", "Object", "Mark", "Message")
        for finding in report.findings:
            row(table, Text(finding.kind, "red"), f"{finding.name} ({finding.url})", finding.mark, finding.message)
        yield table
    looked = ", ".join(f"{count} {model}" for model, count in report.looked_at.items())
    if report.clean:
        yield Text("✔ NetBox and the orders fit", "green").append(f"  looked at: {looked}", "dim")
    else:
        count = len(report.findings)
        yield Text(f"{count} finding{'s' if count > 1 else ''}").append(f"  looked at: {looked}", "dim")
