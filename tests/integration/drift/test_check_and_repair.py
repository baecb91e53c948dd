"""Somebody changes what is ours: it is found, shown, put back, and everything is as it was. What is theirs stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from engine.drift.repair import Repairer
from engine.store import lanes, schema, stated
from tests.integration.drift.conftest import Body, Somebody, interface
from tests.integration.failures.machine import BNG, DHCP, OLT, SWITCH, Done, Machine
from turnup import drifting
from turnup.wiring import Wiring

Holds = Callable[[], dict[str, Any]]
UNIT = "interfaces ge-0/0/1 unit 1042"
RADIUS = "RADIUS-EAST-01"


def nodes(done: Done, target: str) -> dict[str, str]:
    """Path -> what is wrong with it, as a check said."""
    (found,) = [one for one in done.document["targets"] if one["target"] == target]
    return {node["path"]: node["kind"] for node in found["nodes"]}


def test_nothing_is_wrong_with_what_nobody_touched(machine: Machine, whole: Holds) -> None:
    done = machine("check", "--all", "--json")
    assert done.code == 0
    assert {one["state"] for one in done.document["targets"]} == {"same"}
    assert done.document["inventory"]["findings"] == []
    assert machine("repair", "--all", "--json").code == 0


def test_an_olt(machine: Machine, somebody: Somebody, whole: Holds) -> None:
    somebody.edits(
        OLT,
        interface("v-ani-3.12.1", '<description nc:operation="delete"/><enabled>false</enabled>'),
    )
    found = machine("check", OLT, "--json")
    v_ani = "/if:interfaces/interface[name='v-ani-3.12.1']"
    assert (found.code, nodes(found, OLT)) == (1, {f"{v_ani}/description": "missing", f"{v_ani}/enabled": "different"})
    assert "v-ani-3.12.1" in machine("check", OLT).out
    assert machine("check", SWITCH, "--json").code == 0
    dry = machine("repair", OLT, "--dry-run", "--json")
    assert dry.code == 1
    assert machine("check", OLT, "--json").code == 1, "a dry run sends nothing"
    done = machine("repair", OLT, "--yes", "--json")
    assert done.code == 0
    (shown,), (sent,) = dry.document["targets"][0]["transactions"], done.document["targets"][0]["transactions"]
    assert sent["change"] == shown["change"]
    assert "<description>SI-INT-4821</description>" in sent["change"]
    assert sent["state"] == "confirmed"
    assert any(event["type"] == "repair" for event in machine("show", "SF200-CUST-4821", "--json").document["history"])


def test_what_is_added_within_ours_goes_only_when_that_is_said(machine: Machine, somebody: Somebody, whole: Holds) -> None:
    profile = '<ingress-qos-policy-profile xmlns="urn:bbf:yang:bbf-qos-policies"{}>{}</ingress-qos-policy-profile>'
    somebody.edits(
        OLT,
        interface("uplink-1.1042", profile.format("", "BW-200-50-RES-UP")),
        interface("uplink-1", "<description>theirs</description>"),
    )
    path = "/if:interfaces/interface[name='uplink-1.1042']/bbf-qos-pol:ingress-qos-policy-profile"
    found = machine("check", OLT, "--json")
    assert (found.code, nodes(found, OLT)) == (1, {path: "extra"})
    kept = machine("repair", OLT, "--yes", "--json")
    assert kept.document["targets"][0]["transactions"] == []
    assert "--remove-extra" in kept.document["targets"][0]["left"]
    assert machine("check", OLT, "--json").code == 1
    assert machine("repair", OLT, "--yes", "--remove-extra", "--json").code == 0
    assert "theirs" in machine.stand_in(OLT).state()["running"]
    somebody.edits(OLT, interface("uplink-1", '<description nc:operation="delete"/>'))


def test_a_switch_that_lost_a_forwarder(machine: Machine, somebody: Somebody, whole: Holds) -> None:
    forwarder = '<forwarder nc:operation="delete"><name>fwd-1042</name></forwarder>'
    somebody.edits(SWITCH, f'<forwarding xmlns="urn:bbf:yang:bbf-l2-forwarding"><forwarders>{forwarder}</forwarders></forwarding>')
    assert machine("check", "SI-INT-4821", "--json").code == 1
    assert machine("repair", "SI-INT-4821", "--yes", "--json").code == 0


def test_a_bng(machine: Machine, somebody: Somebody, whole: Holds) -> None:
    somebody.does(
        BNG,
        f"delete {UNIT} family inet rpf-check\nset {UNIT} description other\nset {UNIT} no-traps\n"
        "set interfaces ge-0/0/1 unit 77 vlan-id 77\nset firewall policer BW-200-50-RES-UP if-exceeding bandwidth-limit 5m",
    )
    found = machine("check", "--all", "--json")
    assert found.code == 1
    assert nodes(found, BNG) == {
        f"{UNIT} family inet rpf-check": "missing",
        f"{UNIT} description": "different",
        "firewall policer BW-200-50-RES-UP if-exceeding bandwidth-limit": "different",
        f"{UNIT} no-traps": "extra",
    }
    done = machine("repair", "--all", "--yes", "--remove-extra", "--json")
    assert done.code == 0
    assert "set interfaces ge-0/0/1 unit 77 vlan-id 77" in machine.stand_in(BNG).state()["active"]
    somebody.does(BNG, "delete interfaces ge-0/0/1 unit 77")


def test_documents_that_are_gone_or_other(machine: Machine, somebody: Somebody, wiring: Wiring, whole: Holds) -> None:
    kea = next(d["key"] for d in documents(wiring, DHCP) if d["kind"] == "reservation4")
    device = next(d["key"] for d in documents(wiring, "cloudwifi"))
    (preset,) = (d["body"] for d in documents(wiring, "ACS-01") if d["kind"] == "preset")
    address, row = next((d["key"], d["body"]) for d in documents(wiring, RADIUS) if d["key"].endswith("/Framed-IP-Address"))
    theirs = json.loads(json.dumps(preset).replace(preset["configurations"][0]["args"][4], "their-passphrase"))
    somebody.alters(DHCP, "reservation4", kea)
    somebody.alters(RADIUS, "radreply", address, {**row, "value": "10.9.9.9"}, row)
    somebody.alters("ACS-01", "preset", "HWT2340098", theirs, preset)
    somebody.alters("cloudwifi", "inventory", device)

    found = machine("check", "--all", "--json")
    assert found.code == 1
    assert nodes(found, DHCP) == {f"reservation4/{kea}": "missing"}
    assert nodes(found, RADIUS) == {f"radreply/{address}": "different"}
    assert nodes(found, "ACS-01") == {"preset/HWT2340098": "different"}
    assert nodes(found, "cloudwifi") == {f"inventory/{device}": "missing"}
    done = machine("repair", "--all", "--yes", "--json")
    assert done.code == 0
    assert "10.9.9.9" in done.out
    assert "SmithHome" in done.out
    for secret in (*wiring.workplace.secrets([wiring.store.tree("SF200-CUST-4821")]), "their-passphrase"):
        assert secret not in found.out + done.out
    (registered,) = machine.stand_in("cloudwifi").state()["inventory"]
    learned = [step.learned for step in wiring.store.tree("SF200-CUST-4821").steps.values() if step.target == "cloudwifi"]
    assert {"id": registered["deviceId"]} in learned, "the id that the platform gave anew is the service's from now on"


def test_a_preset_that_is_gone(machine: Machine, somebody: Somebody, whole: Holds) -> None:
    somebody.alters("ACS-01", "preset", "HWT2340098")
    found = machine("check", "ACS-01", "--json")
    assert (found.code, nodes(found, "ACS-01")) == (1, {"preset/HWT2340098": "missing"})
    assert machine("repair", "ACS-01", "--yes", "--json").code == 0


def test_a_target_that_is_not_there_has_a_result(machine: Machine, wiring: Wiring, somebody: Somebody, whole: Holds) -> None:
    somebody.does(BNG, f"set {UNIT} description other")
    machine.kill(SWITCH)  # a command would start it again
    everything = drifting.subjects(wiring, None)
    found = drifting.checked(wiring, everything, everything=True)
    states = {one.target: one.state for one in found.targets}
    assert (states[SWITCH], states[BNG], states[OLT]) == ("notAttempted", "differs", "same")
    assert (found.clean, found.unreachable) == (False, True)
    plans = drifting.planned(wiring, everything, remove_extra=False)
    done = drifting.report(wiring, drifting.repaired(wiring, plans, remove_extra=False), dry_run=False)
    results = {one.target: one for one in done.targets}
    assert results[SWITCH].trouble is not None
    assert results[SWITCH].trouble.code == "TARGET_UNREACHABLE"
    assert results[BNG].transactions[0].state == "confirmed"
    assert not done.done
    left = drifting.checked(wiring, everything, everything=False)
    assert (left.clean, left.unreachable) == (True, True)


def test_nothing_is_sent_beside_a_worker_or_but_what_was_shown(wiring: Wiring, somebody: Somebody, whole: Holds) -> None:
    somebody.does(BNG, f"set {UNIT} description other")
    (scope,) = drifting.subjects(wiring, BNG)
    (plan,) = drifting.planned(wiring, [scope], remove_extra=False)
    database = wiring.store.database
    lease = database.change(lambda tx: lanes.take(tx, BNG, "a worker", wiring.clock.real(), 60))
    assert lease is not None
    refused = Repairer(wiring.workplace, wait=0.3).carry_out(plan)
    assert (refused.trouble.code if refused.trouble else "", refused.transactions) == ("TARGET_LOCKED", ())
    database.change(lambda tx: lanes.free(tx, lease))
    somebody.does(BNG, f"delete {UNIT} family inet rpf-check")
    (refused,) = drifting.repaired(wiring, [plan], remove_extra=False)
    assert (refused.trouble.code if refused.trouble else "", refused.transactions) == ("CHECKSUM_MISMATCH", ())
    (done,) = drifting.repaired(wiring, drifting.planned(wiring, [scope], remove_extra=False), remove_extra=False)
    assert done.done
    with database.read() as tx:
        assert not lanes.left_alone(tx)


def test_a_repair_that_died_is_found_out_by_the_next(machine: Machine, wiring: Wiring, somebody: Somebody, whole: Holds) -> None:
    somebody.does(BNG, f"set {UNIT} description other")
    died = machine.process("repair", BNG, "--yes", TURNUP_FAILPOINT="pushed", TURNUP_FAILPOINT_ALLOWED="kill")
    assert died.code != 0
    assert machine("check", BNG, "--json").code == 0
    with wiring.store.database.read() as tx:
        assert len(wiring.workplace.transactions.unresolved(tx, BNG)) == 1
    wiring.store.database.change(lambda tx: tx.execute(sa.update(schema.lanes).values(until=0)))  # its lease is over
    somebody.does(BNG, f"set {UNIT} description other")
    assert machine("repair", BNG, "--yes", "--json").code == 0
    with wiring.store.database.read() as tx:
        assert wiring.workplace.transactions.unresolved(tx, BNG) == []


@pytest.mark.parametrize("command", [("check",), ("check", OLT, "--all"), ("check", "NOBODY"), ("repair", "NOBODY", "--yes")])
def test_what_cannot_be_meant(machine: Machine, command: tuple[str, ...]) -> None:
    assert machine(*command, "--json").code == 2


def documents(wiring: Wiring, target: str) -> list[Body]:
    """What was applied to a system."""
    at = wiring.workplace
    with at.store.database.read() as tx:
        found = at.configurations.applied(tx, target, stated.keys(tx, target))
    return [one for fragment in found.values() for one in json.loads(fragment.text)]
