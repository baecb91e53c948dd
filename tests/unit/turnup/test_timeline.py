"""The timeline of an order, from its history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.views import AllocationView, EventView, ItemView, OrderDocument, OrderHead, StepView
from turnup.screen import marks
from turnup.screen.plan import branches
from turnup.timeline import timeline

START = datetime(2024, 3, 11, 9, 0, 0, 700_000, tzinfo=UTC)


def event(number: int, minutes: float, order: str, item: str | None, type_: str, **data: Any) -> EventView:
    at = START.replace(microsecond=0) + timedelta(minutes=minutes)
    return EventView(number=number, at=at, order=order, item=item, type=type_, data=data)


def item(name: str, specification: str, level: str, *steps: StepView, depends_on: tuple[str, ...] = ()) -> ItemView:
    order = {"product": "PO-1", "service": "SO-1", "resource": "RO-1"}[level]
    return ItemView(
        id=name,
        order=order,
        specification=specification,
        level=level,
        state="completed",
        depends_on=list(depends_on),
        parent=None,
        steps=list(steps),
    )


def document(history: list[EventView], *items: ItemView) -> OrderDocument:
    heads = [
        OrderHead(id=f"{level[0].upper()}O-1", external_id=None, level=level, state="", created=START)
        for level in ("product", "service", "resource")
    ]
    found = [AllocationView(rfs="VLAN-Service", resource="VLAN ID", type="Logical", value="VLAN 1042")]
    return OrderDocument(
        order=heads[0], orders=heads, items=list(items), allocations=found, services=[], products=[], targets=[], history=history
    )


def test_orders_of_several_levels_in_one_stroke_are_one_moment() -> None:
    history = [
        event(1, 0, "PO-1", None, "orderCreate", state="acknowledged"),
        event(2, 1, "PO-1", None, "orderStateChange", state="inProgress"),
        event(3, 1, "SO-1", None, "orderCreate", state="acknowledged"),
    ]
    assert [(moment.since, moment.text) for moment in timeline(document(history))] == [
        (timedelta(0), "product order PO-1 acknowledged"),
        (timedelta(minutes=1), "product order PO-1 inProgress, service order SO-1 acknowledged"),
    ]


def test_waiting_for_the_outside_and_going_on_is_told_by_what_was_waited_for() -> None:
    delivered = StepView(
        key="ROI-007/after/0",
        kind="wait",
        state="done",
        target="logistics",
        attempt=2,
        evidence="parcel LP1 was delivered at 2024-03-12T21:00:00+00:00",
        ended=START + timedelta(hours=36),
    )
    history = [
        event(1, 3, "RO-1", None, "orderStateChange", state="inProgress"),
        event(2, 15, "RO-1", None, "orderStateChange", state="pending"),
        event(3, 2160, "RO-1", None, "orderStateChange", state="inProgress"),
        event(4, 2160, "RO-1", "ROI-007", "itemStateChange", state="completed"),
        event(5, 2160, "RO-1", None, "orderStateChange", state="completed"),
    ]
    found = timeline(document(history, item("ROI-007", "RFS:CPE-Provisioning", "resource", delivered)))
    assert [moment.text for moment in found] == [
        "resource order RO-1 inProgress",
        "parcel LP1 was delivered",
        "ROI-007 CPE-Provisioning completed",
        "resource order RO-1 completed",
    ]


def test_items_tell_what_they_gave() -> None:
    history = [
        event(1, 1, "RO-1", "ROI-001", "allocation", name="port"),
        event(2, 1, "RO-1", "ROI-002", "allocation", name="vlan"),
        event(3, 7, "RO-1", "ROI-002", "itemStateChange", state="completed"),
        event(4, 9, "SO-1", "SOI-001", "itemStateChange", state="completed"),
        event(5, 9, "SO-1", "SOI-001", "serviceStateChange", id="SI-INT-1", state="active"),
    ]
    items = item("ROI-002", "RFS:VLAN-Service", "resource"), item("SOI-001", "CFS:Internet-Access", "service")
    assert [moment.text for moment in timeline(document(history, *items))] == [
        "reserved in NetBox: port, vlan",
        "ROI-002 VLAN-Service completed: VLAN 1042",
        "SOI-001 Internet-Access completed: service SI-INT-1 active",
    ]


def test_a_reason_is_told_once() -> None:
    history = [
        event(1, 4, "RO-1", "ROI-002", "itemStateChange", state="held", reason="no VLAN left"),
        event(2, 4, "RO-1", None, "orderStateChange", state="held", reason="no VLAN left"),
        event(3, 4, "SO-1", None, "orderStateChange", state="held", reason="no VLAN left"),
        event(4, 5, "PO-1", None, "transaction", target="OLT", state="reversed"),
    ]
    assert [moment.text for moment in timeline(document(history, item("ROI-002", "RFS:VLAN-Service", "resource")))] == [
        "ROI-002 VLAN-Service held: no VLAN left",
        "resource order RO-1 held, service order SO-1 held",
        "OLT: transaction reversed",
    ]


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "0 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(hours=36), "36 h"),
        (timedelta(hours=36, minutes=30), "36.5 h"),
    ],
)
def test_minutes_first_then_hours(span: timedelta, text: str) -> None:
    assert marks.since(span) == text


def test_times_as_people_of_the_place_write_them() -> None:
    zone = datetime.fromisoformat("2024-03-11T09:00:00+11:00").tzinfo
    text = "HWT2340098 called ACS-01 at 2024-03-12T17:19:50.138Z, delivered 2024-03-13T03:49:02.096800+11:00"
    assert marks.times(text, zone) == "HWT2340098 called ACS-01 at 2024-03-13 04:19, delivered 2024-03-13 03:49"


def test_branches_are_what_does_not_depend_on_each_other() -> None:
    resources = [
        item("ROI-001", "RFS:A", "resource"),
        item("ROI-002", "RFS:B", "resource", depends_on=("ROI-001",)),
        item("ROI-003", "RFS:C", "resource", depends_on=("ROI-002",)),
        item("ROI-004", "RFS:D", "resource", depends_on=("ROI-001",)),
        item("ROI-005", "RFS:E", "resource", depends_on=("ROI-006",)),
        item("ROI-006", "RFS:F", "resource", depends_on=("ROI-007",)),
        item("ROI-007", "RFS:G", "resource"),
    ]
    assert [[each.id for each in branch] for branch in branches(resources)] == [
        ["ROI-001", "ROI-002", "ROI-003", "ROI-004"],
        ["ROI-007", "ROI-006", "ROI-005"],
    ]
