"""What a device refuses leaves it as it was, known as such; what was complete stands, claims are kept, the other branch goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.failures import verdict
from tests.integration.failures.machine import BNG, OLT, SWITCH, Machine
from tests.integration.failures.verdict import CPE, completed, of, stands_still

SAME = {OLT: "running", SWITCH: "running", BNG: "active"}
"""Where a device's state has its configuration."""


def configuration(machine: Machine, device: str) -> Any:
    """What a device runs with, asked past everything that we have written."""
    return machine.holds(device)[device][SAME[device]]


# -- refused ---------------------------------------------------------------------------------------------------------------


REFUSED = {
    "an unknown element": (OLT, "edit-config", {"error-tag": "unknown-element", "error-message": "colour is not in the model"}),
    "an edit": (SWITCH, "edit-config", {"error-tag": "resource-denied", "error-message": "forwarding table is full"}),
    "validate": (OLT, "validate", {"error-message": "line card 3 is not ready"}),
    "commit": (OLT, "commit", {"error-message": "no space left on the flash"}),
    "a load by the BNG": (BNG, "load-configuration", {"error-message": "permission denied"}),
    "commit by the BNG": (BNG, "commit-configuration", {"error-message": "license of subscribers exceeded"}),
}


@pytest.mark.parametrize(("device", "on", "error"), REFUSED.values(), ids=REFUSED)
def test_a_device_refuses(machine: Machine, device: str, on: str, error: dict[str, str]) -> None:
    before = configuration(machine, device)
    machine.fail(device, on, "refuse", error=error, times=None)
    ended = of(machine("run", machine.playbook(), "--json"), 3)
    stands_still(ended, device, "TARGET_REFUSED", error.values())
    completed(ended, *CPE, *(["ROI-001"] if device != OLT else []))
    assert configuration(machine, device) == before
    claims_are_kept(machine, ended)


def claims_are_kept(machine: Machine, ended: verdict.Verdict) -> None:
    assert all(ended.value(name) for name in ("OLT Port", "ONT Device", "VLAN ID", "IPv4 Address", "IPv6 Prefix"))
    assert machine("inventory", "audit").code == 0


WRONG_TEMPLATES = {
    "a bad value": (
        "bbf-olt/gpon-bearer.xml.j2",
        "<onu-id>{{ port.onu }}</onu-id>\n      <expected",
        "<onu-id>many</onu-id>\n      <expected",
        OLT,
        ["edit-config: invalid-value", 'Invalid type uint32 value "many"', "onu-id"],
    ),
    "a dangling leafref": (
        "bbf-olt/gpon-bearer.xml.j2",
        "<preferred-channel-pair>CPAIR-{{ port.slug }}</",
        "<preferred-channel-pair>CPAIR-GONE</",
        OLT,
        ["data-missing", 'Invalid leafref value "CPAIR-GONE"', "preferred-channel-pair"],
    ),
    "a bad value for the BNG": (
        "junos/ip-profile.set.j2",
        "set interfaces lo0 unit 0 family inet address {{ ipv4.gateway }}/32",
        "set interfaces lo0 unit 0 family inet address somewhere/32",
        BNG,
        ["somewhere"],
    ),
    "a policer that the BNG does not have": (
        "junos/qos-profile.set.j2",
        "family inet policer input {{ policy.name }}-UP",
        "family inet policer input {{ policy.name }}-GONE",
        BNG,
        ["Referenced policer 'BW-200-50-RES-GONE' is not defined"],
    ),
}


@pytest.mark.parametrize(("file", "old", "new", "device", "said"), WRONG_TEMPLATES.values(), ids=WRONG_TEMPLATES)
def test_a_device_finds_in_what_a_template_renders(machine: Machine, file: str, old: str, new: str, device: str, said: list[str]) -> None:
    before = configuration(machine, device)
    templates = machine.copied("templates", file, old, new)
    ended = of(machine("run", machine.playbook(), "--json", TURNUP_TEMPLATES=str(templates)), 3)
    stands_still(ended, device, "TARGET_REFUSED", said, left=verdict.NOTHING_LEFT | {"confirmed"})
    completed(ended, *CPE)
    if device == OLT:
        assert configuration(machine, device) == before
    claims_are_kept(machine, ended)


UNKNOWN = {
    OLT: (
        "bbf-olt/gpon-bearer.xml.j2",
        "      <channel-partition>",
        "      <colour>red</colour>\n      <channel-partition>",
        "line 44: <colour>",
    ),
    BNG: (
        "junos/vlan-service.set.j2",
        '{% include "parts/junos-unit.set.j2" %}',
        '{% include "parts/junos-unit.set.j2" %}\nset interfaces ge-0/0/1 unit {{ vlan.vid }} colour red',
        "does not know colour below `interfaces ge-0/0/1 unit",
    ),
}


@pytest.mark.parametrize(("device", "file", "old", "new", "said"), [(device, *wrong) for device, wrong in UNKNOWN.items()], ids=UNKNOWN)
def test_what_no_model_knows_is_found_before_it_is_sent(machine: Machine, device: str, file: str, old: str, new: str, said: str) -> None:
    before = configuration(machine, device)
    templates = machine.copied("templates", file, old, new)
    ended = of(machine("run", machine.playbook(), "--json", TURNUP_TEMPLATES=str(templates)), 1)
    assert ended.state == "partial"
    assert {trouble["code"] for trouble in ended.troubles.values()} == {"TEMPLATE_FAILED"}
    assert f"what {file} renders: " in ended.reason
    assert said in ended.reason
    assert ended.targets[device] == "failed"
    completed(ended, *CPE)
    if device == OLT:
        assert (ended.attempts(OLT), configuration(machine, OLT)) == ([], before)
    claims_are_kept(machine, ended)


def test_a_refusal_fails_the_item_where_the_policy_says_so(machine: Machine) -> None:
    catalogue = machine.copied(
        "catalog",
        "failure-policy.yaml",
        "- due: 8\n  error: refused\n  queue: provisioning\n  then: fallout",
        "- error: refused\n  then: fail",
    )
    before = configuration(machine, OLT)
    machine.fail(OLT, "commit", "refuse", error={"error-message": "no space left on the flash"}, times=None)
    ended = of(machine("run", machine.playbook(), "--json", TURNUP_CATALOGUE=str(catalogue)), 1)
    stands_still(ended, OLT, "TARGET_REFUSED", ["no space left on the flash"], state="failed")
    assert (ended.state, ended.items["SOI-001"]) == ("partial", "failed")
    completed(ended, *CPE)
    assert configuration(machine, OLT) == before
    claims_are_kept(machine, ended)
