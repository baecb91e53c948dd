"""A line of the worked example on the embedded lab, and somebody who changes its configuration behind our back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from engine.ports import Change, Push, TransactionState
from lab import control
from tasks.netconf.xml import config_text
from tests.integration.failures.machine import PLAYBOOK, Machine
from turnup.wiring import Wiring

ALL = ("OLT-EAST-07", "ASW-EAST-07", "BNG-EAST-01", "DHCP-EAST-01", "RADIUS-EAST-01", "ACS-01", "cloudwifi")


Body = dict[str, Any]


@dataclass
class Somebody:
    """Changes targets as anybody could who has access to them."""

    wiring: Wiring

    def does(self, target: str, text: str) -> None:
        """An edit-config, `set` and `delete` lines, or operations on documents."""
        push = Push(uuid.uuid4().hex, target, Change(text, ""))
        outcome = self.wiring.targets.push(push)
        assert outcome.state is TransactionState.CONFIRMED, outcome.trouble

    def edits(self, target: str, *elements: str) -> None:
        """An edit-config."""
        self.does(target, config_text("".join(elements)))

    def alters(self, target: str, kind: str, key: str, body: Body | None = None, was: Body | None = None) -> None:
        """Puts a document in the place of ours, or deletes it."""
        said = {"op": "put", "body": body, "was": was} if body else {"op": "delete", "was": {}}
        self.does(target, json.dumps([{**said, "kind": kind, "key": key}]))


def interface(name: str, content: str, attributes: str = "") -> str:
    """For an edit-config."""
    entry = f"<interface{attributes}><name>{name}</name>{content}</interface>"
    return f'<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">{entry}</interfaces>'


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """With the worked example's order done."""
    machine = Machine(tmp_path_factory.mktemp("drift"))
    try:
        assert machine("run", PLAYBOOK, "--json").code == 0
        yield machine
    finally:
        control.down(machine.lab)


@pytest.fixture(scope="module")
def wiring(machine: Machine) -> Iterator[Wiring]:
    """The parts of the program."""
    with machine.wired() as wiring:
        yield wiring


@pytest.fixture(scope="module")
def somebody(wiring: Wiring) -> Somebody:
    """With access to all targets."""
    return Somebody(wiring)


@pytest.fixture
def whole(machine: Machine) -> Iterator[Callable[[], dict[str, Any]]]:
    """What all targets hold; afterwards they must hold it again, and no drift may be left."""

    def holds() -> dict[str, Any]:
        return {name: comparable(found) for name, found in machine.holds(*ALL).items()}

    before = holds()
    yield holds
    machine.heal()
    assert holds() == before
    assert machine("check", "--all", "--json").code == 0


def comparable(found: dict[str, Any]) -> Any:
    """Configuration alone: sessions, commits and lines' order are not it."""
    if "running" in found:
        return found["running"]
    if "active" in found:
        return sorted(found["active"].splitlines() if isinstance(found["active"], str) else found["active"])
    dropped = ("sessions", "requests", "log", "time", "id", "deviceId", "modified", "created")
    return json.loads(json.dumps(found, sort_keys=True), object_hook=lambda part: {k: v for k, v in part.items() if k not in dropped})
