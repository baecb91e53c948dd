"""The worked example's what-if, on the lab: a pool is empty and the order is held, somebody adds to it in NetBox, and the worker that is
running completes the order by itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from inventory.client import BULK, NetBox, chunks
from lab import control
from lab.credentials import credentials
from tests.integration.turnup.conftest import ROOT, Program, until

PLAYBOOK = ROOT / "playbooks" / "superfibre-200.yaml"
Change = Callable[[NetBox], Any]


@pytest.fixture(scope="module")
def netbox(turnup: Program) -> Iterator[NetBox]:
    """The lab's NetBox, as an engineer's program sees it."""
    assert turnup("lab", "up").code == 0
    assert turnup("inventory", "seed", "--json").code == 0
    lab = turnup.home / "lab"
    endpoint = next(one.endpoint for one in control.status(lab) if one.name == "netbox")
    assert endpoint is not None
    assert endpoint.url is not None
    client = NetBox(endpoint.url, credentials(lab).netbox_token)
    yield client
    client.close()


@pytest.fixture(scope="module")
def worker(turnup: Program) -> Iterator[subprocess.Popen[str]]:
    """`turnup worker`, running."""
    with subprocess.Popen(turnup.command("worker"), cwd=ROOT, env=turnup.environment(), text=True, stderr=subprocess.PIPE) as running:
        try:
            yield running
        finally:
            running.terminate()
            running.communicate(timeout=30)


@dataclass
class Customers:
    """Orders of one customer after the other."""

    folder: Path
    last: int = 5000

    def playbook(self) -> Path:
        """A playbook for the next."""
        self.last += 1
        path = self.folder / f"{self.last}.yaml"
        text = PLAYBOOK.read_text("utf-8").replace("CUST-4821", f"CUST-{self.last}").replace("42 Fibre Lane", f"{self.last} Fibre Lane")
        path.write_text(text, "utf-8")
        return path


@pytest.fixture(scope="module")
def customers(tmp_path_factory: pytest.TempPathFactory) -> Customers:
    return Customers(tmp_path_factory.mktemp("playbooks"))


def ports(client: NetBox) -> list[dict[str, Any]]:
    olt = client.read("dcim/devices", {"name": "OLT-EAST-07"})[0]["id"]
    return client.read("dcim/interfaces", {"device_id": olt, "type": "gpon"})


def no_port(client: NetBox) -> Change:
    """Every port is taken; a line card is fitted."""
    client.update("dcim/interfaces", [{"id": port["id"], "mark_connected": True} for port in ports(client)])

    def fit(client: NetBox) -> None:
        olt = client.read("dcim/devices", {"name": "OLT-EAST-07"})[0]["id"]
        fitted = {module["module_bay"]["id"] for module in client.read("dcim/modules", {"device_id": olt})}
        bays = client.read("dcim/module-bays", {"device_id": olt})
        bay = next(bay["id"] for bay in bays if bay["name"].startswith("LC") and bay["id"] not in fitted)
        card = client.read("dcim/module-types", {"model": "GPHF-16"})[0]["id"]
        client.create("dcim/modules", [{"device": olt, "module_bay": bay, "module_type": card, "status": "active"}])

    return fit


def no_vlan(client: NetBox) -> Change:
    """The group ends with the last VLAN in use; it is widened."""
    group = client.read("ipam/vlan-groups", {"name": "EAST-07-RES"})[0]["id"]
    used = [row["vid"] for row in client.read("ipam/vlans", {"group_id": group})]
    client.update("ipam/vlan-groups", [{"id": group, "vid_ranges": [[min(used), max(used)]]}])
    return lambda client: client.update("ipam/vlan-groups", [{"id": group, "vid_ranges": [[1000, 1999]]}])


def pool(client: NetBox, name: str) -> str:
    return f"ipam/prefixes/{client.read('ipam/prefixes', {'description': name})[0]['id']}"


def no_address(client: NetBox) -> Change:
    """Every address of the pool is taken; some are given up."""
    free = client.free(f"{pool(client, 'EAST-RES')}/available-ips")
    made = []
    for part in chunks(free, BULK):
        made += client.create("ipam/ip-addresses", [{"address": row["address"], "status": "reserved"} for row in part])
    return lambda client: client.delete("ipam/ip-addresses", {one["id"]: "given up" for one in made[-10:]})


def no_prefix(client: NetBox) -> Change:
    """All that is left of the pool is set aside; a part of that is given up."""
    free = client.free(f"{pool(client, 'EAST-RES-V6')}/available-prefixes")
    made = client.create("ipam/prefixes", [{"prefix": row["prefix"], "status": "reserved"} for row in free])
    return lambda client: client.delete("ipam/prefixes", {made[0]["id"]: "given up"})


def no_router(client: NetBox) -> Change:
    """Nothing is in stock; a delivery comes."""
    stock = [row["id"] for row in client.read("dcim/devices", {"role": "ont", "status": "inventory"})]
    client.update("dcim/devices", [{"id": key, "status": "staged"} for key in stock])
    return lambda client: client.update("dcim/devices", [{"id": key, "status": "inventory"} for key in stock[-5:]])


def shown(turnup: Program, order: str) -> Any:
    return turnup("show", order, "--json").document


@pytest.mark.parametrize(
    ("empty", "pool", "item"),
    [
        (no_port, "olt-port:EAST-07", "ROI-001"),
        (no_vlan, "vlan:EAST-07-RES", "ROI-002"),
        (no_address, "ipv4:EAST-RES", "ROI-003"),
        (no_prefix, "ipv6-prefix:EAST-RES-V6", "ROI-003"),
        (no_router, "stock:HG8245H", "ROI-001"),
    ],
    ids=["port", "vlan", "ipv4", "ipv6-prefix", "router"],
)
def test_when_there_is_something_again_the_order_completes(
    turnup: Program,
    netbox: NetBox,
    worker: subprocess.Popen[str],
    customers: Customers,
    empty: Callable[[NetBox], Change],
    pool: str,
    item: str,
) -> None:
    more = empty(netbox)
    turnup.stand_in("OLT-EAST-07").post("/line-cards", {"slot": 4})  # configured before it is entered in NetBox
    ran = turnup("run", customers.playbook(), "--json")
    assert ran.code == 3
    order = ran.document["order"]["id"]
    assert ran.document["order"]["reason"].startswith("resource exhaustion: ")
    assert {one["state"] for one in ran.document["orders"]} == {"held"}
    (held,) = [step for each in ran.document["items"] for step in each["steps"] if step["state"] == "held"]
    assert (held["key"], held["awaits"]) == (f"{item}/reserve", pool)
    (case,) = ran.document["cases"]
    assert (case["queue"], case["waitsFor"]) == ("network-planning", pool)
    more(netbox)
    until(lambda: shown(turnup, order)["order"]["state"] == "completed", f"{order} completed")
    assert worker.poll() is None
    history = shown(turnup, order)["history"]
    assert [event["data"]["reason"] for event in history if event["type"] == "resume"] == [f"{pool} has capacity again"]
    states = [event["data"]["state"] for event in history if event["type"] == "orderStateChange" and event["order"] == order]
    assert states[:2] == ["inProgress", "held"]
    assert "held" not in states[3:]
    assert states[-1] == "completed"
    assert json.loads(turnup("inventory", "audit", "--json").out)["findings"] == []
