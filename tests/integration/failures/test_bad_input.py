"""What is found before the first claim leaves nothing behind: exit code 2, a code, the place in the file, what would be right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.failures.machine import Machine

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(autouse=True)
def nothing_left(machine: Machine) -> Iterator[None]:
    """Every test of this module leaves the world as it was: no claim, no configuration, no order."""
    before, orders = machine.holds(), machine.orders()
    yield
    assert machine.orders() == orders
    assert machine.holds() == before


def _line_of(playbook: Path, text: str) -> int:
    return next(number for number, line in enumerate(playbook.read_text("utf-8").splitlines(), 1) if text in line)


@pytest.mark.parametrize("command", ["run", "submit", "plan"])
def test_yaml_that_is_not_yaml(machine: Machine, command: str) -> None:
    playbook = machine.playbook()
    playbook.write_text("externalId: X-1\ncustomer: {id: CUST-1\noffering: PO-SF200H\n", "utf-8")
    done = machine(command, playbook, "--json")
    assert done.code == 2
    assert done.error["code"] == "PLAYBOOK_INVALID"
    assert done.error["message"].startswith(f"{playbook}:3: not YAML: ")
    assert "docs/playbooks.md" in done.error["remedy"]


def test_a_file_that_is_not_there(machine: Machine) -> None:
    missing = machine.folder / "missing.yaml"
    done = machine("run", missing, "--json")
    assert (done.code, done.error["code"]) == (2, "PLAYBOOK_INVALID")
    assert done.error["message"] == f"{missing} cannot be read: No such file or directory"


WRONG: list[tuple[str, Change, str, str, str]] = [
    (
        "an unknown field, with the nearest known one",
        lambda order: order.update(descripton=order.pop("description")),
        "PLAYBOOK_INVALID",
        "descripton",
        "unknown field `descripton`, did you mean `description`?",
    ),
    (
        "an unknown field further down",
        lambda order: order["address"].update(exchnage="EAST-07"),
        "PLAYBOOK_INVALID",
        "exchnage",
        "address.exchnage: unknown field `exchnage`, did you mean `exchange`?",
    ),
    ("a field that is missing", lambda order: order.pop("customer"), "PLAYBOOK_INVALID", "externalId", "`customer` is missing"),
    (
        "an unknown offering",
        lambda order: order.update(offering="PO-SF200"),
        "UNKNOWN_SPECIFICATION",
        "offering",
        "unknown product offering `PO-SF200`, did you mean `PO-SF200H`? (known: PO-SF200H, PO-SF500, PO-SF500H)",
    ),
    (
        "an unknown characteristic",
        lambda order: order["characteristics"].update(sssid="Home"),
        "CHARACTERISTIC_INVALID",
        "sssid",
        "unknown characteristic `sssid`, did you mean `ssid`?",
    ),
    (
        "an illegal value, with the legal ones",
        lambda order: order["characteristics"].update(routerModel="HG8245X"),
        "CHARACTERISTIC_INVALID",
        "routerModel",
        "`routerModel` is 'HG8245X'; legal values: HG8245H, HG8245Q2",
    ),
    (
        "a value of the wrong type",
        lambda order: order["characteristics"].update(wifiApp="perhaps"),
        "CHARACTERISTIC_INVALID",
        "wifiApp",
        "`wifiApp` is 'perhaps', a boolean is needed",
    ),
    (
        "a value that the offering fixes",
        lambda order: order["characteristics"].update(downloadSpeed=500),
        "CHARACTERISTIC_INVALID",
        "downloadSpeed",
        "`downloadSpeed` is 500; SuperFibre 200 Home fixes it to 200",
    ),
]


@pytest.mark.parametrize(("change", "code", "line", "said"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_playbook_with(machine: Machine, change: Change, code: str, line: str, said: str) -> None:
    playbook = machine.playbook(change)
    done = machine("run", playbook, "--json")
    assert done.code == 2
    assert done.error["code"] == code
    place = f"{playbook}:{_line_of(playbook, line)}: " if line else str(playbook)
    assert done.error["message"].startswith(place)
    assert said in done.error["message"]
    assert done.error["remedy"]


def test_a_mandatory_characteristic_that_is_missing_with_its_legal_values(machine: Machine) -> None:
    folder = machine.copied("catalog", "superfibre-200.yaml", "routerModel: HG8245H, ", "")
    playbook = machine.playbook(lambda order: order["characteristics"].pop("routerModel"))
    done = machine("run", playbook, "--json", TURNUP_CATALOGUE=str(folder))
    assert (done.code, done.error["code"]) == (2, "CHARACTERISTIC_INVALID")
    assert done.error["message"].startswith(str(playbook))
    assert "`routerModel` is missing; legal values: HG8245H, HG8245Q2" in done.error["message"]


def test_the_same_error_for_people_on_stderr(machine: Machine) -> None:
    done = machine.process("run", machine.playbook(lambda order: order.update(offering="PO-SF200")))
    assert (done.code, done.out) == (2, "")
    assert "UNKNOWN_SPECIFICATION" in done.err
    assert "did you mean `PO-SF200H`?" in done.err
    assert "What to do:" in done.err


def test_an_exchange_that_netbox_does_not_have(machine: Machine) -> None:
    done = machine("run", machine.playbook(lambda order: order["address"].update(exchange="EAST-77")), "--json")
    assert done.code != 0
    assert done.error["code"] == "INVENTORY_INCOMPLETE"
    assert "EAST-77" in done.error["message"]


CATALOGUES = {
    "a dependency circle": (
        "resources.yaml",
        "  - id: RFS:GPON-Bearer\n    name: GPON-Bearer\n",
        "  - id: RFS:GPON-Bearer\n    depends_on: [RFS:VLAN-Service]\n    name: GPON-Bearer\n",
        "dependency circle: ",
    ),
    "an unknown template": (
        "resources.yaml",
        "{target: cloudwifi, template: cloud-controller,",
        "{target: cloudwifi, template: cloud-controler,",
        "unknown template `cloud-controler`, did you mean `cloud-controller`?",
    ),
    "an undefined variable": (
        "resources.yaml",
        "value: \"VLAN {{ vlan.vid }}\"",
        "value: \"VLAN {{ vlan.number }}\"",
        "vlan.number",
    ),
    "a reference to nothing": (
        "products.yaml",
        "specification: CFS:WiFi-Management",
        "specification: CFS:WiFi-Managment",
        "unknown service specification `CFS:WiFi-Managment`, did you mean `CFS:WiFi-Management`?",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "said"), CATALOGUES.values(), ids=CATALOGUES)
def test_a_catalogue_with(machine: Machine, file: str, old: str, new: str, said: str) -> None:
    folder = machine.copied("catalog", file, old, new)
    checked = machine("catalog", "check", "--json", TURNUP_CATALOGUE=str(folder))
    assert checked.code == 2
    (problem,) = checked.document["problems"]
    assert said in problem["message"]
    assert problem["file"] == f"{folder.name}/{file}"
    assert problem["line"] > 0
    done = machine("run", machine.playbook(), "--json", TURNUP_CATALOGUE=str(folder))
    assert (done.code, done.error["code"]) == (2, "CATALOGUE_INVALID")
    assert f"{problem['file']}:{problem['line']}: " in done.error["message"]
    assert said in done.error["message"]
    assert "turnup catalog check" in done.error["remedy"]


def test_a_template_with_an_undefined_variable(machine: Machine) -> None:
    folder = machine.copied("templates", "kea/ip-profile.json.j2", "ipv4.address", "ipv4.adress")
    done = machine("run", machine.playbook(), "--json", TURNUP_TEMPLATES=str(folder))
    assert (done.code, done.error["code"]) == (2, "CATALOGUE_INVALID")
    assert "/kea/ip-profile.json.j2:" in done.error["message"]
    assert "adress" in done.error["message"]
