"""Shipping orders and returns as we send them, and a place where webhooks arrive."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from lab.credentials import credentials
from lab.remote import Remote
from lab.standin import Endpoint

ORDER, SERIAL = "RO-2024-07814/ROI-007", "HWT2340098"
RETURN = f"{ORDER}/return"


def shipping_order(external_id: str, serial: str, **characteristics: Any) -> dict[str, Any]:
    product = {
        "@type": "ProductRefOrValue",
        "productSerialNumber": serial,
        "productCharacteristic": [{"name": "ssid", "value": "SmithHome"}, {"name": "security", "value": "WPA3"}],
    }
    shipment = {"@type": "Shipment", "shipmentItem": [{"id": "1", "action": "add", "quantity": "1", "sku": "HG8245H", "product": product}]}
    return {
        "@type": "ShippingOrder",
        "externalId": external_id,
        "placeTo": {"@type": "RelatedPlaceRefOrValue", "role": "deliveryAddress", "name": "42 Fibre Lane, Melbourne, VIC, 3000"},
        "relatedParty": [{"@type": "RelatedParty", "role": "customer", "id": "CUST-4821", "name": "Jane Smith"}],
        "shippingOrderCharacteristic": [{"name": name, "value": value} for name, value in characteristics.items()],
        "shippingOrderItem": [{"@type": "ShippingOrderItem", "id": "1", "action": "add", "quantity": "1", "shipment": shipment}],
    }


def return_order(external_id: str, serial: str, **characteristics: Any) -> dict[str, Any]:
    """What brings the router of a shipping order back."""
    out = shipping_order(external_id, serial, **characteristics)
    (item,) = out["shippingOrderItem"]
    warehouse = {"@type": "RelatedPlaceRefOrValue", "role": "returnAddress", "name": "warehouse"}
    return {
        **out,
        "placeFrom": {**out["placeTo"], "role": "customerAddress"},
        "placeTo": warehouse,
        "shippingOrderItem": [{**item, "action": "delete"}],
    }


def client(lab: Path, endpoint: Endpoint) -> httpx.Client:
    return httpx.Client(base_url=endpoint.url or "", headers={"X-API-KEY": credentials(lab).logistics_api_key}, trust_env=False)


def order(lab: Path, endpoint: Endpoint, **characteristics: Any) -> dict[str, Any]:
    """Have the worked example's router shipped."""
    return _ordered(lab, endpoint, shipping_order(ORDER, SERIAL, **characteristics))


def order_return(lab: Path, endpoint: Endpoint, **characteristics: Any) -> dict[str, Any]:
    """Have it brought back."""
    return _ordered(lab, endpoint, return_order(RETURN, SERIAL, **characteristics))


def _ordered(lab: Path, endpoint: Endpoint, body: dict[str, Any]) -> dict[str, Any]:
    with client(lab, endpoint) as warehouse:
        return dict(warehouse.post("/shippingOrder", json=body).raise_for_status().json())


def until(condition: Callable[[], Any], timeout: float = 20) -> Any:
    """Return the first true value of a condition."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.02)
    return value


def parcel(endpoint: Endpoint, external_id: str = ORDER) -> dict[str, Any]:
    """The last parcel of an external id, as the stand-in has it."""
    return dict([one for one in Remote(endpoint).state()["parcels"] if one["order"]["externalId"] == external_id][-1])


@dataclass
class Mailbox:
    """What arrived: bodies and signatures; answers with the next of `answers`, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[tuple[bytes, str]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, timeout: float = 20) -> list[tuple[bytes, str]]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= count, timeout), f"only {len(self.received)} arrived"
            return list(self.received)


@contextlib.contextmanager
def mailbox(port: int = 0) -> Iterator[Mailbox]:
    """Serve a mailbox on the loopback."""
    box = Mailbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with box.changed:
                status = box.answers.pop(0) if box.answers else 200
                box.received.append((body, self.headers["X-Hmac-Signature"]))
                box.changed.notify_all()
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        box.url = f"http://127.0.0.1:{server.server_port}/hooks/carrier"
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
