"""Contract with NetBox: the next free address, prefix and VLAN."""

from ipaddress import ip_network

import pytest
from netbox_world import World


def test_the_next_address_is_the_first_free_one(netbox: World) -> None:
    """In order, past what is in use, without network and broadcast address, with the mask of the prefix and its VRF."""
    pool = netbox.prefix("10.10.1.0/29")
    netbox.make("ipam/ip-addresses/", address="10.10.1.1/29", vrf=netbox.vrf["id"])
    path = f"ipam/prefixes/{pool['id']}/available-ips/"
    assert [free["address"] for free in netbox.get(path)] == [f"10.10.1.{host}/29" for host in (2, 3, 4, 5, 6)]
    made = netbox.make(path, status="reserved", description="ROI-003")
    assert made["address"] == "10.10.1.2/29"
    assert made["vrf"]["id"] == netbox.vrf["id"]
    assert (made["status"]["value"], made["description"]) == ("reserved", "ROI-003")


def test_a_given_address_comes_back_when_it_is_deleted(netbox: World) -> None:
    """A released address is the next one again."""
    pool = netbox.prefix("10.10.2.0/29")
    path = f"ipam/prefixes/{pool['id']}/available-ips/"
    first, second = netbox.make(path), netbox.make(path)
    assert netbox.http.delete(f"/api/ipam/ip-addresses/{first['id']}/").status_code == 204
    assert netbox.make(path)["address"] == first["address"] != second["address"]


def test_a_list_takes_as_many_or_none(netbox: World) -> None:
    """A batch asks for what it needs in one request; when there are not enough: 409 and nothing is given."""
    pool = netbox.prefix("10.10.3.0/29")
    path = f"ipam/prefixes/{pool['id']}/available-ips/"
    answer = netbox.post(path, [{"description": "a"}, {"description": "b"}])
    assert answer.status_code == 201
    assert [(made["address"], made["description"]) for made in answer.json()] == [("10.10.3.1/29", "a"), ("10.10.3.2/29", "b")]
    refused = netbox.post(path, [{}] * 5)
    assert refused.status_code == 409
    assert "5 requested, 4 available" in refused.json()["detail"]
    assert len(netbox.get(path)) == 4


def test_the_answer_has_neither_etag_nor_location(netbox: World) -> None:
    """What was given is known from the body only."""
    pool = netbox.prefix("10.10.4.0/29")
    answer = netbox.post(f"ipam/prefixes/{pool['id']}/available-ips/", {})
    assert "ETag" not in answer.headers
    assert "Location" not in answer.headers


def test_a_range_ends_where_it_ends(netbox: World) -> None:
    """A pool may be a range; behind its end: 409."""
    pool = netbox.make("ipam/ip-ranges/", start_address="10.10.5.10/24", end_address="10.10.5.11/24", vrf=netbox.vrf["id"])
    path = f"ipam/ip-ranges/{pool['id']}/available-ips/"
    assert [netbox.make(path)["address"] for _ in range(2)] == ["10.10.5.10/24", "10.10.5.11/24"]
    assert netbox.post(path, {}).status_code == 409


def test_a_full_prefix_is_409(netbox: World) -> None:
    """`resource exhaustion` of the worked example's what-if."""
    pool = netbox.prefix("10.10.6.0/30")
    path = f"ipam/prefixes/{pool['id']}/available-ips/"
    assert netbox.post(path, [{}, {}]).status_code == 201
    assert netbox.get(path) == []
    assert netbox.post(path, {}).status_code == 409


def test_the_next_prefix_is_the_first_free_one_of_that_length(netbox: World) -> None:
    """A /64 for each line out of a /48, in order; gaps are filled."""
    pool = netbox.prefix("2001:db8:42::/48", status="container")
    netbox.prefix("2001:db8:42::/64")
    path = f"ipam/prefixes/{pool['id']}/available-prefixes/"
    assert netbox.get(path)[0]["prefix"] == "2001:db8:42:1::/64"
    given = [netbox.make(path, prefix_length=64, status="active")["prefix"] for _ in range(3)]
    assert given == ["2001:db8:42:1::/64", "2001:db8:42:2::/64", "2001:db8:42:3::/64"]
    taken = netbox.get("ipam/prefixes/", vrf_id=netbox.vrf["id"], prefix="2001:db8:42:2::/64")["results"][0]
    assert netbox.http.delete(f"/api/ipam/prefixes/{taken['id']}/").status_code == 204
    assert netbox.make(path, prefix_length=64)["prefix"] == "2001:db8:42:2::/64"


def test_prefixes_of_different_lengths_fit_together(netbox: World) -> None:
    """What is given never overlaps, whatever was asked for."""
    pool = netbox.prefix("10.11.0.0/24", status="container")
    answer = netbox.post(f"ipam/prefixes/{pool['id']}/available-prefixes/", [{"prefix_length": length} for length in (30, 26, 30, 27)])
    assert answer.status_code == 201
    given = [ip_network(made["prefix"]) for made in answer.json()]
    assert [network.prefixlen for network in given] == [30, 26, 30, 27]
    assert not any(a.overlaps(b) for a in given for b in given if a is not b)


def test_no_prefix_left_is_409(netbox: World) -> None:
    """All or none here too."""
    pool = netbox.prefix("10.12.0.0/30", status="container")
    path = f"ipam/prefixes/{pool['id']}/available-prefixes/"
    assert netbox.post(path, [{"prefix_length": 31}] * 3).status_code == 409
    assert netbox.post(path, [{"prefix_length": 31}] * 2).status_code == 201
    assert netbox.post(path, {"prefix_length": 31}).status_code == 409


def test_the_length_of_a_prefix_must_be_said(netbox: World) -> None:
    """400 without it."""
    pool = netbox.prefix("10.13.0.0/24", status="container")
    assert netbox.post(f"ipam/prefixes/{pool['id']}/available-prefixes/", {}).status_code == 400


def test_the_next_vlan_is_the_first_free_id_of_the_group(netbox: World) -> None:
    """VLAN 1042 when 1000 to 1041 are in use; name and role come from the request."""
    group = netbox.vlan_group(1000, 1003)
    path = f"ipam/vlan-groups/{group['id']}/available-vlans/"
    netbox.make("ipam/vlans/", vid=1000, name="first", group=group["id"])
    assert [free["vid"] for free in netbox.get(path)] == [1001, 1002, 1003]
    made = netbox.make(path, name="RES-ROI-002", status="reserved")
    assert (made["vid"], made["name"], made["group"]["id"]) == (1001, "RES-ROI-002", group["id"])


def test_a_vlan_needs_a_name(netbox: World) -> None:
    """400 without: the adapter names a VLAN after its order item."""
    group = netbox.vlan_group(1000, 1003)
    answer = netbox.post(f"ipam/vlan-groups/{group['id']}/available-vlans/", {})
    assert answer.status_code == 400
    assert list(answer.json()) == ["name"]


def test_a_full_group_is_409(netbox: World) -> None:
    """And a list that does not fit takes nothing."""
    group = netbox.vlan_group(1000, 1002)
    path = f"ipam/vlan-groups/{group['id']}/available-vlans/"
    assert netbox.post(path, [{"name": f"v{number}"} for number in range(4)]).status_code == 409
    assert netbox.post(path, [{"name": f"v{number}"} for number in range(3)]).status_code == 201
    assert netbox.post(path, {"name": "one-more"}).status_code == 409
    assert netbox.get(path) == []


def test_a_vlan_outside_of_its_group_is_refused(netbox: World) -> None:
    """vid_ranges bound the pool of an exchange."""
    group = netbox.vlan_group(1000, 1999)
    assert netbox.post("ipam/vlans/", {"vid": 2000, "name": "outside", "group": group["id"]}).status_code == 400


@pytest.mark.parametrize(("kind", "label"), [("ips", "ipam.ipaddress"), ("prefixes", "ipam.prefix"), ("vlans", "ipam.vlan")])
def test_what_is_given_carries_our_custom_fields(netbox: World, kind: str, label: str) -> None:
    """The mark of the order is written in the same request that takes the resource, so that nothing is ever without."""
    field = netbox.custom_field(object_types=[label])
    if kind == "vlans":
        pool = f"ipam/vlan-groups/{netbox.vlan_group(100, 110)['id']}"
    else:
        pool = f"ipam/prefixes/{netbox.prefix('10.20.0.0/24' if kind == 'ips' else '10.21.0.0/24')['id']}"
    made = netbox.make(f"{pool}/available-{kind}/", name="v", prefix_length=28, custom_fields={field: "RO-1/ROI-003"})
    assert made["custom_fields"][field] == "RO-1/ROI-003"
