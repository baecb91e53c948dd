"""What we rely on in GenieACS (v1.2): its northbound interface, and what a router that calls it gets."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from acs_under_test import AcsUnderTest

from lab.acs.cpe import Cpe, factory_settings
from lab.acs.devices import Identity

IDENTITY = Identity("Huawei", "00259E", "HG8245H", "CONTRACT0098")
DEVICE = IDENTITY.device_id
NAME = "contract-residential"
SSID = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID"
CODE = "InternetGatewayDevice.DeviceInfo.ProvisioningCode"
SCRIPT = f"""const now = Date.now();
declare("{CODE}", {{value: now}}, {{value: args[0]}});
declare("{SSID}", {{value: now}}, {{value: args[1]}});
declare("Tags.{NAME.replace("-", "_")}", null, {{value: true}});
"""
PRESET = {
    "weight": 10,
    "channel": "default",
    "precondition": json.dumps({"DeviceID.SerialNumber": IDENTITY.serial}),
    "events": {},
    "configurations": [{"type": "provision", "name": NAME, "args": ["SI-CPE-4821", "SmithHome"]}],
}


@pytest.fixture(autouse=True)
def _clean(acs: AcsUnderTest) -> Iterator[None]:
    yield
    for path in (f"presets/{NAME}", f"provisions/{NAME}", f"files/{NAME}.bin", f"devices/{DEVICE}", f"faults/{DEVICE}:default"):
        acs.northbound.delete(f"/{path}")


@pytest.fixture
def router() -> Cpe:
    return Cpe(IDENTITY, factory_settings(IDENTITY, "48:57:54:34:00:98"))


def call(acs: AcsUnderTest, router: Cpe, *events: str) -> None:
    asyncio.run(router.session(acs.cwmp, acs.cwmp_login, events or ("2 PERIODIC",), "2024-03-12T10:30:00.000Z"))


def devices(acs: AcsUnderTest, **parameters: str) -> list[dict[str, Any]]:
    answer = acs.northbound.get("/devices/", params={"query": json.dumps({"_deviceId._SerialNumber": IDENTITY.serial}), **parameters})
    assert answer.status_code == 200
    return list(answer.json())


def put_profile(acs: AcsUnderTest) -> None:
    provision = acs.northbound.put(f"/provisions/{NAME}", content=SCRIPT)
    assert (provision.status_code, provision.content) == (200, b"")
    preset = acs.northbound.put(f"/presets/{NAME}", json=PRESET)
    assert (preset.status_code, preset.content) == (200, b"")


def test_what_was_put_can_be_found_and_deleted(acs: AcsUnderTest) -> None:
    put_profile(acs)
    query = {"query": json.dumps({"_id": NAME})}
    (preset,) = acs.northbound.get("/presets/", params=query).json()
    assert preset == {**PRESET, "_id": NAME}
    found = acs.northbound.get("/provisions/", params=query)
    assert (found.json(), found.headers["total"]) == ([{"_id": NAME, "script": SCRIPT}], "1")
    assert found.headers["genieacs-version"]
    for path in (f"/presets/{NAME}", f"/provisions/{NAME}"):
        assert acs.northbound.delete(path).status_code == 200
        assert acs.northbound.delete(path).status_code == 200
    assert acs.northbound.get("/presets/", params=query).json() == []
    assert acs.northbound.head("/presets/", params=query).headers["total"] == "0"


def test_files_are_described_by_headers(acs: AcsUnderTest) -> None:
    headers = {"fileType": "1 Firmware Upgrade Image", "oui": "00259E", "productClass": "HG8245H", "version": "v3.2"}
    assert acs.northbound.put(f"/files/{NAME}.bin", content=b"firmware", headers=headers).status_code == 201
    (file,) = acs.northbound.get("/files/", params={"query": json.dumps({"_id": f"{NAME}.bin"})}).json()
    assert (file["metadata"], file["length"]) == (headers, 8)
    assert acs.northbound.delete(f"/files/{NAME}.bin").status_code == 200
    assert acs.northbound.delete(f"/files/{NAME}.bin").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("PUT", f"/presets/{NAME}", b"{", 400),
        ("PUT", f"/provisions/{NAME}", b"declare(", 400),
        ("GET", f"/presets/{NAME}", b"", 405),
        ("POST", f"/devices/{DEVICE}", b"", 405),
        ("GET", "/nonsense/", b"", 404),
        ("GET", "/devices/?query={", b"", 400),
        ("POST", f"/devices/{DEVICE}/tasks", b"", 400),
        ("POST", f"/devices/{DEVICE}/tasks", b'{"name":"setParameterValues","parameterValues":[]}', 404),
        ("POST", f"/devices/{DEVICE}/tasks?connection_request", b"", 404),
        ("POST", f"/devices/{DEVICE}/tags/gold", b"", 404),
    ],
)
def test_what_cannot_be_done_has_its_status(acs: AcsUnderTest, method: str, path: str, content: bytes, status: int) -> None:
    answer = acs.northbound.request(method, path, content=content)
    assert answer.status_code == status
    if status == 405:
        assert answer.headers["allow"]


def test_a_router_that_calls_is_registered_and_gets_what_its_preset_says(acs: AcsUnderTest, router: Cpe) -> None:
    put_profile(acs)
    assert devices(acs) == []
    call(acs, router, "0 BOOTSTRAP", "1 BOOT")
    assert router.parameters[SSID].value == "SmithHome"
    assert router.parameters[CODE].value == "SI-CPE-4821"
    (device,) = devices(acs)
    assert device["_id"] == DEVICE
    assert device["_deviceId"]["_ProductClass"] == "HG8245H"
    assert device["_registered"]
    assert device["_lastInform"]
    assert device["_tags"] == [NAME.replace("-", "_")]
    ssid = device["InternetGatewayDevice"]["LANDevice"]["1"]["WLANConfiguration"]["1"]["SSID"]
    assert (ssid["_value"], ssid["_type"], ssid["_object"]) == ("SmithHome", "xsd:string", False)
    (part,) = devices(acs, projection="_tags")
    assert set(part) == {"_id", "_tags"}


def test_the_preset_wins_whatever_the_router_was_set_to(acs: AcsUnderTest, router: Cpe) -> None:
    put_profile(acs)
    call(acs, router, "0 BOOTSTRAP", "1 BOOT")
    task = {"name": "setParameterValues", "parameterValues": [[SSID, "SmithHome2", "xsd:string"]]}
    assert acs.northbound.post(f"/devices/{DEVICE}/tasks", json=task).status_code == 202
    call(acs, router)
    assert router.parameters[SSID].value == "SmithHome"
    assert acs.northbound.get("/tasks/", params={"query": json.dumps({"device": DEVICE})}).json() == []


def test_without_a_preset_a_task_sets_what_it_says(acs: AcsUnderTest, router: Cpe) -> None:
    call(acs, router, "0 BOOTSTRAP", "1 BOOT")
    task = {"name": "setParameterValues", "parameterValues": [[SSID, "SmithHome2", "xsd:string"]]}
    assert acs.northbound.post(f"/devices/{DEVICE}/tasks", json=task).json()["device"] == DEVICE
    call(acs, router)
    assert router.parameters[SSID].value == "SmithHome2"


def test_what_the_router_refuses_is_a_fault(acs: AcsUnderTest, router: Cpe) -> None:
    call(acs, router, "0 BOOTSTRAP", "1 BOOT")
    value = {"type": "value", "name": "InternetGatewayDevice.DeviceInfo.SerialNumber", "value": "stolen"}
    acs.northbound.put(f"/presets/{NAME}", json={**PRESET, "configurations": [value]})
    call(acs, router)
    assert router.parameters["InternetGatewayDevice.DeviceInfo.SerialNumber"].value == IDENTITY.serial
    (fault,) = acs.northbound.get("/faults/", params={"query": json.dumps({"device": DEVICE})}).json()
    assert (fault["_id"], fault["code"]) == (f"{DEVICE}:default", "cwmp.9003")


def test_tags_come_and_go(acs: AcsUnderTest, router: Cpe) -> None:
    call(acs, router, "0 BOOTSTRAP", "1 BOOT")
    assert acs.northbound.post(f"/devices/{DEVICE}/tags/gold").status_code == 200
    assert devices(acs)[0]["_tags"] == ["gold"]
    assert acs.northbound.delete(f"/devices/{DEVICE}/tags/gold").status_code == 200
    assert devices(acs)[0]["_tags"] == []


def test_who_is_unknown_to_cwmp_gets_no_session(acs: AcsUnderTest) -> None:
    auth = (acs.cwmp_login.user, acs.cwmp_login.password)
    assert httpx.post(acs.cwmp, content=b"<not-soap/>", auth=auth, trust_env=False).status_code == 400
