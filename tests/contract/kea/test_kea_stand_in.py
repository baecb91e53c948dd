"""What only the stand-in can be made to show: restarts and faults."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lab.credentials import credentials
from lab.remote import Remote
from lab.standin import Endpoint, running

RESERVATION = {"subnet-id": 42, "hw-address": "48:57:54:34:00:98", "ip-address": "10.42.17.22"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "DHCP-EAST-01"


@pytest.fixture
def endpoint(folder: Path) -> Iterator[Endpoint]:
    with running("kea", "DHCP-EAST-01", folder) as endpoint:
        yield endpoint


def ask(folder: Path, endpoint: Endpoint, command: str, **arguments: object) -> dict[str, object]:
    login = credentials(folder.parent).kea
    content = {"command": command, "arguments": {name.replace("_", "-"): value for name, value in arguments.items()}}
    answer = httpx.post(endpoint.urls["dhcp4"], json=content, auth=(login.user, login.password), timeout=2, trust_env=False)
    return dict(answer.raise_for_status().json()[0])


def add(folder: Path, endpoint: Endpoint) -> dict[str, object]:
    return ask(folder, endpoint, "reservation-add", reservation=RESERVATION, operation_target="memory")


def test_the_memory_is_lost_with_the_process_unless_it_was_written(folder: Path) -> None:
    with running("kea", "DHCP-EAST-01", folder) as endpoint:
        assert add(folder, endpoint)["result"] == 0
    with running("kea", "DHCP-EAST-01", folder) as endpoint:
        assert add(folder, endpoint)["result"] == 0
        written = ask(folder, endpoint, "config-write")
        assert written["result"] == 0
        Remote(endpoint).kill()
    with running("kea", "DHCP-EAST-01", folder) as endpoint:
        assert ask(folder, endpoint, "reservation-get", subnet_id=42, ip_address="10.42.17.22")["result"] == 0


def test_the_configuration_is_written_into_its_own_folder_only(folder: Path, endpoint: Endpoint) -> None:
    assert ask(folder, endpoint, "config-write", filename="copy.conf")["result"] == 0
    assert (folder / "copy.conf").exists()
    assert ask(folder, endpoint, "config-write", filename="../stolen.conf")["result"] == 1
    assert not (folder.parent / "stolen.conf").exists()


def test_refused_and_exhausted_are_keas_result_1(folder: Path, endpoint: Endpoint) -> None:
    Remote(endpoint).fail("reservation-add", "refuse", error={"text": "no"})
    assert add(folder, endpoint) == {"result": 1, "text": "no"}
    Remote(endpoint).fail("dhcp6 *", "refuse", times=None)
    assert add(folder, endpoint)["result"] == 0


def test_dropped_after_it_took_effect(folder: Path, endpoint: Endpoint) -> None:
    Remote(endpoint).fail("reservation-add", "drop", when="after")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        add(folder, endpoint)
    held = Remote(endpoint).state()["dhcp4"]["reservations"]
    assert [host["ip-address"] for host in held] == ["10.42.17.22"]


def test_a_lease_that_a_test_put_there_is_shown(folder: Path, endpoint: Endpoint) -> None:
    lease = {"ip-address": "10.42.17.22", "hw-address": "48:57:54:34:00:98", "subnet-id": 42, "state": 0}
    Remote(endpoint).post("/leases", {"service": "dhcp4", "lease": lease})
    assert ask(folder, endpoint, "lease4-get", ip_address="10.42.17.22")["arguments"] == lease
