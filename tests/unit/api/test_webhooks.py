"""Webhooks over a real socket: only what is signed with the shared secret wakes anything."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from api.listener import Listener
from api.waking import Waker
from api.webhooks import LIMIT, LOGISTICS, SHIPMENT, SIGNATURE, sign, webhooks
from engine.acceptance import Acceptance
from engine.executor import LocalExecutor
from engine.model import StepState
from engine.ports import Question
from engine.store.database import Database
from engine.store.schema import steps
from engine.views import progress
from tests.null_world import null_world, superfibre

SECRET = "gehéim-per-test"
SHIPPED = SHIPMENT.format(externalId="RO-2024-07814%2FROI-007")


@dataclass
class Carrier:
    """Posts to the listener, and knows what was woken."""

    url: str
    woken: list[set[str]] = field(default_factory=list)

    def post(self, body: bytes, signature: str | None) -> httpx.Response:
        headers = {"Content-Type": "application/json"} | ({SIGNATURE: signature} if signature is not None else {})
        return httpx.post(self.url, content=body, headers=headers, trust_env=False)


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    woken: list[set[str]] = []

    def wake(keys: set[str]) -> int:
        woken.append(keys)
        return 1

    with Listener(webhooks(SECRET, wake), "127.0.0.1") as listener:
        yield Carrier(listener.url + LOGISTICS + SHIPPED, woken)


def event(status: str = "delivered") -> bytes:
    result = {"object": "Tracker", "tracking_code": "EZ1000000001", "status": status, "tracking_details": []}
    return json.dumps({"object": "Event", "description": "tracker.updated", "result": result}).encode()


@pytest.mark.parametrize("status", ["delivered", "return_to_sender"])
def test_the_end_of_a_parcels_way_wakes_who_waits_for_its_delivery_or_return(status: str, carrier: Carrier) -> None:
    answer = carrier.post(event(status), sign(SECRET, event(status)))
    assert (answer.status_code, answer.json()) == (202, {"woken": 1})
    names = ("RO-2024-07814/ROI-007", "EZ1000000001")
    assert carrier.woken == [{f"{what}:{name}" for what in ("delivered", "returned") for name in names}]


def test_the_signature_is_the_one_that_easypost_documents() -> None:
    # the secret is normalised to NFKD: é becomes e and a combining accent
    expected = hmac.new("gehe\u0301im-per-test".encode(), b"{}", hashlib.sha256).hexdigest()
    assert sign("geh\u00e9im-per-test", b"{}") == f"hmac-sha256-hex={expected}"


FORGED = {
    "missing": None,
    "empty": "",
    "no digest": "hmac-sha256-hex=",
    "zeros": "hmac-sha256-hex=" + "0" * 64,
    "other secret": sign("another", event()),
    "other body": sign(SECRET, event() + b" "),
    "no prefix": sign(SECRET, event()).removeprefix("hmac-sha256-hex="),
    "not ASCII": "é",
}


@pytest.mark.parametrize("signature", FORGED.values(), ids=FORGED)
def test_a_forged_one_is_refused_and_wakes_nothing(signature: str | None, carrier: Carrier) -> None:
    headers = {} if signature is None else {SIGNATURE: signature.encode("latin-1")}
    answer = httpx.post(carrier.url, content=event(), headers=headers, trust_env=False)
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert error["code"] == "FORGED_CALLBACK"
    assert error["remedy"]
    assert SECRET not in answer.text
    assert carrier.woken == []


def test_other_news_of_a_parcel_wake_nothing(carrier: Carrier) -> None:
    body = event("in_transit")
    answer = carrier.post(body, sign(SECRET, body))
    assert (answer.status_code, answer.json()) == (202, {"woken": 0})
    assert carrier.woken == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"description": "x", "result": {}}', b"\xff"])
def test_what_is_no_event_is_refused(body: bytes, carrier: Carrier) -> None:
    answer = carrier.post(body, sign(SECRET, body))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BAD_INPUT"
    assert carrier.woken == []


def test_a_body_that_is_too_large_is_not_read(carrier: Carrier) -> None:
    body = b" " * (LIMIT + 1)
    answer = carrier.post(body, sign(SECRET, body))
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "TOO_LARGE"


def test_nothing_else_is_served(carrier: Carrier) -> None:
    base = carrier.url.removesuffix(LOGISTICS + SHIPPED)
    assert [httpx.get(base + path, trust_env=False).status_code for path in ("/", "/docs", "/openapi.json")] == [404, 404, 404]
    assert httpx.get(carrier.url, trust_env=False).status_code == 405


def test_the_port_is_kept_when_it_is_free_and_another_taken_when_not() -> None:
    app = webhooks(SECRET, lambda _: 0)
    with Listener(app, "127.0.0.1") as first:
        port = first.port
        with Listener(app, "127.0.0.1", port) as second:
            assert second.port != port
    with Listener(app, "127.0.0.1", port) as again:
        assert again.port == port
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_delivery_moves_an_order_that_waits_for_it(tmp_path: Path) -> None:
    """From the signed POST to the completed order, without the poll that would have found it an hour later."""
    world = null_world(f"sqlite:///{tmp_path}/turnup.db", tmp_path / "secret.key")
    parcels: set[str] = set()

    def there(question: Question) -> bool:
        return question.until != "delivered" or question.arguments["order"] in parcels

    world.targets.done = there
    executor = LocalExecutor(world.at)
    waker = Waker(world.at.store, executor.hint)
    order = Acceptance(world.at, world.catalogue).submit(superfibre(4821)).id
    with Listener(webhooks(SECRET, waker), "127.0.0.1") as listener:
        carrier = Carrier(listener.url + LOGISTICS + SHIPPED)
        executor.start()
        try:
            _until(lambda: _awaited(world.at.store.database) == "delivered:RO-2024-07814/ROI-007")
            _until(lambda: world.at.store.tree(order).root.state == "pending")  # all else is done
            forged = carrier.post(event(), sign("another", event()))
            assert forged.status_code == 401
            assert world.at.store.tree(order).root.state == "pending"
            parcels.add("RO-2024-07814/ROI-007")
            assert carrier.post(event(), sign(SECRET, event())).json() == {"woken": 1}
            _until(lambda: not progress(world.at.store.tree(order)))
        finally:
            executor.stop()
    assert world.at.store.tree(order).root.state == "completed"
    assert carrier.woken == []
    world.at.store.database.close()


def _awaited(database: Database) -> str | None:
    with database.read() as tx:
        return tx.execute(sa.select(steps.c.awaits).where(steps.c.state == StepState.WAITING)).scalar()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
