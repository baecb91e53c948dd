"""What happened to an order and when, told from its history as the worked example tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.states import OrderState
from engine.views import EventView, ItemView, OrderDocument

_NOTED = {OrderState.COMPLETED, OrderState.HELD, OrderState.FAILED, OrderState.PARTIAL, OrderState.REJECTED, OrderState.CANCELLED}
"""States of items that are worth a line. That an item has begun shows in the next one's."""


@dataclass(frozen=True)
class Moment:
    """Something that happened, `since` the order was submitted."""

    since: timedelta
    text: str


def timeline(document: OrderDocument) -> list[Moment]:
    """The moments of an order, the first first; what happened at the same time is one moment."""
    found: dict[datetime, list[str]] = {}
    for at, text in sorted((*_events(document), *_reservations(document), *_waits(document)), key=lambda each: each[0]):
        found.setdefault(at, []).append(text)
    return [Moment(at - document.order.created, "; ".join(dict.fromkeys(texts))) for at, texts in found.items()]


def _events(document: OrderDocument) -> Iterator[tuple[datetime, str]]:
    levels = {order.id: order.level for order in document.orders}
    items = {(item.order, item.id): item for item in document.items}
    for event in document.history:
        level = levels.get(event.order, "")
        text = _of_item(document, items[event.order, event.item], event) if event.item else _of_order(level, event)
        if text:
            yield event.at, text


def _of_order(level: str, event: EventView) -> str:
    if event.type in ("orderCreate", "orderStateChange"):
        reason = f": {event.data['reason']}" if event.data.get("reason") else ""
        return f"{level} order {event.order} {event.data['state']}{reason}"
    if event.type == "transaction" and event.data["state"] != "confirmed":
        return f"{event.data['target']}: transaction {event.data['state']}"
    return ""


def _of_item(document: OrderDocument, item: ItemView, event: EventView) -> str:
    name = f"{item.id} {item.specification.partition(':')[2] or item.specification}"
    if event.type == "itemStateChange" and event.data["state"] in _NOTED:
        reason = f": {event.data['reason']}" if event.data.get("reason") else ""
        return f"{name} {event.data['state']}{reason}{_result(document, item, event.data)}"
    if event.type in ("serviceStateChange", "productStateChange") and event.data["state"] == "active":
        return f"{event.type.removesuffix('StateChange')} {event.data['id']} active"
    return ""


def _result(document: OrderDocument, item: ItemView, data: Mapping[str, object]) -> str:
    """What a completed resource item gave."""
    if item.level != "resource" or data["state"] != OrderState.COMPLETED:
        return ""
    values = [line.value for line in document.allocations if line.rfs == item.specification.partition(":")[2]]
    return f": {'; '.join(values)}" if values else ""


def _reservations(document: OrderDocument) -> Iterator[tuple[datetime, str]]:
    """What was reserved together."""
    found: dict[datetime, list[str]] = {}
    for event in document.history:
        if event.type == "allocation":
            found.setdefault(event.at, []).append(str(event.data["name"]))
    for at, names in found.items():
        yield at, f"reserved: {', '.join(names)}"


def _waits(document: OrderDocument) -> Iterator[tuple[datetime, str]]:
    """What the outside world did: deliveries, calls, the customer online."""
    for item in document.items:
        for step in item.steps:
            if step.kind in ("wait", "online") and step.ended is not None and step.evidence:
                yield step.ended, f"{'online: ' if step.kind == 'online' else ''}{step.evidence}"
