"""Parcels that come back: recalled on the road, or sent back by the customer, in lab time and with their webhooks."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from shipping import ORDER, RETURN, SERIAL, Mailbox, client, mailbox, order, order_return, parcel, shipping_order, until

from lab.clock import LabClock
from lab.remote import Remote
from lab.standin import Endpoint, running

SLOWLY = {"hoursUntilDelivered": 10_000}


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


def statuses(box: Mailbox) -> list[str]:
    return [json.loads(body)["result"]["status"] for body, _ in box.received]


def history(endpoint: Endpoint, external_id: str) -> list[str]:
    return [status for status, _ in parcel(endpoint, external_id)["history"]]


def patched(lab: Path, endpoint: Endpoint, order_id: str, status: str) -> httpx.Response:
    with client(lab, endpoint) as warehouse:
        answer: httpx.Response = warehouse.patch(f"/shippingOrder/{order_id}", json={"status": status})
        return answer


def rate(clock: LabClock) -> float:
    return float(clock._read().rate)


class TestRecall:
    def on_the_road(self, lab: Path, endpoint: Endpoint, **characteristics: Any) -> str:
        taken = order(lab, endpoint, **SLOWLY, **characteristics)
        until(lambda: parcel(endpoint)["status"] == "inTransit")
        return str(taken["id"])

    def test_it_turns_round_and_is_back_a_day_later(self, tmp_path: Path, endpoint: Endpoint, clock: LabClock, box: Mailbox) -> None:
        number = self.on_the_road(tmp_path, endpoint, callbackUrl=box.url)
        answer = patched(tmp_path, endpoint, number, "recalled")
        assert (answer.status_code, answer.json()["status"]) == (200, "recalled")
        assert patched(tmp_path, endpoint, number, "recalled").json()["status"] in ("recalled", "returned")  # said twice: once
        until(lambda: parcel(endpoint)["status"] == "returned")
        assert history(endpoint, ORDER) == ["acknowledged", "shipped", "inTransit", "recalled", "returned"]
        times = dict(parcel(endpoint)["history"])
        assert datetime.fromisoformat(times["returned"]) - datetime.fromisoformat(times["recalled"]) == timedelta(hours=24)
        box.wait_for(4)
        assert statuses(box) == ["pre_transit", "in_transit", "return_to_sender", "return_to_sender"]
        until(lambda: rate(clock) == 3600)
        assert patched(tmp_path, endpoint, number, "recalled").json()["status"] == "returned"

    def test_it_is_never_plugged_in_and_may_be_shipped_again(self, tmp_path: Path, endpoint: Endpoint) -> None:
        number = self.on_the_road(tmp_path, endpoint, hoursUntilReturned=1)
        patched(tmp_path, endpoint, number, "recalled").raise_for_status()
        until(lambda: parcel(endpoint)["status"] == "returned")
        assert parcel(endpoint)["plugged_in"] is None
        with client(tmp_path, endpoint) as warehouse:
            assert warehouse.post("/shippingOrder", json=shipping_order("RO-2", SERIAL)).status_code == 201

    def test_while_it_is_on_its_way_back_it_is_not_in_stock(self, tmp_path: Path, endpoint: Endpoint) -> None:
        number = self.on_the_road(tmp_path, endpoint, hoursUntilReturned=9000)
        patched(tmp_path, endpoint, number, "recalled").raise_for_status()
        with client(tmp_path, endpoint) as warehouse:
            refused = warehouse.post("/shippingOrder", json=shipping_order("RO-2", SERIAL))
        assert (refused.status_code, refused.json()["code"]) == (409, "notInStock")

    def test_what_was_delivered_is_not_recalled(self, tmp_path: Path, endpoint: Endpoint) -> None:
        taken = order(tmp_path, endpoint)
        until(lambda: parcel(endpoint)["status"] == "delivered")
        refused = patched(tmp_path, endpoint, taken["id"], "recalled")
        assert (refused.status_code, refused.json()["code"]) == (409, "tooLate")
        assert "order its return" in refused.json()["message"]
        assert parcel(endpoint)["status"] == "delivered"

    def test_what_is_on_the_road_is_not_cancelled(self, tmp_path: Path, endpoint: Endpoint) -> None:
        number = self.on_the_road(tmp_path, endpoint)
        assert patched(tmp_path, endpoint, number, "cancelled").json()["code"] == "tooLate"
        patched(tmp_path, endpoint, number, "recalled").raise_for_status()
        assert patched(tmp_path, endpoint, number, "cancelled").json()["code"] == "tooLate"

    def test_the_way_back_goes_on_after_the_carrier_was_killed(self, tmp_path: Path, clock: LabClock, box: Mailbox) -> None:
        with running("logistics", "logistics", tmp_path / "logistics") as endpoint:
            number = self.on_the_road(tmp_path, endpoint, callbackUrl=box.url, hoursUntilReturned=200)
            patched(tmp_path, endpoint, number, "recalled").raise_for_status()
            Remote(endpoint).kill()
        with running("logistics", "logistics", tmp_path / "logistics") as endpoint:
            until(lambda: parcel(endpoint)["status"] == "returned")
            assert history(endpoint, ORDER)[-2:] == ["recalled", "returned"]


class TestReturn:
    def test_the_customer_hands_it_in_and_it_is_back_a_day_later(
        self, tmp_path: Path, endpoint: Endpoint, clock: LabClock, box: Mailbox
    ) -> None:
        order(tmp_path, endpoint)
        until(lambda: parcel(endpoint)["status"] == "delivered")
        taken = order_return(tmp_path, endpoint, callbackUrl=box.url)
        until(lambda: parcel(endpoint, RETURN)["status"] == "returned")
        assert history(endpoint, RETURN) == ["acknowledged", "inTransit", "returned"]
        back = datetime.fromisoformat(parcel(endpoint, RETURN)["history"][-1][1])
        assert back - datetime.fromisoformat(taken["creationDate"]) == timedelta(hours=36)
        box.wait_for(2)
        assert statuses(box) == ["in_transit", "delivered"]
        assert parcel(endpoint)["status"] == "delivered", "what it was brought with stays as it was"
        until(lambda: rate(clock) == 3600)
        with client(tmp_path, endpoint) as warehouse:
            (shown,) = warehouse.get("/shippingOrder", params={"externalId": RETURN}).json()
            assert shown["shippingOrderItem"][0]["shipment"]["deliveryDate"] == back.isoformat()
            assert warehouse.post("/shippingOrder", json=shipping_order("RO-2", SERIAL)).status_code == 201

    def test_the_clock_runs_fast_while_a_customer_has_the_label(self, tmp_path: Path, endpoint: Endpoint, clock: LabClock) -> None:
        taken = order_return(tmp_path, endpoint, hoursUntilHandedIn=9000)
        until(lambda: rate(clock) == 100_000)
        assert patched(tmp_path, endpoint, taken["id"], "cancelled").json()["status"] == "cancelled"
        assert rate(clock) == 3600

    def test_who_has_handed_it_in_cannot_cancel(self, tmp_path: Path, endpoint: Endpoint) -> None:
        taken = order_return(tmp_path, endpoint, hoursUntilHandedIn=0, hoursUntilReturned=1000)
        until(lambda: parcel(endpoint, RETURN)["status"] == "inTransit")
        assert patched(tmp_path, endpoint, taken["id"], "cancelled").json()["code"] == "tooLate"

    def test_a_customer_may_keep_it(self, tmp_path: Path, endpoint: Endpoint, clock: LabClock) -> None:
        taken = order_return(tmp_path, endpoint, hoursUntilHandedIn=None)
        until(lambda: clock.now() > datetime.fromisoformat(taken["creationDate"]) + timedelta(hours=3))
        assert parcel(endpoint, RETURN)["status"] == "acknowledged"
        assert rate(clock) == 3600, "nobody waits for what never comes"
        assert patched(tmp_path, endpoint, taken["id"], "cancelled").json()["status"] == "cancelled"

    def test_the_hours_of_all_are_set_at_the_control_endpoint(self, tmp_path: Path, endpoint: Endpoint) -> None:
        Remote(endpoint).post("/hours", {"hoursUntilDelivered": 1, "hoursUntilHandedIn": None})
        assert Remote(endpoint).state()["hours"]["hoursUntilDelivered"] == 1
        order(tmp_path, endpoint)
        until(lambda: parcel(endpoint)["status"] == "delivered")
        assert parcel(endpoint)["due"]["delivered"] == parcel(endpoint)["history"][-1][1]
        order_return(tmp_path, endpoint)
        assert parcel(endpoint, RETURN)["due"]["inTransit"].startswith("9999")
        wrongs: list[Any] = [{"hoursUntilLost": 1}, {"hoursUntilDelivered": "soon"}, []]
        for wrong in wrongs:
            with pytest.raises(httpx.HTTPStatusError, match="400"):
                Remote(endpoint).post("/hours", wrong)

    def test_its_ont_leaves_the_olt_and_it_calls_the_acs_no_more(self, tmp_path: Path, clock: LabClock) -> None:
        lab = tmp_path
        with (
            running("olt", "OLT-EAST-07", lab / "OLT-EAST-07") as olt,
            running("acs", "ACS-01", lab / "ACS-01") as acs,
            running("logistics", "logistics", lab / "logistics") as endpoint,
        ):
            order(lab, endpoint)
            until(lambda: parcel(endpoint)["plugged_in"])
            assert [ont["serial"] for ont in Remote(olt).state()["onts"]] == ["HWTC02340098"]
            assert Remote(acs).state()["routers"][SERIAL]["plugged"]
            order_return(lab, endpoint, hoursUntilHandedIn=0)
            until(lambda: parcel(endpoint, RETURN)["status"] == "returned")
            assert parcel(endpoint)["pulled_out"]
            assert Remote(olt).state()["onts"] == []
            assert not Remote(acs).state()["routers"][SERIAL]["plugged"]

    def test_the_next_customer_gets_it_with_settings_of_his_own(self, tmp_path: Path, clock: LabClock) -> None:
        lab, ssid = tmp_path, "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID"
        with running("acs", "ACS-01", lab / "ACS-01") as acs, running("logistics", "logistics", lab / "logistics") as endpoint:
            order(lab, endpoint, hoursUntilDelivered=0)
            until(lambda: parcel(endpoint)["plugged_in"])
            order_return(lab, endpoint, hoursUntilHandedIn=0, hoursUntilReturned=0)
            until(lambda: parcel(endpoint, RETURN)["status"] == "returned")
            again = shipping_order("RO-2", SERIAL, hoursUntilDelivered=0)
            product = again["shippingOrderItem"][0]["shipment"]["shipmentItem"][0]["product"]
            product["productCharacteristic"] = [{"name": "ssid", "value": "DoeHome"}]
            with client(lab, endpoint) as warehouse:
                warehouse.post("/shippingOrder", json=again).raise_for_status()
            until(lambda: parcel(endpoint, "RO-2")["plugged_in"])
            assert Remote(acs).state()["routers"][SERIAL]["parameters"][ssid][0] == "DoeHome"

    def test_it_goes_on_after_the_carrier_was_killed(self, tmp_path: Path, clock: LabClock, box: Mailbox) -> None:
        with running("logistics", "logistics", tmp_path / "logistics") as endpoint:
            order_return(tmp_path, endpoint, callbackUrl=box.url, hoursUntilHandedIn=300)
            Remote(endpoint).kill()
        with running("logistics", "logistics", tmp_path / "logistics") as endpoint:
            until(lambda: parcel(endpoint, RETURN)["status"] == "returned")
            assert history(endpoint, RETURN) == ["acknowledged", "inTransit", "returned"]
            box.wait_for(2)
            assert statuses(box) == ["in_transit", "delivered"]


class TestWebhooks:
    """What the world outside does with webhooks, shown on demand."""

    def hooks(self, endpoint: Endpoint) -> list[tuple[str, str]]:
        return [(json.loads(hook["body"])["result"]["status"], hook["state"]) for hook in Remote(endpoint).state()["webhooks"]]

    def test_a_delivery_is_told_twice(self, tmp_path: Path, endpoint: Endpoint, box: Mailbox) -> None:
        Remote(endpoint).fail("webhook delivered", "drop", when="after")
        order(tmp_path, endpoint, callbackUrl=box.url)
        received = box.wait_for(4)
        assert received[2] == received[3]
        assert statuses(box) == ["pre_transit", "in_transit", "delivered", "delivered"]

    def test_a_delivery_is_never_told(self, tmp_path: Path, endpoint: Endpoint, box: Mailbox) -> None:
        Remote(endpoint).fail("webhook delivered", "refuse")
        order(tmp_path, endpoint, callbackUrl=box.url)
        told = [("pre_transit", "taken"), ("in_transit", "taken"), ("delivered", "given up")]
        until(lambda: self.hooks(endpoint) == told)
        assert statuses(box) == ["pre_transit", "in_transit"]

    def test_a_delivery_is_told_before_its_order_was_answered(self, tmp_path: Path, endpoint: Endpoint, box: Mailbox) -> None:
        Remote(endpoint).fail("POST */shippingOrder", "hang", when="after")
        body = shipping_order(ORDER, SERIAL, callbackUrl=box.url)
        with client(tmp_path, endpoint) as warehouse, pytest.raises(httpx.ReadTimeout):
            warehouse.post("/shippingOrder", json=body, timeout=3)
        box.wait_for(3)
        assert statuses(box)[-1] == "delivered"

    def test_a_webhook_that_is_lost_comes_again(self, tmp_path: Path, endpoint: Endpoint, box: Mailbox) -> None:
        Remote(endpoint).fail("webhook *", "drop", times=2)
        Remote(endpoint).fail("webhook delivered", "slow", seconds=0.01)
        order(tmp_path, endpoint, callbackUrl=box.url)
        box.wait_for(3)
        assert statuses(box) == ["pre_transit", "in_transit", "delivered"]
        until(lambda: [state for _, state in self.hooks(endpoint)] == ["taken"] * 3)
        assert Remote(endpoint).state()["webhooks"][0]["attempts"] == 3
