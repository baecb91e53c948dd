"""What parcels and their webhooks do in the world outside, with the program as its users have it.

One lab, whose clock is always fast, so that five days of waiting in vain pass in seconds too.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.turnup.conftest import ROOT, Done, Program, until

FIRST, SECOND, STATIC = (f"playbooks/superfibre-{name}.yaml" for name in ("200", "200-second", "500-static"))


@pytest.fixture(scope="module")
def program(turnup: Program) -> Program:
    """Its lab is up."""
    assert turnup("lab", "up", "--pace", "200000").code == 0
    return turnup


def hooks(program: Program) -> list[dict[str, Any]]:
    """The webhooks of the last parcel."""
    found: list[dict[str, Any]] = program.stand_in("logistics").state()["webhooks"]
    return [hook for hook in found if hook["parcel"] == found[-1]["parcel"]]


def run(program: Program, playbook: str) -> Done:
    return program("run", playbook, "--json", TURNUP_LAB__PACE="200000")


def test_a_delivery_that_nobody_tells_is_found_all_the_same(program: Program) -> None:
    program.stand_in("logistics").fail("webhook *", "refuse", times=None)
    done = run(program, FIRST)
    program.stand_in("logistics").heal()
    assert (done.code, done.document["order"]["state"]) == (0, "completed"), done.err
    assert {hook["state"] for hook in hooks(program)} == {"given up"}


def test_a_delivery_that_is_told_before_its_order_is_answered_and_then_twice(program: Program) -> None:
    logistics = program.stand_in("logistics")
    logistics.post("/hours", {"hoursUntilDelivered": 0})
    logistics.fail("POST */shippingOrder", "slow", when="after", seconds=1)
    logistics.fail("webhook delivered", "drop", when="after")
    done = run(program, SECOND)
    logistics.post("/hours", {"hoursUntilDelivered": 36})
    assert (done.code, done.document["order"]["state"]) == (0, "completed"), done.err
    assert [hook["attempts"] for hook in hooks(program)] == [1, 1, 2]
    assert len(logistics.state()["parcels"]) == 2, "nothing was shipped twice"


def test_a_parcel_that_comes_too_late_is_taken_up_when_it_is_told(program: Program, tmp_path: Path) -> None:
    late = tmp_path / "late.yaml"
    late.write_text((ROOT / FIRST).read_text("utf-8").replace("CUST-4821", "CUST-4899"), "utf-8")
    program.stand_in("logistics").post("/hours", {"hoursUntilDelivered": 480})
    fast = program.environment(TURNUP_LAB__PACE="200000")
    with subprocess.Popen(program.command("worker"), cwd=ROOT, env=fast, text=True, stderr=subprocess.DEVNULL) as worker:
        try:
            order = program("submit", late, "--json", TURNUP_LAB__PACE="200000").document["order"]["id"]
            until(lambda: program("show", order, "--json").document["order"]["state"] == "completed", "the late delivery")
        finally:
            worker.terminate()
    program.stand_in("logistics").post("/hours", {"hoursUntilDelivered": 36})
    document = program("show", order, "--json").document
    states = [event["data"]["state"] for event in document["history"] if event["order"] == order and event["type"] == "orderStateChange"]
    assert "held" in states
    reasons = [event["data"]["reason"] for event in document["history"] if event["type"] == "resume"]
    assert len(reasons) == 1
    assert reasons[0].startswith("delivered:")
    assert reasons[0].endswith("was told")
    cases = program("fallout", "list", "--all", "--json").document["cases"]
    (case,) = (case for case in cases if case["root"] == order)
    assert (case["state"], case["trouble"]["code"]) == ("closed", "OVERDUE")


def test_a_parcel_that_is_lost_is_a_case_for_somebody_after_five_days(program: Program) -> None:
    program.stand_in("logistics").post("/hours", {"hoursUntilDelivered": None})
    done = run(program, STATIC)
    assert (done.code, done.document["order"]["state"]) == (3, "held"), done.err
    items = {item["specification"]: item for item in done.document["items"]}
    trouble = items["RFS:CPE-Provisioning"]["trouble"]
    assert trouble["code"] == "OVERDUE"
    assert trouble["message"] == "logistics: `delivered` has been waited for 120 hours: parcel LP000004 is inTransit"
    assert items["CFS:Internet-Access"]["state"] == "completed", "the network does not wait for the parcel"
