"""NetBox down, denied, slow: before the first claim nothing is left behind, in the middle nothing is claimed twice or lost."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from engine.errors import InventoryUnreachable
from tests.integration.failures.machine import NETBOX, Machine
from turnup.playbook import load
from turnup.running import submit

CLAIMS = ("dcim.interface", "ipam.vlan", "ipam.ipaddress", "ipam.prefix")
"""What an order takes: a port and an ONT, a VLAN, an address, a prefix."""


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def claims(machine: Machine) -> dict[str, int]:
    """How many objects there are of what orders take."""
    held = machine.holds(NETBOX)[NETBOX]
    return {model: len(held[model]) for model in CLAIMS}


def taken(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """How many came to it."""
    return {model: after[model] - before[model] for model in CLAIMS}


ONE_ORDER = {"dcim.interface": 2, "ipam.vlan": 1, "ipam.ipaddress": 1, "ipam.prefix": 1}
NOTHING = dict.fromkeys(CLAIMS, 0)


@pytest.mark.parametrize("command", ["run", "submit", "plan"])
def test_netbox_down(machine: Machine, closed_port: int, command: str) -> None:
    before, orders = machine.holds(), machine.orders()
    url, token = f"http://127.0.0.1:{closed_port}", machine.credentials.netbox_token
    playbook = machine.playbook()
    done = machine(command, playbook, "--json", TURNUP_NETBOX__URL=url, TURNUP_NETBOX__TOKEN=token, TURNUP_LAB__EMBEDDED="true")
    assert done.code == 1
    assert done.error["code"] == "INVENTORY_UNREACHABLE"
    assert done.error["message"].startswith(f"No connection to NetBox at {url}: ")
    assert "Connection refused" in done.error["message"]
    assert "TURNUP_NETBOX__URL" in done.error["remedy"]
    assert machine.holds() == before
    assert machine.orders() == orders


def test_netbox_killed_before_the_order_and_there_again_after_it(machine: Machine) -> None:
    playbook = machine.playbook()
    with machine.wired() as wiring:
        machine.kill(NETBOX)
        with pytest.raises(InventoryUnreachable, match="No connection to NetBox at"):
            submit(wiring, load(playbook))
    machine.heal()
    before = claims(machine)
    assert machine("run", playbook, "--json").code == 0
    assert taken(before, claims(machine)) == ONE_ORDER


def test_a_wrong_token(machine: Machine) -> None:
    before, orders = machine.holds(), machine.orders()
    url, token = machine.endpoint(NETBOX).url or "", "0" * 40
    for command in ("run", "plan"):
        done = machine(
            command, machine.playbook(), "--json", TURNUP_NETBOX__URL=url, TURNUP_NETBOX__TOKEN=token, TURNUP_LAB__EMBEDDED="true"
        )
        assert (done.code, done.error["code"]) == (1, "INVENTORY_DENIED")
        assert done.error["message"].endswith(": Invalid v1 token")
        assert token not in done.out + done.err
        assert "TURNUP_NETBOX__TOKEN" in done.error["remedy"]
    assert machine.holds() == before
    assert machine.orders() == orders


def test_no_token(machine: Machine) -> None:
    done = machine("run", machine.playbook(), "--json", TURNUP_NETBOX__URL="http://127.0.0.1:9", TURNUP_LAB__EMBEDDED="true")
    assert (done.code, done.error["code"]) == (2, "SETTINGS_INVALID")
    assert "TURNUP_NETBOX__TOKEN" in done.error["message"]


def test_netbox_that_takes_longer_than_it_may(machine: Machine) -> None:
    before, orders = machine.holds(), machine.orders()
    machine.fail(NETBOX, "GET /api/dcim/*", "slow", seconds=20.0, times=None)
    done = machine("run", machine.playbook(), "--json", TURNUP_NETBOX__TIMEOUT="0.3")
    assert (done.code, done.error["code"]) == (1, "INVENTORY_UNREACHABLE")
    assert "did not answer in time" in done.error["message"]
    machine.heal()
    assert machine.holds() == before
    assert machine.orders() == orders


def test_netbox_that_is_only_slow_is_waited_for(machine: Machine) -> None:
    machine.fail(NETBOX, "* /api/*", "slow", seconds=0.1, times=None)
    done = machine("run", machine.playbook(), "--json")
    assert done.code == 0


@pytest.mark.parametrize(
    ("on", "do", "when"),
    [
        ("POST /api/dcim/interfaces/", "drop", "after"),
        ("POST /api/ipam/vlan-groups/*/available-vlans/", "drop", "after"),
        ("POST /api/ipam/prefixes/*/available-ips/", "refuse", "before"),
        ("POST /api/ipam/prefixes/*/available-prefixes/", "refuse", "after"),
    ],
)
def test_an_answer_that_was_lost_while_reserving_claims_nothing_twice(machine: Machine, on: str, do: str, when: str) -> None:
    before = claims(machine)
    machine.fail(NETBOX, on, do, when=when, status=503)
    done = machine("run", machine.playbook(), "--json")
    assert done.code == 0
    assert machine.stand_in(NETBOX).faults() == []
    assert taken(before, claims(machine)) == ONE_ORDER
    assert machine("inventory", "audit").code == 0


def test_netbox_down_for_longer_than_anybody_waits_holds_the_order_and_touches_no_device(machine: Machine) -> None:
    before = machine.holds()
    machine.fail(NETBOX, "POST /api/*", "refuse", status=503, error={"error": "database is starting up"}, times=None)
    playbook = machine.playbook()
    done = machine("run", playbook, "--json")
    assert done.code == 3
    assert done.document["order"]["state"] == "held"
    assert _codes(done.document) == {"INVENTORY_UNREACHABLE"}
    assert "database is starting up" in done.document["order"]["reason"]
    assert done.document["allocations"] == done.document["transactions"] == []
    assert {target["state"] for target in done.document["targets"]} <= {"notAttempted"}
    assert machine.holds() == before
    machine.heal()
    again = machine("run", playbook, "--json")
    assert (again.code, again.document["repeated"], again.document["order"]["id"]) == (3, True, done.document["order"]["id"])
    assert machine.holds() == before


def test_resources_that_netbox_does_not_mark_as_used_hold_no_order_up(machine: Machine) -> None:
    """Marking is off the critical path: retried, then seen by the audit."""
    machine.fail(NETBOX, "PATCH /api/*", "refuse", status=503, times=2)
    done = machine("run", machine.playbook(), "--json")
    assert done.code == 0
    assert machine("inventory", "audit").code == 0


def _codes(document: Any) -> set[str]:
    return {item["trouble"]["code"] for item in document["items"] if item["trouble"]}
