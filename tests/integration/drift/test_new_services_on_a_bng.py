"""A Junos router takes what it is given and merges it into what is there: somebody's unit would become ours without a word, and go with
our line. So a new service is looked at before it is sent, and like any other afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.drift.conftest import Somebody
from tests.integration.failures.machine import BNG, Machine

PORT = "interfaces ge-0/0/1"
RELAY = "forwarding-options dhcp-relay group EAST-RES"


def active(machine: Machine) -> set[str]:
    lines = machine.stand_in(BNG).state()["active"]
    return set(lines.splitlines() if isinstance(lines, str) else lines)


def nodes(document: Any) -> dict[str, str]:
    (found,) = [one for one in document["targets"] if one["target"] == BNG]
    return {node["path"]: node["kind"] for node in found["nodes"]}


def ordered(machine: Machine) -> tuple[Any, int]:
    """A new line; what it came to and its VLAN."""
    done = machine("run", machine.playbook(), "--json")
    vlan = next(line["value"] for line in done.document["allocations"] if line["resource"] == "VLAN ID")
    return done, int(vlan.removeprefix("VLAN "))


@pytest.fixture(scope="module")
def second(machine: Machine) -> int:
    """Another line beside the first, done; its VLAN."""
    done, vlan = ordered(machine)
    assert done.code == 0
    assert machine("check", "--all").code == 0
    return vlan


class TestALineThatWasAdded:
    @pytest.fixture(autouse=True)
    def as_it_was(self, machine: Machine, second: int) -> Iterator[None]:
        before = active(machine)
        yield
        assert active(machine) == before
        assert machine("check", "--all").code == 0

    def test_lost_its_unit(self, machine: Machine, somebody: Somebody, second: int) -> None:
        unit = f"{PORT} unit {second}"
        somebody.does(BNG, f"delete {unit}\ndelete {RELAY} interface ge-0/0/1.{second}")
        found = nodes(machine("check", BNG, "--json").document)
        assert set(found.values()) == {"missing"}
        assert {unit, f"{unit} vlan-id", f"{RELAY} interface ge-0/0/1.{second}"} <= found.keys()
        assert not any(" unit 1042" in path for path in found)
        assert machine("repair", BNG, "--yes", "--json").code == 0

    def test_has_another_policer_and_something_of_theirs(self, machine: Machine, somebody: Somebody, second: int) -> None:
        unit = f"{PORT} unit {second}"
        somebody.does(BNG, f"set {unit} family inet policer input OTHER\nset firewall policer OTHER then discard\nset {unit} no-traps")
        found = nodes(machine("check", BNG, "--json").document)
        assert found == {f"{unit} family inet policer input": "different", f"{unit} no-traps": "extra"}
        assert machine("repair", BNG, "--yes", "--remove-extra", "--json").code == 0
        somebody.does(BNG, "delete firewall policer OTHER")

    def test_is_looked_at_by_its_service(self, machine: Machine, somebody: Somebody, second: int) -> None:
        somebody.does(BNG, f"set {PORT} unit {second} description other")
        service = next(line for line in active(machine) if line.startswith(f"set {PORT} unit 1042 description")).split('"')[1].split()[0]
        assert machine("check", service, "--json").code == 0, "of the other line nothing is wrong"
        assert machine("repair", BNG, "--yes", "--json").code == 0


class TestWhatIsInTheWay:
    @pytest.mark.parametrize("theirs", ["description theirs", "no-traps"])
    def test_of_a_new_line_is_not_taken_over(self, machine: Machine, somebody: Somebody, second: int, theirs: str) -> None:
        before = active(machine)
        vlan = 1042 + len([line for line in before if line.startswith(f"set {PORT} unit ") and " vlan-id " in line])
        line = f"set {PORT} unit {vlan} {theirs}"
        somebody.does(BNG, line)
        done, given = ordered(machine)
        assert given == vlan
        assert done.code == 3
        (trouble,) = {item["trouble"]["code"]: item["trouble"] for item in done.document["items"] if item["trouble"]}.values()
        assert trouble["code"] == "DRIFT_FOUND"
        assert f"{PORT} unit {vlan} {theirs.split()[0]} is there, and nobody applied it" in trouble["message"]
        assert active(machine) == {*before, line}, "nothing was sent"
        somebody.does(BNG, f"delete {PORT} unit {vlan}")
        order = done.document["order"]["id"]
        for case in machine("fallout", "list", "--json").document["cases"]:
            machine("fallout", "answer", case["id"], "retry", "--json")
        with machine.wired() as wiring:
            from turnup.following import Follower
            from turnup.working import Working

            with Working(wiring) as working:
                last = list(Follower(wiring.store, working).follow(order))[-1]
        assert last.root.state == "completed"
        assert machine("check", "--all").code == 0
