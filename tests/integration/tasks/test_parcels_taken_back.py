"""Parcels that are taken back, and routers that are sent back, at the stand-in of warehouse and carrier."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pushes
import pytest
from document_changes import change, delete, parcel, parcel_back, put
from document_pushes import Opened, System, pushed
from lab_targets import Target
from nornir.core.inventory import Host
from pushes import code, undone

from engine.ports import Change, TransactionState
from tasks.change import for_platform as change_format
from tasks.kinds import for_platform

LONG = 9_000.0
GOLDEN = Path(__file__).parents[2] / "unit" / "templates" / "golden" / "first" / "logistics"


@pytest.fixture
def target(system: System) -> Target:
    return system("logistics")


@pytest.fixture
def host(target: Target, opened: Opened) -> Host:
    return opened(target.host())


def status(target: Target, external_id: str) -> str:
    return str([one for one in target.remote.state()["parcels"] if one["order"]["externalId"] == external_id][-1]["status"])


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def shipped(target: Target, host: Host, key: str, serial: str, hours: float = LONG, **more: float) -> Change:
    """Ship a router and wait until it has left, or arrived where `hours` is 0; the change that did it."""
    line = change(put(*parcel(key, serial, hours, hoursUntilShipped=0, hoursUntilInTransit=0, **more)))
    assert pushed(target, host, line).state is TransactionState.CONFIRMED
    until(lambda: status(target, key) == ("inTransit" if hours else "delivered"))
    return line


def test_on_the_road_it_is_recalled_and_counts_as_not_there(target: Target, host: Host) -> None:
    line = shipped(target, host, "RO-301/ROI-7", "HWT-301", hoursUntilReturned=LONG)
    for _ in range(2):  # saying it twice is as good as once
        assert pushed(target, host, undone(line)).state is TransactionState.CONFIRMED
        assert status(target, "RO-301/ROI-7") == "recalled"


def test_who_does_not_hear_the_answer_to_a_recall_asks_what_became_of_it(target: Target, host: Host) -> None:
    line = shipped(target, host, "RO-302/ROI-7", "HWT-302", hoursUntilReturned=LONG)
    target.remote.fail("PATCH *", "drop", when="after", times=None)
    push, kind = pushes.push_of(target.name, undone(line)), for_platform(target.platform)
    assert kind.push(push, host).state is TransactionState.OPEN
    target.remote.heal()
    assert kind.resolve(push, host).state is TransactionState.CONFIRMED
    assert status(target, "RO-302/ROI-7") == "recalled"


def test_what_leaves_while_it_is_being_cancelled_is_recalled(target: Target, host: Host) -> None:
    line = change(put(*parcel("RO-303/ROI-7", "HWT-303", LONG, hoursUntilShipped=0.1)))
    assert pushed(target, host, line).state is TransactionState.CONFIRMED
    target.remote.fail("DELETE *", "slow", seconds=2)  # a tenth of an hour is less
    assert pushed(target, host, undone(line)).state is TransactionState.CONFIRMED
    assert status(target, "RO-303/ROI-7") in ("recalled", "returned")


def test_what_was_delivered_is_not_taken_back_and_nothing_else_for_its_sake(target: Target, host: Host) -> None:
    on_the_road = parcel("RO-304/ROI-7", "HWT-304", LONG, hoursUntilShipped=0, hoursUntilInTransit=0)
    shipped(target, host, "RO-304/ROI-7", "HWT-304")
    shipped(target, host, "RO-305/ROI-7", "HWT-305", hours=0)
    arrived = parcel("RO-305/ROI-7", "HWT-305", 0)
    outcome = pushed(target, host, change(delete(*on_the_road[:2], on_the_road[2]), delete(*arrived[:2], arrived[2])))
    assert (outcome.state, code(outcome)) == (TransactionState.REFUSED, "BEYOND_RECALL")
    assert "was delivered: a return is needed" in str(outcome.trouble)
    assert (status(target, "RO-304/ROI-7"), status(target, "RO-305/ROI-7")) == ("inTransit", "delivered")


def test_a_failed_transaction_recalls_nothing(target: Target, host: Host) -> None:
    shipped(target, host, "RO-306/ROI-7", "HWT-306")
    first, second = parcel("RO-307/ROI-7", "HWT-307", LONG, hoursUntilShipped=0), parcel("RO-308/ROI-7", "HWT-306")
    target.remote.fail("GET *", "slow", seconds=0.5, times=3)  # the first has left when the second is refused
    outcome = pushed(target, host, change(put(*first), put(*second)))
    assert (outcome.state, code(outcome)) == (TransactionState.UNKNOWN, "TARGET_REFUSED")
    assert "is on the road" in str(outcome.trouble)
    assert status(target, "RO-307/ROI-7") in ("shipped", "inTransit")


def test_a_return_is_ordered_and_cancelled_while_it_was_not_handed_in(target: Target, host: Host) -> None:
    shipped(target, host, "RO-309/ROI-7", "HWT-309", hours=0)
    line = change(put(*parcel_back("RO-309/ROI-7/return", "HWT-309", hoursUntilHandedIn=LONG)))
    learned = pushed(target, host, line).learned["returnOrder/RO-309/ROI-7/return"]
    assert learned["tracking_code"].startswith("LP")
    assert pushed(target, host, line).learned["returnOrder/RO-309/ROI-7/return"] == learned
    assert status(target, "RO-309/ROI-7/return") == "acknowledged"
    for _ in range(2):
        assert pushed(target, host, undone(line)).state is TransactionState.CONFIRMED
        assert status(target, "RO-309/ROI-7/return") == "cancelled"


@pytest.mark.parametrize(("hours", "reached"), [(LONG, "inTransit"), (0, "returned")])
def test_a_return_that_was_handed_in_goes_on_and_stays_on_the_books(target: Target, host: Host, hours: float, reached: str) -> None:
    serial = f"HWT-310-{reached}"
    key = f"{serial}/return"
    line = change(put(*parcel_back(key, serial, hoursUntilHandedIn=0, hoursUntilReturned=hours)))
    assert pushed(target, host, line).state is TransactionState.CONFIRMED
    until(lambda: status(target, key) == reached)
    assert pushed(target, host, line).state is TransactionState.CONFIRMED  # it is there: nothing is ordered twice
    outcome = pushed(target, host, undone(line))
    assert (outcome.state, code(outcome)) == (TransactionState.REFUSED, "TARGET_REFUSED")
    assert "handed in" in str(outcome.trouble)


def test_there_are_shipping_orders_and_returns_and_nothing_else(target: Target, host: Host) -> None:
    outcome = pushed(target, host, change(put("pizza", "RO-311", {})))
    assert "only shippingOrder and returnOrder" in str(outcome.trouble)


def test_what_the_templates_say_of_a_router_that_must_come_back(target: Target, host: Host) -> None:
    """What shipped it stays; its return is one order more, and taken back its cancellation."""
    shipped, back = (
        (GOLDEN / f"{name}.json").read_text().replace("HWT2340098", "HWT-312").replace("ROI-007", "ROI-312")
        for name in ("cpe-provisioning", "cpe-return")
    )
    target.remote.post("/hours", {"hoursUntilDelivered": 0, "hoursUntilHandedIn": None})
    try:
        ship, fetch = leading("", shipped), leading("", back)
        assert [line["kind"] for line in json.loads(fetch.forward)] == ["returnOrder"]
        assert pushed(target, host, ship).state is TransactionState.CONFIRMED
        until(lambda: status(target, "RO-2024-07814/ROI-312") == "delivered")
        assert pushed(target, host, fetch).state is TransactionState.CONFIRMED
        assert status(target, "RO-2024-07814/ROI-312/return") == "acknowledged"
        assert pushed(target, host, undone(fetch)).state is TransactionState.CONFIRMED
        assert status(target, "RO-2024-07814/ROI-312/return") == "cancelled"
    finally:
        target.remote.post("/hours", {"hoursUntilDelivered": 36, "hoursUntilHandedIn": 12})


def leading(applied: str, wanted: str) -> Change:
    """The change from one fragment to the other."""
    return change_format("logistics").change([applied] if applied else [], [wanted], {})
