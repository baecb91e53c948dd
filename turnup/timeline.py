"""What happened to an order and when, told from its history as the worked example tells it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from engine.documents import EventView, ItemView, OrderDocument
from engine.states import OrderState

_ENDS = {OrderState.COMPLETED, OrderState.FAILED, OrderState.PARTIAL, OrderState.REJECTED, OrderState.CANCELLED}
_NOTED = _ENDS | {OrderState.HELD}
"""States of items that are worth a line. That an item has begun shows in the next one's, and `pending` in what it waited for."""
_WHEN = re.compile(r",? at \d{4}-\d\d-\d\dT\S+$")


Place: TypeAlias = tuple[datetime, float]
"""Where something stands in a timeline: its time, which is kept to the second, and the number of its event."""


@dataclass(frozen=True)
class Moment:
    """Something that happened, `since` the order was submitted."""

    since: timedelta
    text: str


def timeline(document: OrderDocument) -> list[Moment]:
    """The moments of an order, the first first. What happened to orders of several levels in one stroke is one moment."""
    told = (*_waits(document), *_reservations(document), *_items(document), *_orders(document))
    begun = document.order.created.replace(microsecond=0)  # as the events have it
    moments = [Moment(at - begun, text) for (at, _), text in sorted(told)]
    reasons = {str(event.data["reason"]) for event in document.history if event.data.get("reason")}
    return list(_once(moments, reasons))


def _once(moments: Iterable[Moment], reasons: Collection[str]) -> Iterator[Moment]:
    """A reason is told with the first that it stops, and not again with all that depends on it."""
    told: set[str] = set()
    for moment in moments:
        text = moment.text
        for reason in reasons:
            there = text.count(reason)
            text = text.replace(f": {reason}", "") if reason in told else text.replace(f": {reason}", "", max(0, there - 1))
            told |= {reason} if there else set()
        yield Moment(moment.since, text)


def _orders(document: OrderDocument) -> Iterator[tuple[Place, str]]:
    """Acknowledged, begun, held, gone on, ended. In one stroke each order changes once."""
    levels = {order.id: order.level for order in document.orders}
    states: dict[str, str] = {}
    strokes: list[tuple[Place, dict[str, str]]] = []
    for event in document.history:
        if event.item is not None or event.type not in ("orderCreate", "orderStateChange"):
            continue
        state, before = str(event.data["state"]), states.get(event.order)
        if state == OrderState.PENDING or (state == OrderState.IN_PROGRESS and before == state):
            continue  # the outside world is waited for, and told when it has done its part
        states[event.order] = state
        reason = f": {event.data['reason']}" if event.data.get("reason") else ""
        text = f"{levels.get(event.order, '')} order {event.order} {state}{reason}"
        if strokes and strokes[-1][0][0] == event.at and event.order not in strokes[-1][1]:
            strokes[-1] = (event.at, event.number), strokes[-1][1] | {event.order: text}
        else:
            strokes.append(((event.at, event.number), {event.order: text}))
    for place, told in strokes:
        yield place, ", ".join(told.values())


def _items(document: OrderDocument) -> Iterator[tuple[Place, str]]:
    """Service and resource items that ended or stopped, with what they gave; transactions that did not go through."""
    items = {(item.order, item.id): item for item in document.items}
    active = {(event.order, event.item): event for event in document.history if event.data.get("state") == "active"}
    for event in document.history:
        item = items.get((event.order, event.item or ""))
        if item is not None and event.type == "itemStateChange" and event.data["state"] in _NOTED:
            made = active.get((event.order, event.item))
            yield (event.at, event.number), _of_item(document, item, event, made)
        elif event.type == "transaction" and event.data["state"] != "confirmed":
            yield (event.at, event.number), f"{event.data['target']}: transaction {event.data['state']}"


def _of_item(document: OrderDocument, item: ItemView, event: EventView, made: EventView | None) -> str:
    state = event.data["state"]
    text = f"{item.id} {item.specification.partition(':')[2] or item.specification} {state}"
    if event.data.get("reason"):
        return f"{text}: {event.data['reason']}"
    if state != OrderState.COMPLETED:
        return text
    values = [line.value for line in document.allocations if item.level == "resource" and line.rfs == item.specification.partition(":")[2]]
    if made is not None:
        values.append(f"{item.level} {made.data['id']} active")
    return f"{text}: {'; '.join(values)}" if values else text


def _reservations(document: OrderDocument) -> Iterator[tuple[Place, str]]:
    """What was reserved together."""
    found: dict[datetime, list[EventView]] = {}
    for event in document.history:
        if event.type == "allocation":
            found.setdefault(event.at, []).append(event)
    for at, events in found.items():
        names = [str(event.data["name"]) for event in events]
        yield (at, events[0].number), f"reserved in NetBox: {', '.join(names)}"


def _waits(document: OrderDocument) -> Iterator[tuple[Place, str]]:
    """What the outside world did: deliveries, calls, the customer online."""
    told: set[str] = set()
    ends = {(event.order, event.item): event.number for event in document.history if event.data.get("state") == OrderState.COMPLETED}
    for item in sorted(document.items, key=lambda item: item.level != "service"):
        for step in item.steps:
            if step.kind in ("wait", "online") and step.ended is not None and step.evidence not in ("", *told):
                told.add(step.evidence)
                before = ends.get((item.order, item.id), 0) - 0.5  # the effect comes after its cause
                yield (
                    (step.ended.replace(microsecond=0), before),
                    ("online: " if step.kind == "online" else "") + _WHEN.sub("", step.evidence),
                )
