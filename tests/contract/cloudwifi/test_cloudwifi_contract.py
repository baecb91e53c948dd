"""What we rely on in OpenWiFi's provisioning service (owprov, openapi 2.5.0)."""

import uuid
from collections.abc import Iterator

import httpx
import pytest

MAC = "485754340098"
TAG = {
    "serialNumber": MAC,
    "name": "HWT2340098",
    "deviceType": "HG8245H",
    "devClass": "subscriber",
    "deviceRules": {"rrm": "inherit", "firmwareUpgrade": "inherit"},
}


@pytest.fixture(autouse=True)
def _clean(platform: httpx.Client) -> Iterator[None]:
    yield
    platform.delete(f"/inventory/{MAC}")


def register(platform: httpx.Client, path: str = MAC, **changes: object) -> httpx.Response:
    return platform.post(f"/inventory/{path}", json={**TAG, **changes})


def test_without_the_key_there_is_nothing(platform: httpx.Client) -> None:
    for headers in ({"X-API-KEY": "guess"}, {"X-API-KEY": ""}):
        answer = platform.get("/inventory", headers=headers)
        assert answer.status_code == 403
        assert answer.json()["ErrorDescription"]


def test_a_device_is_registered_read_changed_and_deleted(platform: httpx.Client) -> None:
    assert platform.get(f"/inventory/{MAC}").status_code == 404
    answer = register(platform)
    assert answer.status_code == 200
    tag = answer.json()
    assert uuid.UUID(tag["id"])
    assert tag.items() >= TAG.items()
    assert platform.get(f"/inventory/{MAC}").json() == tag
    changed = platform.put(f"/inventory/{MAC}", json={"name": "HWT2340099"})
    assert (changed.status_code, changed.json()["name"], changed.json()["id"]) == (200, "HWT2340099", tag["id"])
    assert platform.delete(f"/inventory/{MAC}").status_code == 200
    assert platform.delete(f"/inventory/{MAC}").status_code == 404
    assert platform.put(f"/inventory/{MAC}", json=TAG).status_code == 404


def test_a_mac_in_any_notation_is_one_device(platform: httpx.Client) -> None:
    assert register(platform, path="48:57:54:34:00:98").json()["serialNumber"] == MAC
    assert register(platform).json()["ErrorCode"] == 1021


@pytest.mark.parametrize(
    ("path", "changes", "code"),
    [
        ("HWT2340098", {}, 1020),
        (MAC, {"serialNumber": "485754340099"}, 1030),
        (MAC, {"name": ""}, 1007),
        (MAC, {"deviceType": "toaster"}, 1010),
        (MAC, {"devClass": "friend"}, 1058),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_number(platform: httpx.Client, path: str, changes: dict[str, str], code: int) -> None:
    answer = register(platform, path=path, **changes)
    assert (answer.status_code, answer.json()["ErrorCode"]) == (400, code)
    assert answer.json()["ErrorDescription"]
    assert platform.get(f"/inventory/{MAC}").status_code == 404


def test_what_is_no_json_is_refused(platform: httpx.Client) -> None:
    answer = platform.post(f"/inventory/{MAC}", content=b"{")
    assert (answer.status_code, answer.json()["ErrorCode"]) == (400, 1003)
