"""Audit over the wire: planted orphans, lost resources, states that disagree."""

from engine.ports import Mark
from inventory.audit import AuditReport, Known, audit
from tests.seeded_netbox import SeededNetBox, granted, line, lines


def findings(report: AuditReport) -> set[tuple[str, str, str]]:
    return {(finding.kind, finding.model, finding.mark) for finding in report.findings}


def test_a_seeded_netbox_is_clean_whatever_was_imported(netbox: SeededNetBox) -> None:
    report = audit(netbox.client(), [])
    assert report.findings == ()
    assert report.clean
    assert report.looked_at == dict.fromkeys(("dcim.interfaces", "dcim.devices", "ipam.vlans", "ipam.ip-addresses", "ipam.prefixes"), 0)


def test_orders_that_fit_are_clean_in_each_state(netbox: SeededNetBox) -> None:
    resources, client = netbox.resources(), netbox.client()
    first, second = granted(resources.reserve(line(1))), granted(resources.reserve(line(2)))
    reserved = [Known(one, "reserved") for one in (*first, *second)]
    assert audit(client, reserved).findings == ()
    resources.activate(first)  # labels the ONT of the second order as planned too
    mixed = [*(Known(one, "active") for one in first), *(Known(one, "reserved") for one in second)]
    netbox.calls.clear()
    report = audit(client, mixed)
    assert report.findings == ()
    assert report.looked_at["dcim.interfaces"] == 4
    assert [call.method for call in netbox.calls] == ["GET"] * 5


def test_resources_without_an_order(netbox: SeededNetBox) -> None:
    resources, client = netbox.resources(), netbox.client()
    given = granted(resources.reserve(lines([1, 2])))
    resources.activate(given)
    kept = [one for one in given if one.mark.order == "RO-2024-00001"]
    report = audit(client, [Known(one, "active") for one in kept])
    assert findings(report) == {("orphan", ref.model, str(one.mark)) for one in given if one not in kept for ref in one.objects}
    port = next(finding for finding in report.findings if finding.mark == "RO-2024-00002/ROI-001/port")
    assert port.name == "OLT-EAST-07 LC3/P13/1"
    assert port.url == f"{netbox.url}/dcim/interfaces/{port.id}/"
    assert port.message == "is marked for RO-2024-00002/ROI-001/port, which no order holds"


def test_a_claim_that_bears_no_mark(newest: SeededNetBox) -> None:
    client = newest.client()
    port = client.read("dcim/interfaces", {"name": "LC3/P14"})[0]
    client.create("dcim/interfaces", [{"device": port["device"]["id"], "name": "LC3/P14/1", "type": "virtual", "parent": port["id"]}])
    client.create("dcim/interfaces", [{"device": port["device"]["id"], "name": "lo0", "type": "virtual"}])  # not our business
    (finding,) = audit(client, []).findings
    assert (finding.kind, finding.name, finding.message) == ("orphan", "OLT-EAST-07 LC3/P14/1", "is taken, nobody knows by whom")


def test_orders_without_their_resources(netbox: SeededNetBox) -> None:
    resources, client = netbox.resources(), netbox.client()
    given = granted(resources.reserve(line(1)))
    resources.activate(given)
    by_name = {one.mark.name: one for one in given}
    client.delete("ipam/vlans", {by_name["vlan"].objects[0].id: "a slip"})
    client.update("ipam/ip-addresses", [{"id": by_name["ipv4"].objects[0].id, "custom_fields": {"order_item": "RO-9/ROI-9/x"}}])
    client.update("ipam/prefixes", [{"id": by_name["ipv6"].objects[0].id, "custom_fields": {"alloc_state": "reserved"}}])
    assert findings(audit(client, [Known(one, "active") for one in given])) == {
        ("missing", "ipam.vlans", "RO-2024-00001/ROI-002/vlan"),
        ("foreign", "ipam.ip-addresses", "RO-2024-00001/ROI-003/ipv4"),
        ("state", "ipam.prefixes", "RO-2024-00001/ROI-003/ipv6"),
    }
    missing = next(finding for finding in audit(client, [Known(one, "active") for one in given]).findings if finding.kind == "missing")
    assert "vid=1042" in missing.name


def test_an_activation_that_is_still_to_come(newest: SeededNetBox) -> None:
    resources, client = newest.resources(), newest.client()
    given = granted(resources.reserve(line(1)))
    report = audit(client, [Known(one, "active") for one in given])
    assert {finding.kind for finding in report.findings} == {"state", "missing"}  # missing: the ONT is not labelled yet
    resources.activate(given)
    assert audit(client, [Known(one, "active") for one in given]).clean


def test_a_mark_that_stands_on_two_objects(newest: SeededNetBox) -> None:
    needs = [need for need in line(1) if need.kind == "ipv4"]
    given = granted(newest.resources().reserve(needs))
    newest.resources().reserve(needs)
    (finding,) = audit(newest.client(), [Known(one, "reserved") for one in given]).findings
    assert (finding.kind, finding.name) == ("doubled", "10.42.17.23/24")


def test_marks_are_compared_whole(newest: SeededNetBox) -> None:
    """RO-1 is not RO-10: the custom fields are filtered exactly."""
    resources = newest.resources()
    resources.reserve(lines([1, 10]))
    again = newest.resources().reserve(line(1), again=True)
    assert set(again) == {need.mark for need in line(1)}
    assert Mark("RO-2024-00001", "ROI-002", "vlan") in again
    assert len(newest.marked()) == 10
