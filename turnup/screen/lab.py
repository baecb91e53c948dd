"""The embedded lab."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich import box
from rich.table import Table
from rich.text import Text

from lab.control import StandInStatus
from turnup.screen.tables import row

_STYLES = {"ready": "green", "starting": "yellow", "dead": "red", "down": "dim"}


def lab(found: Sequence[StandInStatus], now: datetime) -> Table:
    """A line for each stand-in, and the lab's time."""
    table = Table(title=f"Lab, where it is {now:%Y-%m-%d %H:%M}", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in ("Name", "Kind", "State", "Address", "Process", "Detail"):
        table.add_column(column, overflow="fold")
    for one in found:
        state = Text(str(one.state), _STYLES.get(str(one.state), ""))
        address = f"{one.endpoint.host}:{one.endpoint.port}" if one.endpoint else ""
        row(table, one.name, one.kind, state, address, str(one.pid or ""), one.detail)
    return table
