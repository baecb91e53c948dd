"""A resource that somebody asked for by name: exactly that one, or a clear word why not; never what is another order's."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from engine.ports import Allocation, Need, Shortage
from tests.seeded_netbox import SeededNetBox, line, short, values

PORT, ONT, VLAN, IPV4, IPV6 = "OLT-EAST-07:LC3/P14", "HWT2340105", "1077", "10.42.17.99", "2001:db8:42:77::/64"
ALL = {"port": PORT, "ont": ONT, "vlan": VLAN, "ipv4": IPV4, "ipv6": IPV6}


def asking(number: int, names: Mapping[str, str]) -> list[Need]:
    return [replace(need, exact=names.get(need.mark.name)) for need in line(number)]


def refused(netbox: SeededNetBox, **names: str) -> str:
    """The only reason that is no consequence of another."""
    before = netbox.marked()
    found = short(netbox.resources().reserve(asking(7999, names)))
    (reason,) = [each for each in found if each.exhausted]
    assert reason.exact == next(iter(names.values()))
    mine = {mark for _, mark in netbox.marked()} - {mark for _, mark in before}
    assert f"RO-2024-07999/ROI-001/{reason.mark.name}" not in mine
    return reason.message


def test_each_kind_of_resource_by_name(netbox: SeededNetBox) -> None:
    given = netbox.resources().reserve(asking(7814, ALL))
    assert values(given) == ["LC3/P14/1", ONT, VLAN, IPV4, IPV6]
    assert len(netbox.marked()) == 5
    assert values(netbox.resources().reserve(asking(7814, ALL), again=True)) == values(given)  # asked again: the same
    others = netbox.resources().reserve(line(7815))
    assert values(others) == ["LC3/P12/1", "HWT2340098", "1042", "10.42.17.22", "2001:db8:42:17::/64"]


def test_one_by_name_and_the_others_as_they_come(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    assert values(resources.reserve(asking(7814, {"port": PORT})))[:3] == ["LC3/P14/1", "HWT2340098", "1042"]
    assert [values(resources.reserve(line(number)))[0] for number in (7815, 7816, 7817)] == ["LC3/P12/1", "LC3/P13/1", "LC3/P15/1"]


def test_it_is_released_like_any_other(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    given = resources.reserve(asking(7814, ALL))
    resources.release([found for found in given.values() if isinstance(found, Allocation)])
    assert netbox.marked() == []


def test_a_port_that_is_kept_back(newest: SeededNetBox) -> None:
    client = newest.client()
    (port,) = client.read("dcim/interfaces", {"name": "LC3/P14", "fields": "id"})
    client.update("dcim/interfaces", [{"id": port["id"], "custom_fields": {"alloc_state": "reserved"}}])
    assert values(newest.resources().reserve(asking(7814, {"port": PORT})))[0] == "LC3/P14/1"


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ({"port": "OLT-EAST-07:LC3/P1"}, "it is in use"),
        ({"port": "OLT-EAST-07:LC9/P1"}, "OLT-EAST-07 has no PON port 'LC9/P1'"),
        ({"port": "OLT-WEST-01:LC1/P1"}, "OLT-WEST-01 is no active OLT of EAST-07"),
        ({"port": "LC3/P14"}, "write it as DEVICE:PORT"),
        ({"ont": "HWT1"}, "NetBox has no ONT with this asset tag"),
    ],
)
def test_what_cannot_be_had(newest: SeededNetBox, names: dict[str, str], why: str) -> None:
    assert why in refused(newest, **names)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("vlan", "red", "a VLAN is named by its number"),
        ("vlan", "4095", ""),
        ("ipv4", "10.42.17", "it is not an IPv4 address"),
        ("ipv4", "192.0.2.1", "is in no prefix of the pool EAST-RES"),
        ("ipv6", "2001:db8:1::/64", "is in no prefix of the pool"),
    ],
)
def test_what_is_not_of_the_pool(newest: SeededNetBox, name: str, value: str, why: str) -> None:
    found = newest.resources().reserve(asking(7999, {name: value}))
    (reason,) = [each for each in short(found) if each.exact]
    assert why in reason.message


def test_what_is_another_orders(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    resources.reserve(asking(7814, ALL))
    found = resources.reserve(asking(7815, ALL))
    told = {each.mark.name: each.message for each in short(found) if each.exact}
    assert told["port"] == f"port {PORT} cannot be had: it is taken"
    assert told["ont"].startswith(f"ont {ONT} cannot be had: it is taken")
    other = netbox.resources().reserve(asking(7816, {"vlan": VLAN}))
    assert [each.message for each in short(other) if each.exact] == [
        f"vlan {VLAN} cannot be had: it is taken by RO-2024-07814/ROI-002/vlan"
    ]
    other = netbox.resources().reserve(asking(7817, {"ipv4": IPV4}))
    assert [each.message for each in short(other) if each.exact] == [
        f"ipv4 {IPV4} cannot be had: it is taken by RO-2024-07814/ROI-003/ipv4"
    ]


def test_what_somebody_has_entered_by_hand_is_taken_over(netbox: SeededNetBox) -> None:
    client = netbox.client()
    (group,) = client.read("ipam/vlan-groups", {"name": "EAST-07-RES"})
    client.create("ipam/vlans", [{"vid": 1077, "name": "smith", "group": group["id"], "status": "active"}])
    client.create("ipam/ip-addresses", [{"address": f"{IPV4}/24", "status": "active"}])
    given = netbox.resources().reserve(asking(7814, {"vlan": VLAN, "ipv4": IPV4}))
    assert values(given)[2:4] == [VLAN, IPV4]
    assert values(netbox.resources().reserve(asking(7814, {}), again=True)) == values(given)
    assert len(netbox.marked()) == 5


def test_of_two_who_ask_for_the_same_at_once_one_has_it(netbox: SeededNetBox) -> None:
    """Each as a process of its own, as two workers would."""
    names = {"port": PORT, "vlan": VLAN}
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: netbox.resources().reserve(asking(number, names)), range(7814, 7818)))
    for name in names:
        given = [each for one in found for each in one.values() if isinstance(each, Allocation) and each.mark.name == name]
        assert len(given) == 1
    assert all(isinstance(each, Allocation | Shortage) for one in found for each in one.values())
