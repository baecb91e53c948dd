"""An order changes a line of which somebody changed a part: held by default, put right in the same change when that is the policy."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.integration.drift.conftest import Somebody
from tests.integration.failures.machine import BNG, Machine
from turnup import drifting
from turnup.wiring import Wiring

UNIT = "interfaces ge-0/0/1 unit 1042"
POLICER = f"{UNIT} family inet policer input"


def faster(machine: Machine, external_id: str, down: int, up: int) -> Path:
    """A playbook that changes the speed of the worked example's line."""
    order = {
        "externalId": external_id,
        "level": "service",
        "action": "modify",
        "service": "SI-INT-4821",
        "characteristics": {"downloadSpeed": down, "uploadSpeed": up},
    }
    path = machine.folder / f"{external_id}.yaml"
    path.write_text(yaml.safe_dump(order), "utf-8")
    return path


def test_by_policy(machine: Machine, wiring: Wiring, somebody: Somebody) -> None:
    somebody.does(
        BNG,
        f"set {UNIT} family inet policer input BY-HAND\nset firewall policer BY-HAND then discard",
    )
    held = machine("run", faster(machine, "FASTER", 500, 100), "--json")
    assert held.code == 3
    troubles = {item["trouble"]["code"]: item["trouble"]["message"] for item in held.document["items"] if item["trouble"]}
    assert set(troubles) == {"DRIFT_FOUND"}
    assert f"{POLICER} is BY-HAND instead of BW-200-50-RES-UP" in troubles["DRIFT_FOUND"]
    assert f"set {POLICER} BY-HAND" in machine.stand_in(BNG).state()["active"], "nothing was sent"
    assert machine("repair", "SI-INT-4821", "--yes", "--json").code == 0
    (case,) = machine("fallout", "list", "--json").document["cases"]
    machine("fallout", "answer", case["id"], "retry", "--json")
    assert machine("run", faster(machine, "FASTER", 500, 100), "--json").code == 0
    assert machine("check", "SI-INT-4821", "--json").code == 0

    somebody.does(BNG, f"set {UNIT} family inet policer input BY-HAND")
    done = machine("run", faster(machine, "BACK", 200, 50), "--json", TURNUP_DRIFT__JUNOS="overwrite")
    assert done.code == 0
    (told,) = [event["data"] for event in machine("show", "BACK", "--json").document["history"] if event["type"] == "drift"]
    assert (told["target"], told["policy"]) == (BNG, "overwrite")
    assert f"set {POLICER} BW-200-50-RES-UP" in machine.stand_in(BNG).state()["active"]
    report = drifting.checked(wiring, drifting.subjects(wiring, BNG), everything=False)
    assert report.clean
