"""Tables of an order: what was allocated, the services and products, the targets with their transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from engine.documents import AllocationView, EventView, InstanceView, OrderDocument, OrderHead, OwnedView, TargetView
from turnup.screen import marks
from turnup.timeline import Moment

SHORT = 8
"""Characters of a transaction's id: enough to find it again."""


def titled(title: str, *columns: str) -> Table:
    """An empty table."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def row(table: Table, *cells: str | Text) -> None:
    """Add a row. As text: what devices say has brackets in it, which rich would take for markup and swallow."""
    table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))


def allocations(found: Sequence[AllocationView], *, expected: bool = False) -> Table:
    """The allocation table. `expected`: of a dry run, where nothing was taken."""
    table = titled("Allocations (expected: nothing was taken)" if expected else "Allocations", "RFS", "Resource", "Type", "Value")
    for line in found:
        row(table, line.rfs, line.resource, line.type, Text(line.value, "cyan" if expected else "green"))
    return table


def instances(title: str, found: Sequence[InstanceView]) -> Table:
    """Services or products with their characteristics."""
    table = titled(title, "Id", "Specification", "State", "Characteristics")
    for each in found:
        row(table, each.id, each.specification, marks.state(each.state), characteristics(each.characteristics))
    return table


def owned(found: Sequence[OwnedView]) -> Table:
    """What customers have, since when, from which orders."""
    table = titled("What customers have", "Customer", "Id", "Specification", "State", "Since", "Orders", "Characteristics")
    for each in found:
        since = f"{each.since:%Y-%m-%d %H:%M}" if each.since else ""
        until = f" to {each.until:%Y-%m-%d %H:%M}" if each.until else ""
        what = characteristics(each.characteristics)
        row(table, each.customer, each.id, each.specification, marks.state(each.state), since + until, ", ".join(each.orders), what)
    return table


def characteristics(values: dict[str, Any]) -> str:
    """`downloadSpeed=200, technology=GPON`."""
    return ", ".join(f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in values.items())


def result(document: OrderDocument) -> Iterator[RenderableType]:
    """Everything that an order gave, as far as there is any: allocations, services, products, targets, online."""
    if document.allocations:
        yield allocations(document.allocations)
    if document.services:
        yield instances("Services", document.services)
    if document.products:
        yield instances("Products", document.products)
    if document.targets:
        yield targets(document.targets)
    yield from online(document)


def targets(found: Sequence[TargetView]) -> Table:
    """Targets, what became of each, and the transaction that did it."""
    table = titled("Targets", "Target", "Platform", "State", "Transaction", "Message")
    for each in found:
        row(table, each.name, each.platform, marks.state(each.state), (each.transaction or "")[:SHORT], each.message)
    return table


def timeline(moments: Sequence[Moment]) -> Table:
    """Since the order was submitted, in the time that the order lives in."""
    table = titled("Timeline", "Time", "Event")
    table.columns[0].justify = "right"
    table.columns[0].no_wrap = True
    before = ""
    for moment in moments:
        label = marks.since(moment.since)
        row(table, "" if label == before else label, moment.text)
        before = label
    return table


def orders(found: Sequence[OrderHead]) -> Table:
    """A list of orders."""
    table = titled("Orders", "Order", "External id", "Customer", "State", "Created", "Description")
    for each in found:
        text = Text(each.description)
        if each.reason:
            text.append(f" ({each.reason})", "magenta")
        state = marks.state(each.state)
        if dates := marks.dates(each):
            state.append("\n").append_text(dates)
        row(table, each.id, each.external_id or "", each.customer, state, _moment(each.created), text)
    return table


def history(found: Sequence[EventView]) -> Table:
    """Every event of an order."""
    table = titled("History", "Time", "Order", "Item", "Event", "Data")
    for each in found:
        data = {**each.data, "id": each.data["id"][:SHORT]} if each.type == "transaction" else each.data
        row(table, _moment(each.at), each.order, each.item or "", each.type, characteristics(data))
    return table


def online(document: OrderDocument) -> list[Text]:
    """Since when and by what evidence each service is online."""
    found = []
    for item in document.items:
        for step in item.steps:
            if step.kind == "online" and step.state not in ("blocked", "cancelled"):
                line = marks.mark(step.state).append(f" online ({item.id}): ")
                line.append(marks.times(step.evidence, document.order.created.tzinfo) or "not seen yet")
                found.append(line)
    return found


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")
