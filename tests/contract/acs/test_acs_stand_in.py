"""What only the stand-in does: routers that are plugged in, restarts, faults."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lab.clock import LabClock
from lab.credentials import credentials
from lab.remote import Remote
from lab.standin import Endpoint, running

ROUTER = {"serial": "HWT2340098", "mac": "48:57:54:34:00:98", "oui": "00259E", "productClass": "HG8245H"}
DEVICE = "00259E-HG8245H-HWT2340098"
TARGET = "InternetGatewayDevice.DeviceInfo.X_TargetSoftwareVersion"
SSID = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID"


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    with running("acs", "ACS-01", tmp_path / "ACS-01") as endpoint:
        yield endpoint


def northbound(lab: Path, endpoint: Endpoint) -> httpx.Client:
    login = credentials(lab).acs
    return httpx.Client(base_url=endpoint.url or "", auth=(login.user, login.password), trust_env=False)


def preset(client: httpx.Client, **values: str) -> None:
    configurations = [{"type": "value", "name": name, "value": value} for name, value in values.items()]
    precondition = json.dumps({"DeviceID.SerialNumber": ROUTER["serial"]})
    assert client.put("/presets/x", json={"precondition": precondition, "configurations": configurations}).is_success


def until(condition: Callable[[], Any], timeout: float = 15) -> Any:
    """Return the first true value of a condition."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.02)
    return value


def device(endpoint: Endpoint) -> dict[str, Any] | None:
    return next(iter(Remote(endpoint).state()["devices"]), None)


def parameter(endpoint: Endpoint, path: str) -> str:
    value: str = Remote(endpoint).state()["routers"][ROUTER["serial"]]["parameters"][path][0]
    return value


def test_without_the_login_there_is_nothing(endpoint: Endpoint) -> None:
    for login in (None, ("northbound", "guess")):
        assert httpx.get(f"{endpoint.url}/devices/", auth=login, trust_env=False).status_code == 401
        assert httpx.post(endpoint.urls["cwmp"], auth=login, trust_env=False).status_code == 401


def test_a_router_that_is_plugged_in_calls_gets_its_settings_and_its_firmware(tmp_path: Path, endpoint: Endpoint) -> None:
    with northbound(tmp_path, endpoint) as client:
        preset(client, **{SSID: "SmithHome", TARGET: "v3.2"})
        Remote(endpoint).post("/plug-in", ROUTER)
        found = until(
            lambda: (one := device(endpoint)) and parameter(endpoint, "InternetGatewayDevice.DeviceInfo.SoftwareVersion") == "v3.2" and one
        )
        assert found["_id"] == DEVICE
        assert parameter(endpoint, SSID) == "SmithHome"
        query = {"query": json.dumps({"InternetGatewayDevice.DeviceInfo.SoftwareVersion": "v3.2"})}
        assert until(lambda: client.get("/devices/", params=query).json())[0]["_id"] == DEVICE


def test_plugged_in_twice_it_is_one_router(endpoint: Endpoint) -> None:
    for _ in range(2):
        Remote(endpoint).post("/plug-in", ROUTER)
    until(lambda: device(endpoint))
    assert len(Remote(endpoint).state()["routers"]) == 1


def test_a_router_that_cannot_get_through_tries_again(endpoint: Endpoint) -> None:
    Remote(endpoint).fail("cwmp Inform", "drop", times=2)
    Remote(endpoint).post("/plug-in", ROUTER)
    assert until(lambda: device(endpoint))["_id"] == DEVICE
    assert Remote(endpoint).faults() == []


def test_a_connection_request_carries_a_task_out_at_once(tmp_path: Path, endpoint: Endpoint) -> None:
    Remote(endpoint).post("/plug-in", ROUTER)
    until(lambda: device(endpoint) and Remote(endpoint).state()["routers"][ROUTER["serial"]]["next_inform"])
    task = {"name": "setParameterValues", "parameterValues": [[SSID, "SmithHome", "xsd:string"]]}
    with northbound(tmp_path, endpoint) as client:
        assert client.post(f"/devices/{DEVICE}/tasks?connection_request", json=task).status_code == 200
        assert parameter(endpoint, SSID) == "SmithHome"
        Remote(endpoint).post("/unplug", {"serial": ROUTER["serial"]})
        assert client.post(f"/devices/{DEVICE}/tasks?connection_request&timeout=100", json=task).status_code == 202
        assert client.post(f"/devices/{DEVICE}/tasks?connection_request&timeout=100").status_code == 504


def test_a_router_goes_on_after_the_acs_was_killed_and_informs_at_its_interval(tmp_path: Path, endpoint: Endpoint) -> None:
    Remote(endpoint).post("/plug-in", ROUTER)
    first = until(lambda: Remote(endpoint).state()["routers"][ROUTER["serial"]]["next_inform"] and device(endpoint))
    Remote(endpoint).kill()
    LabClock(tmp_path / "clock.json").start(pace=43_200 * 4)
    with running("acs", "ACS-01", tmp_path / "ACS-01") as again:
        later = until(lambda: (one := device(again)) and one["_lastInform"] > first["_lastInform"] and one)
        assert later["_registered"] == first["_registered"]
        assert later["_lastBoot"] == first["_lastBoot"]


@pytest.mark.parametrize("wrong", [{}, {**ROUTER, "colour": "red"}])
def test_what_is_no_router_cannot_be_plugged_in(endpoint: Endpoint, wrong: dict[str, str]) -> None:
    assert httpx.post(f"{endpoint.control}/plug-in", json=wrong, trust_env=False).status_code == 400
