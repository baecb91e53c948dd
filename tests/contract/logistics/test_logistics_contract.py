"""What we rely on in the warehouse's TMF700 interface and the carrier's tracker."""

import json
import uuid

import httpx
import pytest
from shipping import return_order, shipping_order


@pytest.fixture
def key() -> str:
    return f"contract-{uuid.uuid4()}"


def test_without_the_key_there_is_nothing(warehouse: httpx.Client) -> None:
    assert warehouse.get("/shippingOrder", headers={"X-API-KEY": "guess"}).status_code == 401


def test_an_order_is_taken_found_and_tracked(warehouse: httpx.Client, key: str) -> None:
    answer = warehouse.post("/shippingOrder", json=shipping_order(key, key))
    assert answer.status_code == 201
    order = answer.json()
    assert answer.headers["location"] == order["href"]
    assert order["status"] == "acknowledged"
    assert order["relatedParty"][0]["id"] == "CUST-4821"
    assert warehouse.get(f"/shippingOrder/{order['id']}").json() == order
    found = warehouse.get("/shippingOrder", params={"externalId": key})
    assert (found.json(), found.headers["x-total-count"]) == ([order], "1")
    shipment = order["shippingOrderItem"][0]["shipment"]
    assert shipment["expectedDeliveryDate"]
    tracker = warehouse.get(f"/tracker/{shipment['shipmentTracking']['id']}").json()
    assert (tracker["object"], tracker["tracking_code"], tracker["status"]) == ("Tracker", shipment["shipmentTracking"]["id"], "unknown")
    assert warehouse.delete(f"/shippingOrder/{order['id']}").status_code == 204


def test_the_same_order_or_the_same_router_is_not_taken_twice(warehouse: httpx.Client, key: str) -> None:
    first = warehouse.post("/shippingOrder", json=shipping_order(key, key)).json()
    for external_id, serial in ((key, f"{key}-2"), (f"{key}-2", key)):
        answer = warehouse.post("/shippingOrder", json=shipping_order(external_id, serial))
        assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
        assert first["id"] in answer.json()["message"]
    assert len(warehouse.get("/shippingOrder", params={"externalId": key}).json()) == 1
    assert warehouse.patch(f"/shippingOrder/{first['id']}", json={"status": "cancelled"}).json()["status"] == "cancelled"
    again = warehouse.post("/shippingOrder", json=shipping_order(key, key))
    assert again.status_code == 201
    assert warehouse.delete(f"/shippingOrder/{again.json()['id']}").status_code == 204


def test_what_has_not_left_is_cancelled_and_not_recalled(warehouse: httpx.Client, key: str) -> None:
    order = warehouse.post("/shippingOrder", json=shipping_order(key, key)).json()
    refused = warehouse.patch(f"/shippingOrder/{order['id']}", json={"status": "recalled"})
    assert (refused.status_code, refused.json()["code"]) == (409, "notShipped")
    assert warehouse.delete(f"/shippingOrder/{order['id']}").status_code == 204
    refused = warehouse.patch(f"/shippingOrder/{order['id']}", json={"status": "recalled"})
    assert (refused.status_code, refused.json()["code"]) == (409, "cancelled")


def test_a_return_is_taken_found_and_cancelled_while_the_customer_has_only_the_label(warehouse: httpx.Client, key: str) -> None:
    answer = warehouse.post("/shippingOrder", json=return_order(f"{key}/return", key))
    assert (answer.status_code, answer.json()["status"]) == (201, "acknowledged")
    order = answer.json()
    assert warehouse.get("/shippingOrder", params={"externalId": f"{key}/return"}).json() == [order]
    assert order["shippingOrderItem"][0]["action"] == "delete"
    code = order["shippingOrderItem"][0]["shipment"]["shipmentTracking"]["id"]
    assert warehouse.get(f"/tracker/{code}").json()["status"] == "pre_transit"
    refused = warehouse.patch(f"/shippingOrder/{order['id']}", json={"status": "recalled"})
    assert (refused.status_code, refused.json()["code"]) == (409, "notRecallable")
    assert warehouse.delete(f"/shippingOrder/{order['id']}").status_code == 204
    assert warehouse.get(f"/shippingOrder/{order['id']}").json()["status"] == "cancelled"


def test_what_no_customer_has_is_not_returned_and_nothing_is_returned_twice(warehouse: httpx.Client, key: str) -> None:
    order = warehouse.post("/shippingOrder", json=shipping_order(key, key)).json()
    refused = warehouse.post("/shippingOrder", json=return_order(f"{key}/return", key))
    assert (refused.status_code, refused.json()["code"]) == (409, "notDelivered")
    warehouse.delete(f"/shippingOrder/{order['id']}").raise_for_status()
    serial = f"{key}-2"
    first = warehouse.post("/shippingOrder", json=return_order(f"{key}/return", serial)).json()
    refused = warehouse.post("/shippingOrder", json=return_order(f"{key}/again", serial))
    assert (refused.status_code, refused.json()["code"]) == (409, "duplicate")
    assert first["id"] in refused.json()["message"]
    warehouse.delete(f"/shippingOrder/{first['id']}").raise_for_status()


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/shippingOrder", b"{", 400),
        ("POST", "/shippingOrder", b"[]", 400),
        ("POST", "/shippingOrder", b"{}", 400),
        ("POST", "/shippingOrder", b'{"shippingOrderItem": [{"id": "1"}]}', 400),
        ("POST", "/shippingOrder", json.dumps({**return_order("r", "r"), "placeFrom": None}).encode(), 400),
        ("GET", "/shippingOrder/nowhere", b"", 404),
        ("PATCH", "/shippingOrder/nowhere", b'{"status": "cancelled"}', 404),
        ("PATCH", "/shippingOrder/nowhere", b'{"status": "recalled"}', 404),
        ("DELETE", "/shippingOrder/nowhere", b"", 404),
        ("PATCH", "/shippingOrder/nowhere", b'{"status": "delivered"}', 400),
        ("GET", "/tracker/nowhere", b"", 404),
    ],
)
def test_what_cannot_be_done_is_a_tmf_error(warehouse: httpx.Client, method: str, path: str, content: bytes, status: int) -> None:
    answer = warehouse.request(method, path, content=content)
    assert answer.status_code == status
    assert {"code", "reason", "message"} <= set(answer.json())
