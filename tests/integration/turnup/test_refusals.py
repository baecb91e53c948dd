"""What devices and systems refuse, from the command line: a coded error, the exit code, and nothing half done.

Each test has the lab of the module and customers of its own; what it breaks, it heals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import control
from tests.integration.turnup.conftest import ROOT, Done, Program

Order = Callable[[int], Path]


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """A playbook of another customer."""

    def write(number: int) -> Path:
        text = (ROOT / "playbooks/superfibre-200.yaml").read_text("utf-8")
        path = tmp_path / f"order-{number}.yaml"
        path.write_text(re.sub(r"CUST-\d+", f"CUST-{number}", text), "utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def turnup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program with a lab of the profile `bench`: what some orders hold, the others do not lack."""
    program = Program(tmp_path_factory.mktemp("refusals") / "home", {"TURNUP_LAB__PROFILE": "bench"})
    assert program("lab", "up").code == 0
    yield program
    control.down(program.home / "lab")


@pytest.fixture
def broken(turnup: Program) -> Iterator[Callable[..., None]]:
    """Adds faults to stand-ins, and takes them back."""
    names: set[str] = set()

    def fail(name: str, on: str, do: str, **more: Any) -> None:
        names.add(name)
        turnup.stand_in(name).fail(on, do, **more)

    yield fail
    for name in names:
        turnup.stand_in(name).heal()


def items(done: Done) -> dict[str, str]:
    return {item["id"]: item["state"] for item in done.document["items"]}


def troubles(done: Done) -> dict[str, tuple[str, str]]:
    return {
        i["id"]: (i["trouble"]["code"], i["trouble"]["message"])
        for i in done.document["items"]
        if i["trouble"] and i["state"] != "completed"
    }


def targets(done: Done) -> dict[str, str]:
    return {target["name"]: target["state"] for target in done.document["targets"]}


def test_no_free_vlan_holds_what_needs_it_and_says_what_is_exhausted(turnup: Program, order: Order, broken: Callable[..., None]) -> None:
    broken("netbox", "POST /api/ipam/vlan-groups/*/available-vlans/", "exhaust", times=None)
    done = turnup("run", order(5002), "--json")
    assert done.code == 3, done.out + done.err
    found = items(done)
    assert (found["ROI-002"], found["SOI-001"], found["POI-001"]) == ("held", "held", "held")
    assert (found["ROI-007"], found["ROI-006"], found["ROI-005"]) == ("completed", "completed", "completed")
    assert troubles(done)["ROI-002"][0] == "RESOURCE_EXHAUSTED"
    assert targets(done)["OLT-EAST-07"] == "notAttempted"
    said = turnup("show", done.document["order"]["id"]).out
    assert "What to do: " in said
    assert turnup("undo", done.document["order"]["id"]).code == 0  # or the orders below would queue behind it


def test_an_edit_that_the_olt_refuses_is_reversed_and_said_in_its_words(turnup: Program, order: Order, broken: Callable[..., None]) -> None:
    broken("OLT-EAST-07", "edit-config", "refuse", times=None, error={"error-tag": "bad-element", "error-message": "no such thing here"})
    before = turnup.stand_in("OLT-EAST-07").state()
    done = turnup("run", order(5003), "--json")
    assert done.code == 3, done.out + done.err
    code, message = troubles(done)["ROI-001"]
    assert code == "TARGET_REFUSED"
    assert "no such thing here" in message
    assert targets(done)["OLT-EAST-07"] == "held"
    assert targets(done)["logistics"] == "done"
    assert targets(done)["DHCP-EAST-01"] == "notAttempted"
    assert {t["state"] for t in done.document["transactions"] if t["target"] == "OLT-EAST-07"} == {"refused"}
    assert turnup.stand_in("OLT-EAST-07").state()["running"] == before["running"]


def test_kea_that_refuses(turnup: Program, order: Order, broken: Callable[..., None]) -> None:
    broken("DHCP-EAST-01", "reservation-add", "refuse", times=None, error={"text": "the address is not for you"})
    done = turnup("run", order(5004), "--json")
    assert done.code == 3, done.out + done.err
    code, message = troubles(done)["ROI-003"]
    assert (code, "the address is not for you" in message) == ("TARGET_REFUSED", True)
    assert items(done)["ROI-004"] == "completed"
    assert targets(done)["RADIUS-EAST-01"] == "done"


def test_an_acs_that_knows_no_such_thing(turnup: Program, order: Order, broken: Callable[..., None]) -> None:
    broken("ACS-01", "PUT /presets/*", "refuse", times=None, status=404)
    done = turnup("run", order(5005), "--json")
    assert done.code == 3, done.out + done.err
    assert troubles(done)["ROI-006"][0] == "TARGET_REFUSED"
    assert items(done)["SOI-001"] == "completed"


def test_a_lock_that_is_given_back_in_time(turnup: Program, order: Order, broken: Callable[..., None]) -> None:
    broken("OLT-EAST-07", "lock", "refuse", times=1, error={"error-tag": "lock-denied", "error-message": "session 4711 has it"})
    done = turnup("run", order(5006), "--json")
    assert done.code == 0, done.out + done.err


def test_a_second_order_of_the_same_id_but_another_body(turnup: Program, order: Order) -> None:
    path = order(5006)
    path.write_text(path.read_text("utf-8").replace("SmithHome", "JonesHome"), "utf-8")
    done = turnup("run", path, "--json")
    assert done.code == 2
    assert done.document["error"]["code"] == "DUPLICATE_ORDER"


def test_a_checksum_that_does_not_fit_sends_nothing_and_gives_all_back(turnup: Program, order: Order) -> None:
    before = turnup("inventory", "audit", "--json").document["looked_at"]
    done = turnup("run", order(5007), "--checksum", "0000000000000000", "--json")
    assert done.code == 1
    assert "has checksum" in done.document["order"]["reason"]
    assert done.document["transactions"] == []
    assert turnup("inventory", "audit", "--json").document["looked_at"] == before


def test_an_exchange_that_netbox_does_not_have(turnup: Program, order: Order) -> None:
    path = order(5008)
    path.write_text(path.read_text("utf-8").replace("exchange: EAST-07", "exchange: WEST-01"), "utf-8")
    done = turnup("run", path, "--json")
    assert done.code == 1
    assert done.document["error"]["code"] == "INVENTORY_INCOMPLETE"
    assert "WEST-01" in done.document["error"]["message"]
    assert "CUST-5008" not in turnup("orders", "--json").out


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"TURNUP_NETBOX__URL": "http://127.0.0.1:9"}, "INVENTORY_UNREACHABLE"),
        ({"TURNUP_NETBOX__URL": ""}, "INVENTORY_DENIED"),
    ],
    ids=["down", "wrong token"],
)
def test_a_netbox_that_cannot_be_used_leaves_nothing_behind(turnup: Program, order: Order, settings: dict[str, str], code: str) -> None:
    lab = {one["name"]: one for one in turnup("lab", "status", "--json").document["standIns"]}
    url = settings["TURNUP_NETBOX__URL"] or f"http://{lab['netbox']['address']}"
    done = turnup("run", order(5009), "--json", TURNUP_NETBOX__URL=url, TURNUP_NETBOX__TOKEN="0" * 40, TURNUP_LAB__EMBEDDED="true")
    assert done.code == 1
    assert done.document["error"]["code"] == code
    assert "CUST-5009" not in turnup("orders", "--json").out


def test_a_netbox_that_is_slow(turnup: Program, order: Order, broken: Callable[..., None]) -> None:
    broken("netbox", "GET /api/*", "hang", times=None)
    done = turnup("run", order(5010), "--json", TURNUP_NETBOX__TIMEOUT="0.3")
    assert done.code == 1
    assert done.document["error"]["code"] == "INVENTORY_UNREACHABLE"


@pytest.mark.parametrize(
    ("number", "settings", "code"),
    [
        (5011, {"TURNUP_TARGETS__ASW_EAST_07__PASSWORD": "wrong"}, "TARGET_DENIED"),
        (5012, {"TURNUP_TARGETS__BNG_EAST_01__PASSWORD": "wrong"}, "TARGET_DENIED"),
        (5013, {"TURNUP_TARGETS__ASW_EAST_07__KNOWN_HOSTS": "/dev/null"}, "HOST_KEY_UNKNOWN"),
        (5014, {"TURNUP_TARGETS__DHCP_EAST_01__PASSWORD": "wrong"}, "TARGET_DENIED"),
        (5015, {"TURNUP_TARGETS__LOGISTICS__API_KEY": "wrong"}, "TARGET_DENIED"),
    ],
)
def test_a_target_that_does_not_know_us_or_is_not_known(
    turnup: Program, order: Order, number: int, settings: dict[str, str], code: str
) -> None:
    done = turnup("run", order(number), "--json", **settings)
    assert done.code == 3, done.out + done.err
    assert all(target["platform"] for target in done.document["targets"])
    assert [found for found, _ in troubles(done).values()] == [code] * len(troubles(done))
    assert "wrong" not in json.dumps(done.document)


def test_the_others_go_on(turnup: Program, order: Order) -> None:
    done = turnup("run", order(5020), "--json")
    assert done.code == 0, done.out + done.err
    assert turnup("inventory", "audit").code == 0
