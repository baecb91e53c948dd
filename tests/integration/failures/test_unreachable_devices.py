"""Devices that nobody reaches, that let nobody in, or that somebody else has locked: nothing is sent, and the order says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ncclient import manager as ncclient
from ncclient.manager import Manager

from engine.documents import OrderDocument
from tests.integration.failures import verdict
from tests.integration.failures.machine import ACS, BNG, DHCP, OLT, SWITCH, Done, Machine
from tests.integration.failures.verdict import CPE, Verdict, completed, of, stands_still

DEVICES = [OLT, SWITCH, BNG]
UNTOUCHED = {"notAttempted"}


def access(machine: Machine, device: str, **changed: str) -> dict[str, str]:
    """The settings by which a device is reached in place of the lab's own."""
    login = machine.credentials.devices[device]
    right = {"username": login.user, "password": login.password, "known_hosts": str(machine.lab / "known_hosts")}
    name = device.replace("-", "_")
    return {f"TURNUP_TARGETS__{name}__{key.upper()}": value for key, value in {**right, **changed}.items()}


def patient(machine: Machine, limit: int) -> str:
    """A catalogue in which what is tried again so often is tried until it succeeds: whoever mends it has time."""
    return str(machine.copied("catalog", "failure-policy.yaml", f"limit: {limit}\n", "limit: 1000\n"))


# -- nobody there ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_that_is_gone(machine: Machine, device: str) -> None:
    def back(document: OrderDocument) -> None:
        """It comes back when all steps have given it up: an ONT that is plugged in shows at an OLT that is there."""
        states = {step.state for item in document.items for step in item.steps if step.trouble}
        if machine.broken and "held" in states and states <= {"held", "blocked"}:
            machine.heal()

    before = machine.holds(device)
    playbook = machine.playbook()
    with machine.wired() as wiring:
        machine.kill(device)
        document = machine.run(playbook, wiring, seen=back)
    ended = of(Done(3, document.model_dump_json(by_alias=True), ""), 3)
    stands_still(ended, device, "TARGET_UNREACHABLE", ["Connection refused"], left=UNTOUCHED)
    completed(ended, *CPE)
    assert configuration(machine.holds(device)[device]) == configuration(before[device])
    again = machine("run", playbook, "--json")
    assert (again.code, again.document["repeated"], again.document["order"]["id"]) == (3, True, ended.id)
    assert machine("inventory", "audit").code == 0


def test_a_device_that_comes_back_while_it_is_tried_again(machine: Machine) -> None:
    def back(document: OrderDocument) -> None:
        if OLT in machine.broken and any(step.trouble for item in document.items for step in item.steps):
            machine.heal()

    with machine.wired(TURNUP_CATALOGUE=patient(machine, 4)) as wiring:
        machine.kill(OLT)
        document = machine.run(machine.playbook(), wiring, seen=back)
    ended = of(Done(0, document.model_dump_json(by_alias=True), ""), 0)
    assert ended.attempts(OLT)[-1] == "confirmed"
    assert set(ended.attempts(OLT)[:-1]) <= UNTOUCHED  # none at all when it had never been read


def test_a_device_that_hangs_in_the_middle_is_given_up_in_time_and_tried_again(machine: Machine) -> None:
    machine.fail(OLT, "edit-config", "hang")
    ended = of(machine("run", machine.playbook(), "--json", TURNUP_WORKER__PUSH_TIMEOUT="2"), 0)
    assert ended.attempts(OLT) == ["reversed", "confirmed"]


# -- nobody let in ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_wrong_credentials(machine: Machine, device: str) -> None:
    before = machine.holds(device)
    ended = of(machine("run", machine.playbook(), "--json", **access(machine, device, password="not-the-one")), 3)
    stands_still(ended, device, "TARGET_DENIED", ["refused the credentials"], left=UNTOUCHED)
    assert "settings" in ended.troubles["SOI-001"]["remedy"]
    completed(ended, *CPE)
    assert machine.holds(device) == before


@pytest.mark.parametrize("device", [OLT, BNG])
def test_an_unknown_host_key(machine: Machine, tmp_path: Path, device: str) -> None:
    before = machine.holds(device)
    empty = tmp_path / "known_hosts"
    empty.touch()
    ended = of(machine("run", machine.playbook(), "--json", **access(machine, device, known_hosts=str(empty))), 3)
    stands_still(ended, device, "HOST_KEY_UNKNOWN", ["is not the known one"], left=UNTOUCHED)
    assert "known_hosts" in ended.troubles["SOI-001"]["remedy"]
    completed(ended, *CPE)
    assert machine.holds(device) == before


@pytest.mark.parametrize(("system", "branch"), [(DHCP, CPE), (ACS, ["ROI-001", "ROI-002", "ROI-003", "ROI-004"])])
def test_a_system_that_refuses_the_password(machine: Machine, system: str, branch: list[str]) -> None:
    before = machine.holds(system)
    name = f"TURNUP_TARGETS__{system.replace('-', '_')}"
    endpoint = machine.endpoint(system)
    urls = {f"{name}__URLS": f'{{"dhcp4": "{endpoint.urls.get("dhcp4")}", "dhcp6": "{endpoint.urls.get("dhcp6")}"}}'}
    where = urls if system == DHCP else {f"{name}__URL": endpoint.url or ""}
    wrong = {f"{name}__USERNAME": "somebody", f"{name}__PASSWORD": "not-the-one", **where}
    ended = of(machine("run", machine.playbook(), "--json", **wrong), 3)
    stands_still(ended, system, "TARGET_DENIED", [], left=verdict.NOTHING_LEFT)
    completed(ended, *branch)
    assert machine.holds(system) == before


# -- somebody else there ---------------------------------------------------------------------------------------------------


@pytest.fixture
def session(machine: Machine, request: pytest.FixtureRequest) -> Iterator[Manager]:
    """Somebody else's session on the device that the test is for."""
    endpoint, login = machine.endpoint(request.param), machine.credentials.devices[request.param]
    with ncclient.connect(
        host=endpoint.host,
        port=endpoint.port,
        username=login.user,
        password=login.password,
        hostkey_verify=False,
        allow_agent=False,
        look_for_keys=False,
    ) as other:
        yield other


@pytest.mark.parametrize(("session", "device"), [(device, device) for device in DEVICES], indirect=["session"], ids=DEVICES)
def test_a_lock_that_another_session_holds(machine: Machine, session: Manager, device: str) -> None:
    before = machine.holds(device)
    with session.locked("candidate"):
        held = machine.holds(device)
        ended = of(machine("run", machine.playbook(), "--json"), 3)
        assert machine.holds(device) == held
    stands_still(ended, device, "TARGET_LOCKED", [f"session {session.session_id}"] if device != BNG else ["lock"], left=UNTOUCHED)
    completed(ended, *CPE)
    assert configuration(machine.holds(device)[device]) == configuration(before[device])


@pytest.mark.parametrize("session", [OLT], indirect=True)
def test_a_lock_that_is_given_back_while_it_is_waited_for(machine: Machine, session: Manager) -> None:
    session.lock("candidate")

    held = [session]

    def unlock(document: OrderDocument) -> None:
        if held and any(step.trouble for item in document.items for step in item.steps):
            held.pop().unlock("candidate")

    with machine.wired(TURNUP_CATALOGUE=patient(machine, 6)) as wiring:
        document = machine.run(machine.playbook(), wiring, seen=unlock)
    ended = of(Done(0, document.model_dump_json(by_alias=True), ""), 0)
    assert ended.attempts(OLT)[0] == "notAttempted"
    assert ended.attempts(OLT)[-1] == "confirmed"


def configuration(held: dict[str, Any]) -> Any:
    return held.get("running", held.get("active"))


def test_nobody_was_told_twice(machine: Machine) -> None:
    """What was held above is still held: no later run has taken it up by itself."""
    orders = machine("orders", "--json").document["orders"]
    assert {Verdict({"order": order}).state for order in orders} <= {"held", "completed", "partial", "failed", "acknowledged"}
