"""A dry run changes nothing anywhere, and a run that insists on one sends what was shown or nothing."""

from __future__ import annotations

from typing import Any

from tests.integration.failures.machine import Machine


def test_a_dry_run_leaves_everything_as_it_was_byte_for_byte(machine: Machine) -> None:
    playbook = machine.playbook()
    before, orders = machine.holds(), machine.orders()
    done = machine("plan", playbook, "--json")
    assert done.code == 0
    assert len(done.document["changes"]) == 8
    assert machine("plan", playbook).code == 0
    assert machine.holds() == before
    assert machine.orders() == orders


def test_a_checksum_of_something_else_gives_the_claims_back_and_sends_nothing(machine: Machine) -> None:
    playbook = machine.playbook()
    checksum = machine("plan", playbook, "--json").document["checksum"]
    assert machine("run", machine.playbook()).code == 0  # takes what the dry run had expected
    before = machine.holds()

    done = machine("run", playbook, "--checksum", checksum, "--json")

    assert done.code == 1
    reserving = _trouble(done.document)
    assert reserving["code"] == "CHECKSUM_MISMATCH"
    assert checksum in reserving["message"]
    assert "nothing was sent" in reserving["message"]
    assert "turnup plan" in reserving["remedy"]
    assert done.document["order"]["state"] == "failed"
    assert {target["state"] for target in done.document["targets"]} <= {"notAttempted"}
    assert done.document["transactions"] == []
    assert done.document["allocations"] == []
    assert machine.holds() == before


def test_its_own_checksum_lets_an_order_pass(machine: Machine) -> None:
    playbook = machine.playbook()
    checksum = machine("plan", playbook, "--json").document["checksum"]
    assert machine("run", playbook, "--checksum", checksum).code == 0


def _trouble(document: Any) -> dict[str, str]:
    (found,) = {tuple(sorted(item["trouble"].items())) for item in document["items"] if item["trouble"]}
    return dict(found)
