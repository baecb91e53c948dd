"""A line moves to another exchange, over real sockets: everything is reserved and switched there first, then the old exchange lets go. It
moves back by an undo. Another line at the old exchange does not notice.

The tests of this module are one story over one lab, in the order in which they stand here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inventory.client import NetBox
from lab import control
from tests.integration.failures.machine import BNG, NETBOX, OLT, ROOT, SWITCH, Machine
from turnup.following import Follower
from turnup.working import Working

PLAYBOOKS = ROOT / "playbooks"
NEW_OLT, NEW_SWITCH = "OLT-EAST-08", "ASW-EAST-08"
DEVICES = (OLT, SWITCH, BNG, NEW_OLT, NEW_SWITCH)
QUARANTINE = {"TURNUP_QUARANTINE__VLAN": "90000000"}
SEEN: dict[str, dict[str, Any]] = {}
"""What the devices held, by when."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """With a lab of two exchanges."""
    machine = Machine(tmp_path_factory.mktemp("move"))
    assert machine("lab", "up", "--profile", "two-exchanges").code == 0
    yield machine
    control.down(machine.lab)


def configurations(machine: Machine) -> dict[str, Any]:
    return {name: held.get("running", held.get("active")) for name, held in machine.holds(*DEVICES).items()}


def ordered(machine: Machine, name: str, **more: str) -> Any:
    done = machine("run", PLAYBOOKS / f"{name}.yaml", "--json", **more)
    assert done.code == 0, done.out + done.err
    return done.document


def follow(machine: Machine, order: str, ends: str) -> None:
    """Work until an order has ended."""
    with machine.wired() as wiring, Working(wiring) as working:
        last = list(Follower(wiring.store, working).follow(order))[-1]
    assert last.root.state == ends


def in_order(machine: Machine) -> None:
    assert machine("inventory", "audit").code == 0
    checked = machine("check", "--all")
    assert checked.code == 0, checked.out


def values(document: Any) -> dict[str, str]:
    return {line["resource"]: line["value"] for line in document["allocations"]}


def test_two_lines_are_made_at_one_exchange(machine: Machine) -> None:
    ordered(machine, "superfibre-200-second")
    SEEN["without the line"] = configurations(machine)
    document = ordered(machine, "superfibre-200")
    assert values(document)["OLT Port"] == "OLT-EAST-07, LC3, Port 13"
    SEEN["before"] = configurations(machine)
    in_order(machine)


def test_a_move_that_stops_half_way_is_cancelled_and_nothing_has_moved(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "half.yaml"
    file.write_text((PLAYBOOKS / "move.yaml").read_text("utf-8").replace("MOVE-CUST-4821", "HALF-CUST-4821"), "utf-8")
    machine.fail(OLT, "commit", "refuse", times=None)
    held = machine("run", file, "--json")
    assert held.code == 3, held.out
    now = configurations(machine)
    assert now[NEW_OLT] != SEEN["before"][NEW_OLT]  # it is there already, and the old one does not let go
    machine.heal()
    assert machine("cancel", "HALF-CUST-4821", "--json").code == 0
    follow(machine, "HALF-CUST-4821", "cancelled")
    assert configurations(machine) == SEEN["before"]
    in_order(machine)


@contextmanager
def no_port(machine: Machine) -> Iterator[None]:
    """All ports of the new exchange are in use."""
    client = NetBox(machine.endpoint(NETBOX).url or "", machine.credentials.netbox_token)
    try:
        (olt,) = client.read("dcim/devices", {"name": NEW_OLT})
        ports = client.read("dcim/interfaces", {"device_id": olt["id"], "type": "gpon"})
        for taken in (True, False):
            client.update("dcim/interfaces", [{"id": port["id"], "mark_connected": taken} for port in ports])
            if taken:
                yield
    finally:
        client.close()


def test_as_long_as_the_new_exchange_has_no_port_the_line_stays_where_it_works(machine: Machine) -> None:
    with no_port(machine):
        held = machine("run", PLAYBOOKS / "move.yaml", "--json", **QUARANTINE)
        assert held.code == 3, held.out
        assert held.document["order"]["reason"].startswith("resource exhaustion: no free port on the OLTs of EAST-08")
        assert configurations(machine)[OLT] == SEEN["before"][OLT]
        assert configurations(machine)[SWITCH] == SEEN["before"][SWITCH]
        in_order(machine)


def test_the_move_takes_the_new_before_it_leaves_the_old(machine: Machine) -> None:
    assert machine("resume", "MOVE-CUST-4821").code == 0  # there are ports again
    document = ordered(machine, "move", **QUARANTINE)
    found = values(document)
    assert (found["OLT Port"], found["VLAN ID"]) == ("OLT-EAST-08, LC1, Port 1", "VLAN 2000")
    assert found["ONT Device"] == "HG8245H, S/N: HWT2340099"  # she takes it along
    touched = {one["target"] for one in document["transactions"]}
    assert {NEW_OLT, NEW_SWITCH, OLT, SWITCH, BNG} <= touched
    assert not touched & {"ACS-01", "cloudwifi", "logistics"}
    ended = {step["key"]: step["ended"] for item in document["items"] for step in item["steps"]}
    removed = [at for key, at in ended.items() if "/remove/" in key]
    configured = [at for key, at in ended.items() if "/configure/" in key]
    assert removed
    assert max(configured) <= min(removed)


def test_the_new_exchange_holds_the_line_and_the_old_one_what_it_held_without(machine: Machine) -> None:
    now = configurations(machine)
    assert now[OLT] == SEEN["without the line"][OLT]
    assert now[SWITCH] == SEEN["without the line"][SWITCH]
    assert now[NEW_OLT] != SEEN["before"][NEW_OLT]
    assert "uplink-1.2000" in now[NEW_OLT]
    assert "uplink-1.2000" in now[NEW_SWITCH]
    assert "2000" in str(now[BNG])
    assert "1043" not in str(now[BNG])
    in_order(machine)


def test_the_services_are_the_same_and_active(machine: Machine) -> None:
    found = {each["id"]: each["state"] for each in machine("services", "CUST-4821", "--json").document["services"]}
    assert found == {"PI-BB-4821": "active", "SI-INT-4821": "active", "SI-WIFI-4821": "active", "SI-CPE-4821": "active"}


def test_what_the_old_exchange_gave_is_given_back(machine: Machine) -> None:
    with machine.wired() as wiring:
        url, token = wiring.netbox
        client = NetBox(url, token)
        try:
            (olt,) = client.read("dcim/devices", {"name": OLT})
            claims = client.read("dcim/interfaces", {"device_id": olt["id"], "name": "LC3/P13/1"})
            (vlan,) = client.read("ipam/vlans", {"vid": 1043})
        finally:
            client.close()
    assert claims == []
    assert vlan["custom_fields"]["alloc_state"] == "quarantine"


def test_undone_the_line_is_where_it_was(machine: Machine) -> None:
    undone = machine("undo", "MOVE-CUST-4821", "--json")
    assert undone.code == 0, undone.out
    follow(machine, undone.document["undoneBy"], "completed")
    now = configurations(machine)
    assert now[NEW_OLT] == SEEN["before"][NEW_OLT]
    assert now[NEW_SWITCH] == SEEN["before"][NEW_SWITCH]
    assert now[OLT] != SEEN["without the line"][OLT]
    in_order(machine)


def test_at_its_end_nothing_is_left_of_it(machine: Machine) -> None:
    ordered(machine, "cease")
    assert configurations(machine) == SEEN["without the line"]
    in_order(machine)
