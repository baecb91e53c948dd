"""The way of a parcel in lab time, its webhooks, and what happens at the end of it."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from shipping import client, mailbox, order, parcel, until

from lab.clock import BEGINNING, LabClock
from lab.credentials import credentials
from lab.logistics.webhooks import signature
from lab.remote import Remote
from lab.standin import Endpoint, running


def test_a_parcel_takes_its_36_hours_and_tells_so_in_signed_words(tmp_path: Path, endpoint: Endpoint) -> None:
    with mailbox() as box:
        box.answers = [500, 503]
        taken = order(tmp_path, endpoint, callbackUrl=box.url)
        received = box.wait_for(5)
    secret = credentials(tmp_path).logistics_webhook_secret
    assert all(signed == signature(secret, body) for body, signed in received)
    assert received[0] == received[1] == received[2], "the same event, until it is taken"
    events = [json.loads(body) for body, _ in received[2:]]
    assert {event["description"] for event in events} == {"tracker.updated"}
    assert [event["result"]["status"] for event in events] == ["pre_transit", "in_transit", "delivered"]
    details = events[-1]["result"]["tracking_details"]
    ordered = datetime.fromisoformat(taken["creationDate"])
    assert datetime.fromisoformat(details[-1]["datetime"]) - ordered == timedelta(hours=36)
    until(lambda: all(hook["state"] == "taken" for hook in Remote(endpoint).state()["webhooks"]))
    with client(tmp_path, endpoint) as warehouse:
        (delivered,) = warehouse.get("/shippingOrder", params={"status": "delivered"}).json()
        assert delivered["id"] == taken["id"]
        assert warehouse.delete(f"/shippingOrder/{taken['id']}").json()["code"] == "tooLate"


def test_the_clock_runs_fast_while_it_is_on_the_road_and_only_then(tmp_path: Path, endpoint: Endpoint, clock: LabClock) -> None:
    def rate() -> float:
        return float(clock._read().rate)

    assert rate() == 3600
    order(tmp_path, endpoint)
    until(lambda: parcel(endpoint)["status"] == "shipped")
    assert rate() == 100_000
    until(lambda: parcel(endpoint)["status"] == "delivered")
    until(lambda: rate() == 3600)


def test_the_way_goes_on_after_the_carrier_was_killed(tmp_path: Path, clock: LabClock) -> None:
    with mailbox() as box:
        with running("logistics", "logistics", tmp_path / "logistics") as endpoint:
            order(tmp_path, endpoint, callbackUrl=box.url)
            box.wait_for(1)
            Remote(endpoint).kill()
        with running("logistics", "logistics", tmp_path / "logistics") as endpoint:
            until(lambda: parcel(endpoint)["status"] == "delivered")
            until(lambda: all(hook["state"] == "taken" for hook in Remote(endpoint).state()["webhooks"]))
            statuses = [json.loads(body)["result"]["status"] for body, _ in box.received]
            assert list(dict.fromkeys(statuses)) == ["pre_transit", "in_transit", "delivered"]
            assert [status for status, _ in parcel(endpoint)["history"]] == ["acknowledged", "shipped", "inTransit", "delivered"]


def test_a_webhook_that_nobody_takes_is_kept_and_sent_after_a_restart(tmp_path: Path, clock: LabClock) -> None:
    with mailbox() as box:
        port = int(box.url.split(":")[2].split("/")[0])
    with running("logistics", "logistics", tmp_path / "logistics") as endpoint:
        order(tmp_path, endpoint, callbackUrl=box.url)
        until(lambda: parcel(endpoint)["status"] == "delivered")
        assert Remote(endpoint).state()["webhooks"][0]["attempts"] > 0
    with mailbox(port) as late, running("logistics", "logistics", tmp_path / "logistics"):
        statuses = [json.loads(body)["result"]["status"] for body, _ in late.wait_for(3)]
        assert statuses == ["pre_transit", "in_transit", "delivered"]


def test_what_was_cancelled_is_not_shipped(tmp_path: Path, endpoint: Endpoint, clock: LabClock) -> None:
    taken = order(tmp_path, endpoint, hoursUntilShipped=2)
    with client(tmp_path, endpoint) as warehouse:
        assert warehouse.delete(f"/shippingOrder/{taken['id']}").status_code == 204
        assert warehouse.delete(f"/shippingOrder/{taken['id']}").status_code == 204
        until(lambda: clock.now() > datetime.fromisoformat(taken["creationDate"]) + timedelta(hours=3))
        assert warehouse.get(f"/shippingOrder/{taken['id']}").json()["status"] == "cancelled"


def test_out_of_stock_is_the_warehouses_full(tmp_path: Path, endpoint: Endpoint) -> None:
    Remote(endpoint).fail("POST */shippingOrder", "exhaust")
    with pytest.raises(httpx.HTTPStatusError) as refused:
        order(tmp_path, endpoint)
    assert (refused.value.response.status_code, refused.value.response.json()["code"]) == (409, "outOfStock")
    order(tmp_path, endpoint)


def test_half_an_hour_after_delivery_the_router_calls_the_acs_with_the_warehouses_settings(tmp_path: Path, endpoint: Endpoint) -> None:
    order(tmp_path, endpoint)
    until(lambda: parcel(endpoint)["status"] == "delivered")
    with running("acs", "ACS-01", tmp_path / "ACS-01") as acs:
        router = until(lambda: Remote(acs).state()["routers"].get("HWT2340098"))
        device = until(lambda: next(iter(Remote(acs).state()["devices"]), None))
        plugged = until(lambda: parcel(endpoint)["plugged_in"])
    assert device["_id"] == "00259E-HG8245H-HWT2340098"
    assert router["parameters"]["InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID"][0] == "SmithHome"
    assert router["parameters"]["InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.BSSID"][0] == "48:57:54:34:00:98"
    assert datetime.fromisoformat(plugged) >= BEGINNING + timedelta(hours=36.5)
