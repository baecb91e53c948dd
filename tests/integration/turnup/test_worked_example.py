"""The worked example from the command line to the devices: values word for word, and what every system holds at the end.

The tests of this module are one story over one lab, in the order in which they stand here.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from tests.integration.turnup.conftest import Program

FIRST, SECOND, STATIC = (f"playbooks/superfibre-{name}.yaml" for name in ("200", "200-second", "500-static"))
ALLOCATIONS = [
    ("GPON-Bearer", "OLT Port", "Physical", "OLT-EAST-07, LC3, Port 12"),
    ("GPON-Bearer", "ONT Device", "Physical", "HG8245H, S/N: HWT2340098"),
    ("VLAN-Service", "VLAN ID", "Logical", "VLAN 1042"),
    ("IP-Profile", "IPv4 Address", "Logical", "10.42.17.22"),
    ("IP-Profile", "IPv6 Prefix", "Logical", "2001:db8:42:17::/64"),
    ("QoS-Profile", "Bandwidth Policy", "Logical", "BW-200-50-RES"),
    ("TR069-Config", "ACS Profile", "Logical", "acs.example.com/device/HWT2340098"),
    ("Cloud-Controller", "Platform Registration", "Logical", "CloudWiFi device ID: CW-89012"),
]
NEXT = [
    "OLT-EAST-07, LC3, Port 13",
    "HG8245H, S/N: HWT2340099",
    "VLAN 1043",
    "10.42.17.23",
    "2001:db8:42:18::/64",
    "BW-200-50-RES",
    "acs.example.com/device/HWT2340099",
    "CloudWiFi device ID: CW-89013",
]
ITEMS = {
    "POI-001": ("PS-RBA-01", "product", [], None),
    "SOI-001": ("CFS:Internet-Access", "service", [], "POI-001"),
    "SOI-002": ("CFS:WiFi-Management", "service", [], "POI-001"),
    "SOI-003": ("CFS:CPE-Management", "service", [], "POI-001"),
    "ROI-001": ("RFS:GPON-Bearer", "resource", [], "SOI-001"),
    "ROI-002": ("RFS:VLAN-Service", "resource", ["ROI-001"], "SOI-001"),
    "ROI-003": ("RFS:IP-Profile", "resource", ["ROI-002"], "SOI-001"),
    "ROI-004": ("RFS:QoS-Profile", "resource", ["ROI-001"], "SOI-001"),
    "ROI-005": ("RFS:Cloud-Controller", "resource", ["ROI-006"], "SOI-002"),
    "ROI-006": ("RFS:TR069-Config", "resource", ["ROI-007"], "SOI-003"),
    "ROI-007": ("RFS:CPE-Provisioning", "resource", [], "SOI-003"),
}
TARGETS = {
    "OLT-EAST-07": "bbf-olt",
    "ASW-EAST-07": "bbf-switch",
    "BNG-EAST-01": "junos",
    "DHCP-EAST-01": "kea",
    "RADIUS-EAST-01": "freeradius",
    "ACS-01": "genieacs",
    "cloudwifi": "openwifi",
    "logistics": "logistics",
}


def test_a_dry_run_on_a_fresh_machine_expects_what_the_run_will_give(turnup: Program) -> None:
    done = turnup("plan", FIRST, "--json")
    assert done.code == 0, done.err
    expected = [(a["rfs"], a["resource"], a["type"], a["value"]) for a in done.document["allocations"]]
    assert expected[:7] == ALLOCATIONS[:7]
    assert {change["target"] for change in done.document["changes"]} == set(TARGETS)
    assert turnup("orders", "--json").document == {"orders": []}
    assert turnup("inventory", "audit", "--json").document["looked_at"] == dict.fromkeys(
        ["dcim.interfaces", "dcim.devices", "ipam.vlans", "ipam.ip-addresses", "ipam.prefixes"], 0
    )


def test_the_order_of_the_worked_example_word_for_word(turnup: Program) -> None:
    checksum = turnup("plan", FIRST, "--json").document["checksum"]
    done = turnup("run", FIRST, "--checksum", checksum, "--json")
    assert done.code == 0, done.out + done.err
    document = done.document
    assert {name: document["order"][name] for name in ("id", "externalId", "state")} == {
        "id": "PO-2024-00847",
        "externalId": "SF200-CUST-4821",
        "state": "completed",
    }
    assert [(order["id"], order["state"]) for order in document["orders"]] == [
        ("PO-2024-00847", "completed"),
        ("SO-2024-03291", "completed"),
        ("RO-2024-07814", "completed"),
    ]
    assert {i["id"]: (i["specification"], i["level"], i["dependsOn"], i["parent"]) for i in document["items"]} == ITEMS
    assert {item["state"] for item in document["items"]} == {"completed"}
    assert [(a["rfs"], a["resource"], a["type"], a["value"]) for a in document["allocations"]] == ALLOCATIONS
    assert [(p["id"], p["state"]) for p in document["products"]] == [("PI-BB-4821", "active")]
    assert {t["name"]: (t["platform"], t["state"], bool(t["transaction"])) for t in document["targets"]} == {
        name: (platform, "done", True) for name, platform in TARGETS.items()
    }


def test_the_services_are_active_with_their_characteristics(turnup: Program) -> None:
    services = {service["id"]: service for service in turnup("show", "PO-2024-00847", "--json").document["services"]}
    assert list(services) == ["SI-INT-4821", "SI-WIFI-4821", "SI-CPE-4821"]
    assert {service["state"] for service in services.values()} == {"active"}
    assert services["SI-INT-4821"]["characteristics"] == {"downloadSpeed": 200, "uploadSpeed": 50, "technology": "GPON"}
    assert services["SI-WIFI-4821"]["characteristics"] == {"platform": "CloudWiFi", "features": "speedTest+parental", "ssid": "SmithHome"}
    cpe = services["SI-CPE-4821"]["characteristics"]
    assert (cpe["equipmentModel"], cpe["ssid"], cpe["security"], cpe["wifiPassword"]) == ("HG8245H", "SmithHome", "WPA3", "••••••••")


def test_two_branches_and_a_day_and_a_half(turnup: Program) -> None:
    document = turnup("show", "PO-2024-00847", "--json").document
    ended = {item["id"]: item["ended"] for item in document["items"]}
    assert ended["ROI-001"] < ended["ROI-002"] < ended["ROI-003"] <= ended["SOI-001"]
    assert ended["SOI-001"] < ended["ROI-007"] <= ended["ROI-006"] < ended["ROI-005"] <= ended["SOI-002"]
    said = turnup("show", "PO-2024-00847").out
    assert "Plan: 2 branches side by side" in said
    assert "parcel LP000001 was delivered" in said
    on_the_way = datetime.fromisoformat(ended["ROI-007"]) - datetime.fromisoformat(document["order"]["created"])
    assert on_the_way >= timedelta(hours=36)  # in the lab's time


def test_the_customer_is_online_and_it_is_said_by_what_evidence(turnup: Program) -> None:
    items = {item["id"]: item for item in turnup("show", "PO-2024-00847", "--json").document["items"]}
    (online,) = [step for step in items["SOI-001"]["steps"] if step["kind"] == "online"]
    assert online["state"] == "done"
    assert online["evidence"].startswith("HWT2340098 called ACS-01 at ")


def test_every_system_holds_what_it_should(turnup: Program) -> None:
    """Asked on their control endpoints, past everything that we have written."""
    olt, switch, bng = (json.dumps(turnup.stand_in(name).state()) for name in ("OLT-EAST-07", "ASW-EAST-07", "BNG-EAST-01"))
    assert "HWTC02340098" in olt
    assert "v-ani-3.12.1" in olt
    assert "1042" in switch
    assert "BW-200-50-RES" in bng
    assert "10.42.17.22" in json.dumps(turnup.stand_in("DHCP-EAST-01").state())
    assert "2001:db8:42:17::/64" in json.dumps(turnup.stand_in("RADIUS-EAST-01").state())
    assert "SmithHome" in json.dumps(turnup.stand_in("ACS-01").state())
    assert "CW-89012" in json.dumps(turnup.stand_in("cloudwifi").state())
    (parcel,) = turnup.stand_in("logistics").state()["parcels"]
    assert parcel["status"] == "delivered"


def test_the_delivery_came_by_a_signed_webhook(turnup: Program) -> None:
    webhooks = turnup.stand_in("logistics").state()["webhooks"]
    assert "/webhooks/logistics?shipment=RO-2024-07814%2FROI-007" in webhooks[-1]["url"]
    assert [hook["state"] for hook in webhooks] == ["taken"] * len(webhooks)


def test_netbox_and_the_orders_fit(turnup: Program) -> None:
    done = turnup("inventory", "audit", "--json")
    assert done.code == 0
    assert done.document["findings"] == []
    assert done.document["looked_at"] == {
        "dcim.interfaces": 2,
        "dcim.devices": 1,
        "ipam.vlans": 1,
        "ipam.ip-addresses": 1,
        "ipam.prefixes": 1,
    }


def test_running_it_again_does_not_order_twice(turnup: Program) -> None:
    before = _held(turnup)
    done = turnup("run", FIRST)
    assert done.code == 0
    assert "was ordered before, nothing is ordered twice" in done.out
    assert len(turnup("orders", "--json").document["orders"]) == 1
    assert _held(turnup) == before


def test_the_lab_may_go_down_and_come_back_between_orders(turnup: Program) -> None:
    assert turnup("lab", "down").code == 0
    assert turnup("orders", "--json").document["orders"][0]["state"] == "completed"
    assert turnup("show", "SF200-CUST-4821").code == 0
    assert {one["state"] for one in turnup("lab", "status", "--json").document["standIns"]} == {"down"}


def test_the_next_customer_gets_the_next_of_each(turnup: Program) -> None:
    done = turnup("run", SECOND, "--json")
    assert done.code == 0, done.out + done.err
    assert [line["value"] for line in done.document["allocations"]] == NEXT
    assert [order["id"] for order in done.document["orders"]] == ["PO-2024-00848", "SO-2024-03292", "RO-2024-07815"]
    assert [service["id"] for service in done.document["services"]] == ["SI-INT-4822", "SI-WIFI-4822", "SI-CPE-4822"]


def test_what_both_share_was_sent_once(turnup: Program) -> None:
    """The QoS policy of the first is the second's too: its transactions do not repeat it."""
    first, second = (_sent(turnup, order) for order in ("PO-2024-00847", "PO-2024-00848"))
    assert "BW-200-50-RES-DOWN" in first["BNG-EAST-01"]
    assert "bandwidth-limit" in first["BNG-EAST-01"]
    assert "bandwidth-limit" not in second["BNG-EAST-01"]


def test_an_offering_that_is_yaml_alone_has_its_static_address(turnup: Program) -> None:
    done = turnup("run", STATIC, "--json")
    assert done.code == 0, done.out + done.err
    values = {line["resource"]: line["value"] for line in done.document["allocations"]}
    assert (values["OLT Port"], values["IPv4 Address"]) == ("OLT-EAST-07, LC3, Port 14", "203.0.113.2")
    assert values["Bandwidth Policy"] == "BW-500-100-RES"
    assert "SI-SIP-4823" in [service["id"] for service in done.document["services"]]


def test_seeding_again_changes_nothing(turnup: Program) -> None:
    done = turnup("inventory", "seed", "--json")
    assert done.code == 0, done.err
    assert [sum(done.document[what].values()) for what in ("created", "updated")] == [0, 0]
    assert sum(done.document["unchanged"].values()) > 300


def test_no_secret_is_in_the_log_the_database_or_on_the_screen(turnup: Program) -> None:
    items = turnup.stand_in("logistics").state()["parcels"]
    found = {value for parcel in items for name, value in _named_values(parcel) if name == "wifiPassword"}
    assert len(found) == 3
    texts = [turnup("show", f"PO-2024-0084{n}").out for n in (7, 8, 9)]
    texts += [path.read_bytes().decode("latin-1") for path in turnup.home.iterdir() if path.is_file()]
    assert not [secret for secret in found for text in texts if secret in text]


def _held(turnup: Program) -> dict[str, int]:
    looked_at: dict[str, int] = turnup("inventory", "audit", "--json").document["looked_at"]
    return looked_at


def _sent(turnup: Program, order: str) -> dict[str, str]:
    return {t["target"]: t["sent"] for t in turnup("show", order, "--json").document["transactions"]}


def _named_values(value: Any) -> list[tuple[str, str]]:
    """All name/value pairs anywhere in a TM Forum document."""
    if isinstance(value, dict):
        own = [(value["name"], str(value["value"]))] if {"name", "value"} <= set(value) else []
        return own + [pair for part in value.values() for pair in _named_values(part)]
    return [pair for part in value for pair in _named_values(part)] if isinstance(value, list) else []
