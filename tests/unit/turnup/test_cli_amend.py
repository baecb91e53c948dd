"""`turnup amend`: what it says, and exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.null_world import NullWorld
from tests.unit.turnup.conftest import PLAYBOOKS, Turnup

FIRST = PLAYBOOKS / "superfibre-200.yaml"
START = "2024-03-12T09:00:00+00:00"


def test_an_order_is_amended_and_it_is_said_how(turnup: Turnup, world: NullWorld) -> None:
    turnup("submit", FIRST)
    said = turnup("amend", "PO-2024-00847", "--start", START, "--set", "ssid=Nest", "--set", "wifiApp=false", "--priority", "1")
    assert said.code == 0
    for text in (f"requestedStartDate is {START} now", "priority is 1 now", "ssid is Nest now", "wifiApp is False now"):
        assert text in said.out
    shown = turnup("show", "SF200-CUST-4821").out
    assert "scheduled for 2024-03-12 09:00" in shown
    assert "orderAttributeValueChange" in shown
    tree = world.at.store.tree("PO-2024-00847")
    assert tree.items["PO-2024-00847", "POI-001"].characteristics["wifiApp"] is False


def test_its_document(turnup: Turnup, world: NullWorld) -> None:
    turnup("submit", FIRST)
    document = turnup("amend", "SF200-CUST-4821", "--set", "ssid=Nest", "--completion", START, "--json").document
    assert document == {
        "order": "PO-2024-00847",
        "state": "acknowledged",
        "changed": {"requestedCompletionDate": START, "characteristics": {"ssid": "Nest"}},
        "worker": {"running": False, "start": "turnup worker"},
    }
    assert turnup("amend", "SF200-CUST-4821", "--set", "ssid=Nest", "--json").document["changed"] == {}
    assert "all of it was so already" in turnup("amend", "SF200-CUST-4821", "--set", "ssid=Nest").out


def test_a_scheduled_order_is_told_to_begin(turnup: Turnup, world: NullWorld, playbook: Callable[..., Path]) -> None:
    file = playbook(**{"externalId: SF200-CUST-4821": f"externalId: SF200-CUST-4821\nrequestedStartDate: {START}"})
    assert turnup("run", file).code == 3
    assert turnup("amend", "SF200-CUST-4821", "--start", "now").code == 0
    assert turnup("run", file).code == 0


def test_it_is_denied_with_its_reason(turnup: Turnup, world: NullWorld) -> None:
    world.inventory.left["olt-port"] = 0
    turnup("run", FIRST)
    assert "`turnup resume PO-2024-00847` does again what stands still" in turnup("amend", "PO-2024-00847", "--priority", "0").out
    said = turnup("amend", "PO-2024-00847", "--start", START)
    assert said.code == 2
    assert "AMEND_DENIED" in said.out + said.err
    assert "the start date cannot be moved" in said.out + said.err
    error = turnup("amend", "PO-2024-00847", "--set", "staticIp=true", "--json").document["error"]
    assert (error["code"], "CFS:Static-IP" in error["message"]) == ("AMEND_DENIED", True)


def test_what_is_no_amendment_is_bad_input(turnup: Turnup, world: NullWorld) -> None:
    turnup("submit", FIRST)
    for arguments, text in (
        ((), "nothing is said to be different"),
        (("--set", "ssid"), "'ssid' is no value"),
        (("--start", "tomorrow"), "'tomorrow' is no time with a time zone"),
        (("--completion", "2024-03-12T09:00:00"), "is no time with a time zone"),
        (("--set", "downloadSpeed=500"), "fixes it to 200"),
    ):
        said = turnup("amend", "PO-2024-00847", *arguments)
        assert said.code == 2
        assert text in " ".join((said.out + said.err).replace("│", " ").split()), said.out + said.err
