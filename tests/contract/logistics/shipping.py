"""A shipping order as we send it, and a place where webhooks arrive."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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
