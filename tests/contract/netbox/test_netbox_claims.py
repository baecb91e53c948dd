"""Contract with NetBox: claims that cannot race, with many callers at once (facts: claims under concurrency)."""

from collections import Counter

import httpx
import pytest
from netbox_world import World, at_once

CALLERS = 30


def _lost(answer: httpx.Response) -> bool:
    """How a lost claim is recognised: 400, or 500 whose body names IntegrityError."""
    return answer.status_code == 400 or (answer.status_code == 500 and answer.json()["exception"] == "IntegrityError")


def test_one_of_many_gets_the_child_interface(netbox: World) -> None:
    """Create-to-claim: the database knows one interface of a name on a device."""
    device = netbox.device()
    port = netbox.port(device)
    body = {"device": device["id"], "name": "LC1/P1/1", "type": "virtual", "parent": port["id"]}

    def claim(_: int) -> httpx.Response:
        with netbox.client() as client:
            return client.post("/api/dcim/interfaces/", json=body)

    answers = at_once(CALLERS, claim)
    for answer in answers:
        netbox.note(answer)
    won = [answer for answer in answers if answer.status_code == 201]
    assert len(won) == 1
    assert all(_lost(answer) for answer in answers if answer is not won[0])
    assert netbox.get("dcim/interfaces/", parent_id=port["id"])["count"] == 1


def test_callers_who_go_on_to_the_next_candidate_get_one_each(netbox: World) -> None:
    """10 ports, 30 callers: each port is given once, who finds none left knows it."""
    device = netbox.device()
    ports = [netbox.port(device, f"LC1/P{number}") for number in range(1, 11)]

    def claim(_: int) -> str | None:
        with netbox.client() as client:
            for port in ports:
                body = {"device": device["id"], "name": f"{port['name']}/1", "type": "virtual", "parent": port["id"]}
                answer = client.post("/api/dcim/interfaces/", json=body)
                netbox.note(answer)
                if answer.status_code == 201:
                    return str(port["name"])
                assert _lost(answer), answer.text
        return None

    got = Counter(at_once(CALLERS, claim))
    assert got.pop(None) == CALLERS - len(ports)
    assert got == Counter(port["name"] for port in ports)


def test_of_many_lists_that_want_the_same_port_one_is_granted_whole(netbox: World) -> None:
    """The OLT port and the ONT are claimed in one POST: who loses either gets neither."""
    olt = netbox.device()
    port = netbox.port(olt)
    onts = [netbox.device() for _ in range(10)]

    def claim(number: int) -> httpx.Response:
        claims = [
            {"device": olt["id"], "name": "LC1/P1/1", "type": "virtual", "parent": port["id"]},
            {"device": onts[number]["id"], "name": "claim", "type": "virtual"},
        ]
        with netbox.client() as client:
            return client.post("/api/dcim/interfaces/", json=claims)

    answers = at_once(len(onts), claim)
    for answer in answers:
        netbox.note(answer)
    assert [answer.status_code for answer in answers].count(201) == 1
    claimed = [ont for ont in onts if netbox.get("dcim/interfaces/", device_id=ont["id"])["count"]]
    assert len(claimed) == 1


def test_reading_first_and_patching_then_gives_the_same_to_all(netbox: World) -> None:
    """Why we never do it: everyone sees it free, everyone is answered 200."""
    port = netbox.port(netbox.device())
    path = f"/api/dcim/interfaces/{port['id']}/"

    def claim(number: int) -> int:
        with netbox.client() as client:
            return client.patch(path, json={"label": f"claimed by {number}"}).status_code

    assert set(at_once(10, claim)) == {200}


def test_addresses_given_at_once_are_all_different(netbox: World) -> None:
    """available-ips is atomic; who comes too late gets 409."""
    pool = netbox.prefix("10.30.0.0/28")
    path = f"/api/ipam/prefixes/{pool['id']}/available-ips/"

    def take(_: int) -> httpx.Response:
        with netbox.client() as client:
            return client.post(path, json={})

    answers = at_once(20, take)
    for answer in answers:
        netbox.note(answer)
    assert Counter(answer.status_code for answer in answers) == {201: 14, 409: 6}
    assert len({answer.json()["address"] for answer in answers if answer.status_code == 201}) == 14


def test_prefixes_given_at_once_are_all_different(netbox: World) -> None:
    """available-prefixes is atomic."""
    pool = netbox.prefix("2001:db8:30::/60", status="container")
    path = f"/api/ipam/prefixes/{pool['id']}/available-prefixes/"

    def take(_: int) -> httpx.Response:
        with netbox.client() as client:
            return client.post(path, json={"prefix_length": 64})

    answers = at_once(20, take)
    for answer in answers:
        netbox.note(answer)
    assert Counter(answer.status_code for answer in answers) == {201: 16, 409: 4}
    assert len({answer.json()["prefix"] for answer in answers if answer.status_code == 201}) == 16


def test_vlans_given_at_once_are_all_different(netbox: World) -> None:
    """available-vlans is atomic."""
    group = netbox.vlan_group(1000, 1011)
    path = f"/api/ipam/vlan-groups/{group['id']}/available-vlans/"

    def take(number: int) -> httpx.Response:
        with netbox.client() as client:
            return client.post(path, json={"name": f"v{number}"})

    answers = at_once(20, take)
    for answer in answers:
        netbox.note(answer)
    assert Counter(answer.status_code for answer in answers) == {201: 12, 409: 8}
    assert {answer.json()["vid"] for answer in answers if answer.status_code == 201} == set(range(1000, 1012))


def test_the_same_address_is_given_once(netbox: World) -> None:
    """A plain POST of one address holds NetBox' lock: all others are 400."""
    netbox.prefix("10.31.0.0/24")
    body = {"address": "10.31.0.5/24", "vrf": netbox.vrf["id"]}

    def take(_: int) -> httpx.Response:
        with netbox.client() as client:
            return client.post("/api/ipam/ip-addresses/", json=body)

    answers = at_once(20, take)
    for answer in answers:
        netbox.note(answer)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 400: 19}


def test_the_same_prefix_may_be_given_more_than_once(netbox: World) -> None:
    """Never POST a prefix directly: its uniqueness is checked in Python only, so a race may make it twice."""
    body = {"prefix": "10.32.0.0/24", "vrf": netbox.vrf["id"]}

    def take(_: int) -> httpx.Response:
        with netbox.client() as client:
            return client.post("/api/ipam/prefixes/", json=body)

    answers = at_once(20, take)
    for answer in answers:
        netbox.note(answer)
    codes = Counter(answer.status_code for answer in answers)
    assert codes.keys() <= {201, 400}
    assert codes[201] >= 1
    assert netbox.post("ipam/prefixes/", body).status_code == 400


@pytest.mark.parametrize("what", ["vid", "asset_tag"])
def test_unique_values_are_given_once(netbox: World, what: str) -> None:
    """A VLAN id of a group and an asset tag are unique in the database."""
    group = netbox.vlan_group(100, 200)
    tag = netbox.name("asset")
    device = {"device_type": netbox.device_type["id"], "role": netbox.role["id"], "site": netbox.site["id"], "asset_tag": tag}

    def take(number: int) -> httpx.Response:
        with netbox.client() as client:
            if what == "vid":
                return client.post("/api/ipam/vlans/", json={"vid": 100, "name": f"v{number}", "group": group["id"]})
            return client.post("/api/dcim/devices/", json={**device, "name": f"{tag}-{number}"})

    answers = at_once(20, take)
    for answer in answers:
        netbox.note(answer)
    won = [answer for answer in answers if answer.status_code == 201]
    assert len(won) == 1
    assert all(_lost(answer) for answer in answers if answer is not won[0])
