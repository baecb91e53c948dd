"""What only the stand-in promises: our platform's device ids, state that survives, faults."""

from pathlib import Path

import httpx
import pytest

from lab.credentials import credentials
from lab.remote import Remote
from lab.standin import Endpoint, running


def register(lab: Path, endpoint: Endpoint, mac: str) -> httpx.Response:
    headers = {"X-API-KEY": credentials(lab).cloudwifi_api_key}
    tag = {"serialNumber": mac, "name": "HWT2340098", "deviceType": "HG8245H"}
    return httpx.post(f"{endpoint.url}/inventory/{mac}", json=tag, headers=headers, trust_env=False)


def test_ids_count_from_the_worked_examples_and_are_never_given_twice(tmp_path: Path) -> None:
    with running("cloudwifi", "cloudwifi", tmp_path / "cloudwifi") as endpoint:
        assert register(tmp_path, endpoint, "485754340098").json()["deviceId"] == "CW-89012"
        assert register(tmp_path, endpoint, "485754340099").json()["deviceId"] == "CW-89013"
        headers = {"X-API-KEY": credentials(tmp_path).cloudwifi_api_key}
        assert httpx.delete(f"{endpoint.url}/inventory/485754340099", headers=headers, trust_env=False).is_success
        Remote(endpoint).kill()
    with running("cloudwifi", "cloudwifi", tmp_path / "cloudwifi") as endpoint:
        assert register(tmp_path, endpoint, "485754340099").json()["deviceId"] == "CW-89014"
        state = Remote(endpoint).state()
        assert [tag["deviceId"] for tag in state["inventory"]] == ["CW-89012", "CW-89014"]


def test_registered_but_not_told(tmp_path: Path) -> None:
    with running("cloudwifi", "cloudwifi", tmp_path / "cloudwifi") as endpoint:
        Remote(endpoint).fail("POST /api/v1/inventory/*", "drop", when="after")
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            register(tmp_path, endpoint, "485754340098")
        assert register(tmp_path, endpoint, "485754340098").json()["ErrorCode"] == 1021
