"""What was given back and may not be given out yet."""

from datetime import UTC, datetime
from typing import Any

from engine.ports import Allocation
from inventory.audit import Known, audit
from tests.seeded_netbox import SeededNetBox, granted, line, lines, values

UNTIL = datetime(2024, 3, 12, 9, tzinfo=UTC)


def fields(netbox: SeededNetBox, allocation: Allocation) -> list[dict[str, Any]]:
    """The custom fields of the objects of an allocation."""
    names = {"dcim.interfaces": "dcim.interface", "dcim.devices": "dcim.device", "ipam.vlans": "ipam.vlan", "ipam.prefixes": "ipam.prefix"}
    found = [netbox.row(names.get(ref.model, "ipam.ipaddress"), ref.id) for ref in allocation.objects]
    return [row["custom_fields"] for row in found if row is not None]


def test_it_is_nobodys_and_not_given_out_until_it_has_ended(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    first = granted(resources.reserve(line(1)))
    resources.activate(first)
    resources.release(first, until=UNTIL)
    found = [one for allocation in first for one in fields(netbox, allocation)]
    assert {one["alloc_state"] for one in found} == {"quarantine"}
    assert {one["reserved_until"][:19] for one in found} == {"2024-03-12T09:00:00"}
    second = values(resources.reserve(line(2)))
    resources.release(first)
    assert not [mark for _, mark in netbox.marked() if mark.startswith("RO-2024-00001/")]
    third = values(resources.reserve(line(3)))
    assert not set(second) & set(third)
    assert third == values({one.mark: one for one in first})


def test_twice_is_once(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    given = granted(resources.reserve(line(1)))
    resources.release(given, until=UNTIL)
    netbox.calls.clear()
    resources.release(given, until=UNTIL)
    assert {call.method for call in netbox.calls} == {"GET"}
    resources.release(given)
    resources.release(given, until=UNTIL)  # what is gone is gone
    assert netbox.marked() == []


def test_the_audit_knows_it(netbox: SeededNetBox) -> None:
    resources, client = netbox.resources(), netbox.client()
    given = granted(resources.reserve(lines([1, 2])))
    resources.activate(given)
    first = [one for one in given if one.mark.order == "RO-2024-00001"]
    resources.release(first, until=UNTIL)
    known = [Known(one, "quarantine" if one in first else "active") for one in given]
    assert audit(client, known).findings == ()
    found = audit(client, [one for one in known if one.state == "active"]).findings
    assert {(one.kind, one.mark) for one in found} == {("orphan", str(one.mark)) for one in first}


def test_what_people_put_into_quarantine_is_not_our_business(newest: SeededNetBox) -> None:
    client = newest.client()
    vlan = client.read("ipam/vlans")[0]["id"]
    router = client.read("dcim/devices", {"role": "ont", "status": "inventory"})[0]["id"]
    for path, key in (("ipam/vlans", vlan), ("dcim/devices", router)):
        client.update(path, [{"id": key, "custom_fields": {"alloc_state": "quarantine"}, "tags": []}])
    assert audit(client, []).clean
