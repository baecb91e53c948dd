"""One machine for all tests of this folder. After each it is whole again: nothing is left on a device, and no secret was told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from inventory.client import NetBox
from lab import control
from tests.integration.failures.machine import BNG, DEVICES, LOGISTICS, NETBOX, OLT, SWITCH, Machine

ROOM = 64
"""ONUs on each free port: an order keeps its claims also when it is held."""


@pytest.fixture(scope="session")
def shared_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The machine with its lab up and room on its ports."""
    machine = Machine(tmp_path_factory.mktemp("machine"))
    try:
        assert machine("lab", "up").code == 0
        _make_room(machine)
        yield machine
    finally:
        control.down(machine.lab)


@pytest.fixture
def machine(shared_machine: Machine) -> Iterator[Machine]:
    """The machine, before anything has gone wrong."""
    machine = shared_machine
    machine.said.clear()
    yield machine
    machine.heal()
    for name, held in machine.holds(*DEVICES).items():
        assert free(held), f"{name} was not left as it should: {held}"
    assert not leaks(machine)


def free(held: dict[str, Any]) -> bool:
    """Whether nobody is on a device, holds a lock of it, or has left changes in its candidate or a commit that is not confirmed."""
    left = [held.get(name) for name in ("locks", "lock", "pending", "sessions", "candidate_changes")]
    return not any(left) and held.get("candidate", held.get("active")) == held.get("active")


def leaks(machine: Machine) -> list[str]:
    """Where secrets were told: on the screen, in a log, in the database."""
    secrets = _secrets(machine)
    assert len(secrets) > 8
    files = {
        path.name: path.read_bytes().decode("latin-1") for path in machine.home.iterdir() if path.is_file() and path.name != "secret.key"
    }
    places = {**files, "what was printed": "\n".join(machine.said)}
    return [f"{name} has {what}" for name, text in places.items() for what, secret in secrets.items() if secret in text]


def _secrets(machine: Machine) -> dict[str, str]:
    known = machine.credentials
    parcels = machine.stand_in(LOGISTICS).state()["parcels"]
    radius = machine.stand_in("RADIUS-EAST-01").state()["radcheck"]
    return {
        **{f"the WiFi password of {n}": str(value) for n, value in enumerate(_values(parcels, "wifiPassword"))},
        **{f"the RADIUS password of {row['username']}": row["value"] for row in radius if row["attribute"].endswith("-Password")},
        **{f"the password of {name}": known.devices[name].password for name in (OLT, SWITCH, BNG)},
        "the token of NetBox": known.netbox_token,
        "the password of Kea": known.kea.password,
        "the password of the ACS": known.acs.password,
        "the key of the cloud WiFi": known.cloudwifi_api_key,
        "the key of logistics": known.logistics_api_key,
        "the secret of the webhooks": known.logistics_webhook_secret,
    }


def _values(value: Any, name: str) -> list[Any]:
    """The values of all characteristics of this name, anywhere in TM Forum documents."""
    if isinstance(value, dict):
        own = [value["value"]] if value.get("name") == name and "value" in value else []
        return own + [found for part in value.values() for found in _values(part, name)]
    return [found for part in value for found in _values(part, name)] if isinstance(value, list) else []


def _make_room(machine: Machine) -> None:
    client = NetBox(machine.endpoint(NETBOX).url or "", machine.credentials.netbox_token)
    try:
        ports = client.read("dcim/interfaces", {"name": [f"LC3/P{number}" for number in range(12, 17)], "fields": "id"})
        client.update("dcim/interfaces", [{"id": port["id"], "custom_fields": {"onu_capacity": ROOM}} for port in ports])
    finally:
        client.close()
