"""Seeding over the wire: idempotent, never in the way of orders, endpoints updated."""

from pathlib import Path

import pytest

from inventory.profile import load_profile, profiles
from inventory.seed import seed
from lab.credentials import credentials
from tests.seeded_netbox import QUICK, VERSIONS, NetBox, SeededNetBox, granted, in_thread, line, values


def test_seeding_twice_changes_nothing(netbox: SeededNetBox) -> None:
    client = netbox.client()
    before = netbox.remote.state()
    netbox.calls.clear()
    counts = seed(client, load_profile("example"))
    assert (counts.created, counts.updated) == ({}, {})
    assert counts.unchanged["dcim/devices"] == 206
    assert {call.method for call in netbox.calls} == {"GET"}
    assert netbox.remote.state() == before


def test_seeding_leaves_orders_alone(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    given = granted(resources.reserve(line()))
    resources.activate(given)
    before = netbox.remote.state()
    counts = seed(netbox.client(), load_profile("example"))
    assert (counts.created, counts.updated) == ({}, {})
    assert netbox.remote.state() == before
    assert values(netbox.resources().reserve(line(2)))[0] == "LC3/P13/1"


def test_endpoints_are_written_and_rewritten(netbox: SeededNetBox) -> None:
    client = netbox.client()

    def management() -> dict[str, tuple[str, int]]:
        rows = client.read("dcim/devices", {"role": ["olt", "bng", "acs"]})
        return {row["name"]: (row["primary_ip"]["address"], row["custom_fields"]["mgmt_port"]) for row in rows}

    assert management()["OLT-EAST-07"] == ("192.0.2.7/32", 830)
    seed(client, load_profile("example"), {"OLT-EAST-07": ("127.0.0.1", 40001), "BNG-EAST-01": ("127.0.0.1", 40002)})
    assert management() == {
        "OLT-EAST-07": ("127.0.0.1/32", 40001),
        "BNG-EAST-01": ("127.0.0.1/32", 40002),
        "ACS-01": ("192.0.2.11/32", 7557),
    }
    counts = seed(client, load_profile("example"), {"OLT-EAST-07": ("127.0.0.1", 40003), "BNG-EAST-01": ("127.0.0.1", 40002)})
    assert (counts.created, counts.updated) == ({}, {"dcim/devices": 1})
    assert management()["OLT-EAST-07"] == ("127.0.0.1/32", 40003)
    assert len([row for row in netbox.rows("ipam.ipaddress") if row["assigned_object_id"]]) == 6


def test_what_was_changed_by_hand_is_put_right(newest: SeededNetBox) -> None:
    client = newest.client()
    group = client.read("ipam/vlan-groups", {"name": "EAST-07-RES"})[0]["id"]
    field = client.read("extras/custom-fields", {"name": "order_id"})[0]["id"]
    client.update("ipam/vlan-groups", [{"id": group, "description": "?"}])
    client.update("extras/custom-fields", [{"id": field, "filter_logic": "loose"}])
    assert seed(client, load_profile("example")).updated == {"ipam/vlan-groups": 1, "extras/custom-fields": 1}


def test_a_seeding_that_was_cut_off_is_completed(newest: SeededNetBox) -> None:
    client = newest.client()
    state = newest.remote.state()
    client.delete("dcim/devices", {row["id"]: "" for row in state["dcim.device"] if row["name"].endswith("9")})
    client.delete("ipam/vlans", {row["id"]: "" for row in state["ipam.vlan"][5:9]})
    seed(client, load_profile("example"))
    again = newest.remote.state()
    assert len(again["dcim.device"]) == len(state["dcim.device"])
    assert sorted(row["vid"] for row in again["ipam.vlan"]) == list(range(1000, 1042))
    assert values(newest.resources().reserve(line()))[0] == "LC3/P12/1"


def test_the_pages_link_to_the_order(newest: SeededNetBox) -> None:
    seed(newest.client(), load_profile("example"), order_url="https://turnup.example.net/orders/")
    link = newest.rows("extras.customlink")[0]
    assert link["link_url"] == "https://turnup.example.net/orders/{{ object.cf.order_id }}"
    assert link["link_text"] == "{% if object.cf.order_id %}Order {{ object.cf.order_id }}{% endif %}"
    assert set(link["object_types"]) == {"dcim.interface", "dcim.device", "ipam.vlan", "ipam.ipaddress", "ipam.prefix"}


def test_progress_is_told(newest: SeededNetBox) -> None:
    told: list[tuple[str, int, int]] = []
    seed(newest.client(), load_profile("example"), progress=lambda path, done, total: told.append((path, done, total)))
    assert ("ipam/vlans", 42, 42) in told
    assert all(0 <= done <= total for _, done, total in told)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_netbox_is_seeded_in_few_requests(version: str, tmp_path: Path) -> None:
    (tmp_path / "netbox").mkdir()
    (tmp_path / "netbox" / "options.json").write_text(f'{{"version": "{version}"}}')
    calls = []
    with in_thread(tmp_path / "netbox") as endpoint:
        client = NetBox(endpoint.url or "", credentials(tmp_path).netbox_token, patience=QUICK, on_call=calls.append)
        counts = seed(client, load_profile("example"))
        client.close()
    assert len(calls) < 70
    assert counts.created["dcim/devices"] == 206


def test_several_exchanges_share_bng_and_servers(capacity: SeededNetBox) -> None:
    resources = capacity.resources()
    site = resources.site("EAST-03")
    assert site.elements == {
        "olt": ("OLT-EAST-03",),
        "access_switch": ("ASW-EAST-03",),
        "bng": ("BNG-EAST-01",),
        "dhcp": ("DHCP-EAST-01",),
        "radius": ("RADIUS-EAST-01",),
        "acs": ("ACS-01",),
    }
    needs = [*line(1, site="EAST-03"), *line(2, site="EAST-08")]
    capacity.calls.clear()
    resources.reserve(needs)
    results = resources.reserve([*line(3, site="EAST-03"), *line(4, site="EAST-08")])
    assert values(results)[:3] == ["LC1/P1/2", "HWT2340100", "1001"]
    assert values(results)[5:8] == ["LC1/P1/2", "HWT2340101", "1001"]


def test_there_are_four_profiles() -> None:
    assert profiles() == ("bench", "capacity", "example", "two-exchanges")
