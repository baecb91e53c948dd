"""Reserving over the wire: which resources, how many requests, never twice, all or nothing."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.errors import InventoryIncomplete, InventoryUnreachable
from engine.ports import Allocation, Mark, Need, ObjectRef
from tests.seeded_netbox import SeededNetBox, granted, line, lines, short, values

FIRST = ["LC3/P12/1", "HWT2340098", "1042", "10.42.17.22", "2001:db8:42:17::/64"]
SECOND = ["LC3/P13/1", "HWT2340099", "1043", "10.42.17.23", "2001:db8:42:18::/64"]


def test_the_first_order_gets_the_worked_examples_resources(netbox: SeededNetBox) -> None:
    given = {found.mark.name: found for found in granted(netbox.resources().reserve(line()))}

    assert given["port"].attributes == {
        "device": "OLT-EAST-07",
        "name": "LC3/P12",
        "slot": 3,
        "port": 12,
        "onu": 1,
        "slug": "3.12",
        "onu_slug": "3.12.1",
    }
    assert given["ont"].attributes == {
        "model": "HG8245H",
        "serial": "HWT2340098",
        "pon_serial": "HWTC02340098",
        "mac": "48:57:54:34:00:98",
        "asset_tag": "HWT2340098",
        "oui": "00259E",
    }
    assert given["vlan"].attributes == {"vid": 1042, "name": "RO-2024-07814/ROI-002/vlan", "group": "EAST-07-RES"}
    assert given["ipv4"].attributes == {
        "address": "10.42.17.22",
        "prefix_length": 24,
        "subnet": "10.42.17.0/24",
        "gateway": "10.42.17.1",
        "subnet_id": 42,
        "pool": "EAST-RES",
    }
    assert given["ipv6"].attributes == {"prefix": "2001:db8:42:17::/64", "pool": "EAST-RES-V6", "subnet_id": 42}


def test_the_second_order_gets_the_next_of_each(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    assert values(resources.reserve(line(7814))) == FIRST
    assert values(resources.reserve(line(7815))) == SECOND
    assert values(netbox.resources().reserve(line(7816)))[0] == "LC3/P14/1"  # another process


def test_every_object_says_whose_it_is(netbox: SeededNetBox) -> None:
    given = granted(netbox.resources().reserve(line()))
    labels = {
        "dcim.interfaces": "dcim.interface",
        "ipam.vlans": "ipam.vlan",
        "ipam.ip-addresses": "ipam.ipaddress",
        "ipam.prefixes": "ipam.prefix",
    }
    for allocation in given:
        row = netbox.row(labels[allocation.objects[0].model], allocation.objects[0].id)
        assert row is not None
        fields = row["custom_fields"]
        assert {name: fields[name] for name in ("order_id", "order_item", "service_id", "alloc_state")} == {
            "order_id": "RO-2024-07814",
            "order_item": str(allocation.mark),
            "service_id": "SI-INT-7814",
            "alloc_state": "reserved",
        }
        assert row.get("status", "reserved") == "reserved"
    changes = netbox.client().read("core/object-changes")
    messages = {
        change["message"] for change in changes if change["action"]["value"] == "create" and change["message"].startswith("turnup: ")
    }
    assert {f"turnup: claimed for {mark}" for mark in ("RO-2024-07814/ROI-001/port", "RO-2024-07814/ROI-001/ont")} <= messages
    assert "turnup: reserved for RO-2024-07814/ROI-002/vlan" in messages


def test_a_lone_order_takes_five_requests_and_the_first_of_a_process_eight(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    resources.site("EAST-07")  # asked when the order is accepted
    counts = []
    for number in range(7814, 7819):
        netbox.calls.clear()
        resources.reserve(line(number))
        counts.append(len(netbox.calls))
    assert counts == [8, 5, 5, 5, 5]


def test_a_batch_of_ten_orders_takes_no_more_requests_than_one(bench: SeededNetBox) -> None:
    netbox, resources = bench, bench.resources()
    resources.reserve(line(1))
    netbox.calls.clear()
    results = resources.reserve(lines(range(2, 12)))
    assert len(netbox.calls) == 5
    assert len(granted(results)) == 50
    assert [found.attributes["onu_slug"] for found in granted(results) if found.kind == "olt-port"] == [
        f"1.1.{onu}" for onu in range(2, 12)
    ]
    assert [found.attributes["vid"] for found in granted(results) if found.kind == "vlan"] == list(range(3, 13))


def test_a_batch_larger_than_a_bulk_request(bench: SeededNetBox) -> None:
    resources = bench.resources()
    results = resources.reserve(lines(range(1, 131)))
    assert Counter(found.kind for found in granted(results)) == dict.fromkeys(("olt-port", "stock", "vlan", "ipv4", "ipv6-prefix"), 130)
    assert len(set(values(results))) == 650
    assert [found.attributes["onu_slug"] for found in granted(results) if found.kind == "olt-port"][63:66] == ["1.1.64", "1.2.1", "1.2.2"]


def test_threads_and_processes_never_get_the_same(bench: SeededNetBox) -> None:
    shared = bench.resources()  # threads of one process, and others that know nothing of each other
    workers = [shared, shared, shared, *(bench.resources() for _ in range(3))]
    barrier = threading.Barrier(len(workers))

    def work(position: int) -> list[Allocation]:
        barrier.wait()
        return [found for number in range(5) for found in granted(workers[position].reserve(line(100 * position + number)))]

    with ThreadPoolExecutor(len(workers)) as pool:
        given = [allocation for part in pool.map(work, range(len(workers))) for allocation in part]
    assert Counter(allocation.kind for allocation in given) == dict.fromkeys(("olt-port", "stock", "vlan", "ipv4", "ipv6-prefix"), 30)
    held = [(allocation.kind, *sorted(allocation.attributes.items())) for allocation in given if allocation.kind != "vlan"]
    assert len(set(held)) == len(held)
    assert len({allocation.attributes["vid"] for allocation in given if allocation.kind == "vlan"}) == 30
    assert len(bench.marked()) == len(given)


def test_the_last_ports_go_to_the_first_orders_and_the_others_keep_nothing_but_their_ont(newest: SeededNetBox) -> None:
    resources = newest.resources()
    results = resources.reserve(lines(range(7814, 7821)))  # five ports are free
    by_order = {
        number: [values({mark: found})[0] for mark, found in results.items() if mark.order.endswith(str(number))]
        for number in range(7814, 7821)
    }
    assert by_order[7818] == ["LC3/P16/1", "HWT2340102", "1046", "10.42.17.26", "2001:db8:42:1b::/64"]
    assert by_order[7819] == ["-olt-port:EAST-07", "HWT2340103", "(olt-port:EAST-07", "(olt-port:EAST-07", "(olt-port:EAST-07"]
    assert len(newest.marked()) == 5 * 5 + 2
    shortage = short(results)[0]
    assert shortage.message == "no free port on the OLTs of EAST-07 (48 ports: 43 in use or closed, 5 full)"


def test_ports_appear_and_the_waiting_order_gets_one(newest: SeededNetBox) -> None:
    resources = newest.resources()
    results = resources.reserve(lines(range(7814, 7820)))
    missing = [need for need in line(7819) if need.mark in {one.mark for one in short(results)}]
    assert values(resources.reserve(missing)) == ["-olt-port:EAST-07", *["(olt-port:EAST-07"] * 3]

    client = newest.client()
    olt = client.read("dcim/devices", {"name": "OLT-EAST-07"})[0]["id"]
    bay = next(row["id"] for row in client.read("dcim/module-bays", {"device_id": olt}) if row["name"] == "LC4")
    card = client.read("dcim/module-types", {"model": "GPHF-16"})[0]["id"]
    client.create("dcim/modules", [{"device": olt, "module_bay": bay, "module_type": card, "status": "active"}])

    assert values(resources.reserve(missing)) == ["LC4/P1/1", "1047", "10.42.17.27", "2001:db8:42:1c::/64"]


def test_a_new_olt_is_found_when_the_others_are_full(newest: SeededNetBox) -> None:
    resources = newest.resources()
    resources.reserve(lines(range(7814, 7819)))
    client = newest.client()
    old = client.read("dcim/devices", {"name": "OLT-EAST-07"})[0]
    body = {name: old[name]["id"] for name in ("device_type", "role", "platform", "site")}
    new = client.create("dcim/devices", [{**body, "name": "OLT-EAST-07-B", "status": "active"}])[0]
    client.create("dcim/interfaces", [{"device": new["id"], "name": "gpon-0/1/2", "type": "gpon"}])

    found = granted(resources.reserve([line(7819)[0]]))[0]
    assert found.attributes == {
        "device": "OLT-EAST-07-B",
        "name": "gpon-0/1/2",
        "slot": 1,
        "port": 2,
        "onu": 1,
        "slug": "0.1.2",
        "onu_slug": "0.1.2.1",
    }


def test_several_olts_are_used_evenly(newest: SeededNetBox) -> None:
    client = newest.client()
    old = client.read("dcim/devices", {"name": "OLT-EAST-07"})[0]
    body = {name: old[name]["id"] for name in ("device_type", "role", "platform", "site")}
    new = client.create("dcim/devices", [{**body, "name": "OLT-EAST-07-B", "status": "active"}])[0]
    client.create("dcim/interfaces", [{"device": new["id"], "name": f"LC1/P{port}", "type": "gpon"} for port in range(1, 6)])

    found = granted(newest.resources().reserve([line(number)[0] for number in range(1, 7)]))
    assert [(one.attributes["device"], one.attributes["name"]) for one in found] == [
        ("OLT-EAST-07", "LC3/P12"),
        ("OLT-EAST-07-B", "LC1/P1"),
        ("OLT-EAST-07", "LC3/P13"),
        ("OLT-EAST-07-B", "LC1/P2"),
        ("OLT-EAST-07", "LC3/P14"),
        ("OLT-EAST-07-B", "LC1/P3"),
    ]


@pytest.mark.parametrize(
    "mark",
    [
        {"enabled": False},
        {"mark_connected": True},
        {"custom_fields": {"alloc_state": "quarantine"}},
        {"custom_fields": {"alloc_state": "active"}},
        {"tags": [{"slug": "quarantine"}]},
    ],
)
def test_a_port_that_was_marked_meanwhile_is_passed_over(newest: SeededNetBox, mark: dict[str, object]) -> None:
    resources = newest.resources()
    resources.reserve(line(7814))
    client = newest.client()
    port = client.read("dcim/interfaces", {"name": "LC3/P13"})[0]["id"]
    client.update("dcim/interfaces", [{"id": port, **mark}])
    assert values(resources.reserve(line(7815)))[0] == "LC3/P14/1"
    assert values(newest.resources().reserve(line(7816)))[0] == "LC3/P15/1"


def test_an_ont_that_left_the_stock_meanwhile_is_passed_over(newest: SeededNetBox) -> None:
    resources = newest.resources()
    resources.reserve(line(7814))
    client = newest.client()
    ont = client.read("dcim/devices", {"asset_tag": "HWT2340099"})[0]["id"]
    client.update("dcim/devices", [{"id": ont, "status": "failed"}])
    assert values(resources.reserve(line(7815)))[1] == "HWT2340100"


def test_an_ont_that_was_deleted_meanwhile_costs_one_more_attempt(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    resources.reserve(line(7814))
    client = netbox.client()
    ont = client.read("dcim/devices", {"asset_tag": "HWT2340099"})[0]["id"]
    client.delete("dcim/devices", {ont: "scrapped"})
    with pytest.raises(InventoryUnreachable):  # may be retried: what was known is forgotten
        resources.reserve(line(7815))
    assert values(resources.reserve(line(7815), again=True))[1] == "HWT2340100"


def test_a_claim_that_another_made_by_hand_counts(newest: SeededNetBox) -> None:
    resources = newest.resources()
    resources.reserve(line(7814))
    client = newest.client()
    port = client.read("dcim/interfaces", {"name": "LC3/P13"})[0]
    client.create("dcim/interfaces", [{"device": port["device"]["id"], "name": "LC3/P13/svc", "type": "virtual", "parent": port["id"]}])
    assert values(resources.reserve(line(7815)))[0] == "LC3/P14/1"


def test_exhaustion_of_each_pool_names_the_pool(netbox: SeededNetBox) -> None:
    client, resources = netbox.client(), netbox.resources()
    group = client.read("ipam/vlan-groups", {"name": "EAST-07-RES"})[0]["id"]
    client.update("ipam/vlan-groups", [{"id": group, "vid_ranges": [[1000, 1043]]}])  # two are left
    results = resources.reserve(lines([1, 2, 3]))
    assert [one.attributes["vid"] for one in granted(results) if one.kind == "vlan"] == [1042, 1043]
    third = {found.mark.name: found for found in results.values() if found.mark.order == "RO-2024-00003"}
    assert values({found.mark: found for found in third.values()}) == [
        "LC3/P14/1",
        "HWT2340100",
        "-vlan:EAST-07-RES",
        *["(vlan:EAST-07-RES"] * 2,
    ]

    client.create("ipam/prefixes", [{"prefix": "2001:db8:ffff::/63", "status": "container", "description": "TINY-V6"}])
    needs = [Need(Mark(f"RO-{n}", "ROI-1", "prefix"), "ipv6-prefix", {"prefix": "TINY-V6"}, "SI-1") for n in range(3)]
    assert (
        values(resources.expected(needs))
        == values(resources.reserve(needs))
        == ["2001:db8:ffff::/64", "2001:db8:ffff:1::/64", "-ipv6-prefix:TINY-V6"]
    )


def test_half_of_a_batch_finds_its_addresses(newest: SeededNetBox) -> None:
    client, resources = newest.client(), newest.resources()
    client.create("ipam/prefixes", [{"prefix": "198.51.100.0/29", "status": "active", "description": "TINY"}])  # .1 to .6
    needs = [Need(Mark(f"RO-{n}", "ROI-1", "ip"), "ipv4", {"prefix": "TINY"}, "SI-1") for n in range(9)]
    assert values(resources.reserve(needs)) == [*(f"198.51.100.{host}" for host in range(1, 7)), *["-ipv4:TINY"] * 3]
    client.create(
        "ipam/prefixes", [{"prefix": "198.51.100.64/29", "status": "active", "description": "TINY"}]
    )  # the pool grows by a prefix
    found = resources.reserve(needs[6:])
    assert values(found) == [f"198.51.100.{host}" for host in range(65, 68)]
    assert granted(found)[0].attributes["subnet"] == "198.51.100.64/29"


def test_stock_runs_out(newest: SeededNetBox) -> None:
    client, resources = newest.client(), newest.resources()
    onts = [row["id"] for row in client.read("dcim/devices", {"role": "ont"})]
    client.update("dcim/devices", [{"id": key, "status": "offline"} for key in onts[2:]])
    results = resources.reserve(lines([1, 2, 3]))
    assert values(results)[10:] == ["LC3/P14/1", "-stock:HG8245H", "1044", "10.42.17.24", "2001:db8:42:19::/64"]
    client.update("dcim/devices", [{"id": onts[7], "status": "inventory"}])
    assert values(resources.reserve([line(3)[1]])) == ["HWT2340105"]


def test_what_requires_an_unmet_need_is_given_back(newest: SeededNetBox) -> None:
    port, vlan, address, *_ = (Mark("RO-1", "ROI-1", name) for name in ("port", "vlan", "ipv4"))
    needs = [
        Need(port, "olt-port", {"site": "EAST-07"}, "SI-1", frozenset({address})),
        Need(vlan, "vlan", {"group": "EAST-07-RES"}, "SI-1", frozenset({port})),
        Need(address, "ipv4", {"prefix": "FULL"}, "SI-1"),
    ]
    client, resources = newest.client(), newest.resources()
    client.create("ipam/prefixes", [{"prefix": "198.51.100.0/30", "status": "active", "description": "FULL"}])
    client.create("ipam/ip-addresses", [{"address": f"198.51.100.{host}/30"} for host in (1, 2)])
    assert values(resources.reserve(needs)) == ["(ipv4:FULL", "(ipv4:FULL", "-ipv4:FULL"]
    assert newest.marked() == []
    assert values(resources.reserve(line(7814))) == FIRST  # nothing was lost


def test_what_was_released_is_given_again(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    first, second = granted(resources.reserve(line(7814))), granted(resources.reserve(line(7815)))
    resources.release(first)
    resources.release(first)  # what is gone is gone
    assert {mark for _, mark in netbox.marked()} == {str(one.mark) for one in second}
    assert values(resources.reserve(line(7816))) == FIRST


def test_release_leaves_what_is_somebody_elses_by_now(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    first = granted(resources.reserve(line(7814)))
    other = line(9)
    second = granted(resources.reserve(other))
    stale = [Allocation(one.mark, one.kind, one.service, one.attributes, two.objects) for one, two in zip(first, second, strict=True)]
    resources.release(stale)  # ids as they may be after a restore: they belong to another order
    assert len(netbox.marked()) == len(first) + len(second)
    foreign = Allocation(Mark("RO-X", "ROI-1", "x"), "ipv4", "", {}, (ObjectRef("ipam.ip-addresses", 1),))
    resources.release([foreign])
    assert netbox.row("ipam.ipaddress", 1) is not None


def test_activation_puts_everything_in_use_and_ships_the_ont(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    given = granted(resources.reserve(line()))
    port, ont, *rest = given
    resources.activate([port])
    device = netbox.row("dcim.device", ont.objects[1].id)
    assert device is not None
    assert (device["status"], device["custom_fields"]["order_item"]) == ("planned", "RO-2024-07814/ROI-001/ont")

    resources.activate(given)
    state = netbox.remote.state()
    marked = [row for rows in state.values() for row in rows if (row.get("custom_fields") or {}).get("order_id") == "RO-2024-07814"]
    assert len(marked) == 6
    assert {row["custom_fields"]["alloc_state"] for row in marked} == {"active"}
    assert {row["status"] for row in marked if "status" in row} == {"active"}
    device = netbox.row("dcim.device", ont.objects[1].id)
    assert device is not None
    assert device["custom_fields"]["shipped"] is True

    netbox.calls.clear()
    resources.activate(given)  # again: only reads
    assert {call.method for call in netbox.calls} == {"GET"}
    assert rest


def test_activation_tells_what_is_missing_and_does_the_others(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    given = granted(resources.reserve(line()))
    vlan = next(one for one in given if one.kind == "vlan")
    netbox.client().delete("ipam/vlans", {vlan.objects[0].id: "a slip"})
    with pytest.raises(InventoryIncomplete, match="RO-2024-07814/ROI-002/vlan"):
        resources.activate(given)
    assert {row["custom_fields"]["alloc_state"] for row in netbox.rows("ipam.ipaddress") if row["custom_fields"].get("order_item")} == {
        "active"
    }


def test_an_ont_goes_back_to_stock_and_out_again(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    given = granted(resources.reserve(line()))
    resources.activate(given)
    resources.release(given)
    device = netbox.row("dcim.device", given[1].objects[1].id)
    assert device is not None
    assert device["status"] == "inventory"
    fields = device["custom_fields"]
    assert [fields.get(name) for name in ("alloc_state", "order_id", "order_item", "service_id", "shipped")] == [
        "free",
        None,
        None,
        None,
        False,
    ]
    assert netbox.marked() == []
    assert values(netbox.resources().reserve(line(7815))) == FIRST


def test_expected_is_what_reserve_then_gives_and_takes_nothing(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    netbox.calls.clear()
    expected = resources.expected(lines([1, 2]))
    assert {call.method for call in netbox.calls} == {"GET"}
    assert all(allocation.objects == () for allocation in granted(expected))
    assert netbox.marked() == []
    assert values(expected) == values(resources.reserve(lines([1, 2])))


def test_the_static_address_comes_from_its_own_pool(newest: SeededNetBox) -> None:
    found = {one.mark.name: one for one in granted(newest.resources().reserve(line(ipv4="EAST-STATIC")))}
    assert found["ipv4"].attributes == {
        "address": "203.0.113.2",
        "prefix_length": 24,
        "subnet": "203.0.113.0/24",
        "gateway": "203.0.113.1",
        "subnet_id": 43,
        "pool": "EAST-STATIC",
    }


def test_a_role_that_netbox_lacks_is_said(newest: SeededNetBox) -> None:
    client = newest.client()
    role = client.read("dcim/device-roles", {"slug": "ont"})[0]["id"]
    client.update("dcim/device-roles", [{"id": role, "slug": "cpe"}])
    with pytest.raises(InventoryIncomplete, match="ont is not one of the available choices"):
        newest.resources().reserve(line())


def test_an_ont_type_whose_slug_is_not_its_model(newest: SeededNetBox) -> None:
    client, resources = newest.client(), newest.resources()
    kind = client.read("dcim/device-types", {"model": "HG8245H"})[0]["id"]
    client.update("dcim/device-types", [{"id": kind, "slug": "huawei-hg8245h"}])
    assert values(resources.reserve(line())) == FIRST
    newest.calls.clear()
    resources.reserve(line(2))
    assert len(newest.calls) == 5


@pytest.mark.parametrize(
    ("need", "words"),
    [
        (Need(Mark("RO-1", "I", "n"), "vlan", {"group": "NOWHERE"}, ""), "VLAN group 'NOWHERE'"),
        (Need(Mark("RO-1", "I", "n"), "ipv4", {"prefix": "NOWHERE"}, ""), "IPv4 prefix 'NOWHERE'"),
        (Need(Mark("RO-1", "I", "n"), "ipv4", {"prefix": "EAST-RES-V6"}, ""), "IPv4 prefix 'EAST-RES-V6'"),
        (Need(Mark("RO-1", "I", "n"), "ipv6-prefix", {"prefix": "EAST-RES-V6", "length": "sixty"}, ""), "no number of bits"),
        (Need(Mark("RO-1", "I", "n"), "olt-port", {"site": "NOWHERE"}, ""), "site 'NOWHERE'"),
        (Need(Mark("RO-1", "I", "n"), "stock", {"model": "NOTHING"}, ""), "device type 'NOTHING'"),
        (Need(Mark("RO-1", "I", "n"), "stock", {"model": "HG8245H", "site": "NOWHERE"}, ""), "site 'NOWHERE'"),
        (Need(Mark("RO-1", "I", "n"), "olt-port", {}, ""), "names its pool by 'site'"),
        (Need(Mark("RO-1", "I", "n"), "fibre", {}, ""), "no kind of resource 'fibre'"),
    ],
)
def test_what_the_catalogue_names_and_netbox_has_not_is_said_and_nothing_is_kept(newest: SeededNetBox, need: Need, words: str) -> None:
    with pytest.raises(InventoryIncomplete, match=words):
        newest.resources().reserve([*line(), need])
    assert newest.marked() == []
