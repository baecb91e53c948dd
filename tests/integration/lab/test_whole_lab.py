"""All stand-ins of the worked example together: one parcel from the warehouse to the OLT and the ACS, and every one killed once."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psutil
import pytest

from lab.control import Lab, State, down, status, up
from lab.registry import EMBEDDED
from lab.remote import Remote

MEGABYTES = 400


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("whole") / "lab"
    try:
        yield up(folder, pace=3600, time_scale=100_000)
    finally:
        down(folder)


def until(condition: Callable[[], Any], timeout: float = 30) -> Any:
    """Return the first true value of a condition."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.05)
    return value


def test_all_are_ready_and_show_what_they_hold(lab: Lab) -> None:
    assert set(lab.endpoints) == {listing.name for listing in EMBEDDED}
    assert all(Remote(endpoint).state() is not None for endpoint in lab.endpoints.values())
    assert lab.known_hosts.read_text().count("ssh-ed25519") == 3


def test_together_they_take_less_memory_than_promised(lab: Lab) -> None:
    members = [process for process in psutil.process_iter(["cmdline"]) if str(lab.folder) in (process.info["cmdline"] or [])]
    assert len(members) == 1 + len(EMBEDDED)
    assert sum(process.memory_full_info().pss for process in members) < MEGABYTES * 2**20


def test_a_router_that_was_shipped_shows_at_the_olt_and_calls_the_acs(lab: Lab) -> None:
    product = {"productSerialNumber": "HWT2340098", "productCharacteristic": [{"name": "ssid", "value": "SmithHome"}]}
    item = {"id": "1", "action": "add", "shipment": {"shipmentItem": [{"id": "1", "sku": "HG8245H", "product": product}]}}
    order = {"externalId": "RO-2024-07814/ROI-007", "shippingOrderItem": [item]}
    logistics = lab.endpoints["logistics"]
    headers = {"X-API-KEY": lab.credentials.logistics_api_key}
    assert httpx.post(f"{logistics.url}/shippingOrder", json=order, headers=headers, trust_env=False).status_code == 201
    acs = Remote(lab.endpoints["ACS-01"])
    device = until(lambda: next(iter(acs.state()["devices"]), None))
    assert device["_deviceId"]["_SerialNumber"] == "HWT2340098"
    assert "HWTC02340098" in {ont["serial"] for ont in Remote(lab.endpoints["OLT-EAST-07"]).state()["onts"]}


def test_whoever_is_killed_comes_back_where_it_was(lab: Lab) -> None:
    for endpoint in lab.endpoints.values():
        Remote(endpoint).kill()
    assert {one.state for one in status(lab.folder)} == {State.DEAD}
    again = up(lab.folder)
    assert {one.state for one in status(lab.folder)} == {State.READY}
    for name, endpoint in again.endpoints.items():
        assert (endpoint.url, endpoint.port, endpoint.urls) == (lab.endpoints[name].url, lab.endpoints[name].port, lab.endpoints[name].urls)
        assert endpoint.pid != lab.endpoints[name].pid
