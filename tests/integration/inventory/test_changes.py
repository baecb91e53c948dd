"""What others do to NetBox is found in its change log, and only what may give somebody something."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from inventory.adapter import NetBoxResources
from inventory.client import NetBox
from tests.seeded_netbox import SeededNetBox, granted, line

PORTS, OTHER_PORTS = "olt-port:EAST-07", "olt-port:EAST-99"
STOCK, VLANS, IPV4, IPV6 = "stock:HG8245H", "vlan:EAST-07-RES", "ipv4:EAST-RES", "ipv6-prefix:EAST-RES-V6"
POOLS = {PORTS, STOCK, VLANS, IPV4, IPV6}


@dataclass
class Log:
    """Reads on in the change log."""

    resources: NetBoxResources
    client: NetBox
    position: int = 0

    def by(self, change: Callable[[NetBox], Any], pools: set[str] = POOLS) -> set[str]:
        """In which pools a change may have left something."""
        self.position, _ = self.resources.changes(None, pools)
        change(self.client)
        self.position, found = self.resources.changes(self.position, pools)
        return found


@pytest.fixture
def log(netbox: SeededNetBox) -> Log:
    return Log(netbox.resources(), netbox.client())


def only(client: NetBox, path: str, **filters: Any) -> dict[str, Any]:
    rows = client.read(path, filters)
    assert rows, (path, filters)
    return rows[0]


def test_without_a_position_anything_may_have_come(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    position, found = resources.changes(None, POOLS)
    assert found == POOLS
    netbox.calls.clear()
    assert resources.changes(position, POOLS) == (position, set())
    assert [call.method for call in netbox.calls] == ["GET"]


def test_a_line_card(log: Log) -> None:
    def fit(client: NetBox) -> None:
        olt = only(client, "dcim/devices", name="OLT-EAST-07")
        bay = next(bay for bay in client.read("dcim/module-bays", {"device_id": olt["id"]}) if bay["name"] == "LC4")
        card = client.read("dcim/module-types")[0]
        client.create("dcim/modules", [{"device": olt["id"], "module_bay": bay["id"], "module_type": card["id"], "status": "active"}])

    assert log.by(fit) == {PORTS}


def port(client: NetBox) -> dict[str, Any]:
    return only(client, "dcim/interfaces", name="LC1/P1")


def test_a_port_that_is_taken_out_of_use_or_put_back(log: Log) -> None:
    key = port(log.client)["id"]
    assert log.by(lambda client: client.update("dcim/interfaces", [{"id": key, "enabled": False}])) == set()
    assert log.by(lambda client: client.update("dcim/interfaces", [{"id": key, "enabled": True}])) == {PORTS}


def test_a_claim_that_a_person_deletes(log: Log) -> None:
    given = granted(log.resources.reserve(line()))
    claims = [one.objects[0].id for one in given if one.mark.name in ("port", "ont")]
    assert log.by(lambda client: client.delete("dcim/interfaces", dict.fromkeys(claims, "a slip"))) == {PORTS, STOCK}


def test_an_olt_that_comes_into_service_and_a_router_into_stock(log: Log) -> None:
    def change(name: str, status: str) -> set[str]:
        key = only(log.client, "dcim/devices", name=name)["id"]
        return log.by(lambda client: client.update("dcim/devices", [{"id": key, "status": status}]))

    assert change("OLT-EAST-07", "offline") == set()
    assert change("OLT-EAST-07", "active") == {PORTS}
    router = log.client.read("dcim/devices", {"role": "ont", "status": "inventory"})[0]["name"]
    assert change(router, "staged") == set()
    assert change(router, "inventory") == {STOCK}


def test_addresses_prefixes_and_vlans(log: Log) -> None:
    group = only(log.client, "ipam/vlan-groups", name="EAST-07-RES")["id"]
    vlan = log.client.read("ipam/vlans", {"group_id": group})[0]["id"]
    assert log.by(lambda client: client.delete("ipam/vlans", {vlan: "gone"})) == {VLANS}
    assert log.by(lambda client: client.update("ipam/vlan-groups", [{"id": group, "vid_ranges": [[1000, 2999]]}])) == {VLANS}
    address = log.client.read("ipam/ip-addresses", {"address": "10.42.17.5"}) or log.client.read("ipam/ip-addresses")
    v4 = next(row for row in address if ":" not in row["address"])["id"]
    assert log.by(lambda client: client.delete("ipam/ip-addresses", {v4: "gone"})) == {IPV4}
    more = [{"prefix": "10.99.0.0/24", "description": "EAST-RES", "status": "active"}]
    assert log.by(lambda client: client.create("ipam/prefixes", more)) == {IPV4}
    more = [{"prefix": "2001:db8:99::/48", "description": "EAST-RES-V6", "status": "container"}]
    assert log.by(lambda client: client.create("ipam/prefixes", more)) == {IPV6}


def test_what_gives_nobody_anything(log: Log) -> None:
    def nothing(client: NetBox) -> None:
        client.create("ipam/ip-addresses", [{"address": "10.42.17.250/24"}])
        client.create("dcim/interfaces", [{"device": port(client)["device"]["id"], "name": "lo9", "type": "virtual"}])

    assert log.by(nothing) == set()


def test_what_orders_take_and_give_back_is_passed_over(log: Log) -> None:
    """They say themselves what they give back; else each order would make all who wait ask."""

    def live(_: NetBox) -> None:
        given = granted(log.resources.reserve(line()))
        log.resources.activate(given)
        log.resources.release(given)

    assert log.by(live) == set()


def test_a_port_elsewhere_is_nothing_to_those_who_wait_here(log: Log) -> None:
    """An exchange that NetBox does not have is asked about: whoever waits there shall be told so."""
    change = {"id": port(log.client)["id"], "description": "dusted"}
    assert log.by(lambda client: client.update("dcim/interfaces", [change]), {OTHER_PORTS}) == {OTHER_PORTS}


def test_the_neighbours_ports(capacity: SeededNetBox) -> None:
    log = Log(capacity.resources(), capacity.client())
    exchanges = sorted({row["site"]["name"] for row in log.client.read("dcim/devices", {"role": "olt"})})
    here = next(row for row in log.client.read("dcim/interfaces", {"name": "LC1/P1"}) if row["device"]["name"].startswith("OLT"))
    change = {"id": here["id"], "description": "dusted"}
    changed = log.by(lambda client: client.update("dcim/interfaces", [change]), {f"olt-port:{name}" for name in exchanges})
    assert len(exchanges) > 1
    assert len(changed) == 1
