"""Over real sockets: an order for the day after tomorrow begins then by the lab's time; another is amended while its parcel is on the road,
and the router comes up with what was chosen last."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import yaml

from lab.clock import LabClock
from tests.integration.failures.machine import ACS, LOGISTICS, Machine

SLOW = {"TURNUP_LAB__TIME_SCALE": "4000"}
"""The parcel is on the road for longer than it takes to amend its order."""


def provisioned(machine: Machine) -> str:
    """What the ACS is to give to routers."""
    return yaml.safe_dump(machine.stand_in(ACS).state())


def test_an_order_for_later_begins_by_the_lab_s_time(machine: Machine) -> None:
    now = LabClock(machine.lab / "clock.json").now()
    start = (now + timedelta(days=2)).isoformat(timespec="seconds")
    playbook = machine.playbook(lambda order: order.update(requestedStartDate=start))
    scheduled = machine("run", playbook, "--json")
    assert scheduled.code == 3
    assert scheduled.document["order"]["scheduled"] is True
    assert scheduled.document["targets"] == []
    with machine.wired() as wiring:
        from engine.executor import LocalExecutor

        executor = LocalExecutor(wiring.workplace)
        executor.start()
        try:
            order = scheduled.document["order"]["id"]
            while not (root := wiring.store.tree(order).root).decomposed:
                assert LabClock(machine.lab / "clock.json").now() < now + timedelta(days=20), "it did not begin in time"
        finally:
            executor.stop()
    assert root.started is not None
    assert root.started.isoformat() >= start
    done = machine("run", playbook, "--json")
    assert (done.code, done.document["order"]["state"]) == (0, "completed")


def test_the_name_of_a_network_is_changed_while_its_router_is_on_the_road(machine: Machine) -> None:
    machine.stand_in(LOGISTICS).post("/hours", {"hoursUntilDelivered": 110})
    playbook = machine.playbook(lambda order: order["characteristics"].update(ssid="Before"))
    amended: list[Any] = []

    def on_the_road(document: Any) -> None:
        items = {item.specification: item.state for item in document.items}
        if items.get("RFS:CPE-Provisioning") == "pending" and items.get("CFS:Internet-Access") == "completed" and not amended:
            arguments = ("--set", "ssid=After", "--reason", "the customer called", "--json")
            amended.append(machine("amend", document.order.id, *arguments, **SLOW))
            denied = machine("amend", document.order.id, "--set", "staticIp=true", "--json", **SLOW)
            assert (denied.code, denied.error["code"]) == (2, "AMEND_DENIED")
            machine("lab", "up")

    with machine.wired(**SLOW) as wiring:
        document = machine.run(playbook, wiring, seen=on_the_road)
    assert amended[0].document["changed"] == {"characteristics": {"ssid": "After"}}
    assert document.order.state == "completed"
    assert "After" in provisioned(machine)
    assert "Before" not in provisioned(machine)
    shown = {item.specification: item.characteristics.get("ssid") for item in document.items}
    assert (shown["PS-RBA-01"], shown["RFS:TR069-Config"], shown["RFS:CPE-Provisioning"]) == ("After", "After", "Before")
    assert machine("inventory", "audit").code == 0
    assert machine("check", "--all").code == 0
