"""Whether devices and systems do for each line what it must be: its speed, address, network name and registration, as they hold it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.findings import Finding, Kind
from tests.chaos.lines import GIVEN, Line
from tests.chaos.observed import Observed, Row


def check_network(lines: Mapping[str, Line | None], seen: Observed) -> Iterator[Finding]:
    """What the network does for each line, by the values that only it must have."""
    for product, line in lines.items():
        if line is not None:
            for what, held, wanted in _facts(product, line, seen):
                if held != wanted:
                    yield Finding(Kind.DIFFERENCE, f"{product}: {what} is {held}, it should be {wanted}")


def _facts(product: str, line: Line, seen: Observed) -> Iterator[tuple[str, Any, Any]]:
    """What is looked at, what is held, what should be."""
    mine = [row for row in seen.tables["allocations"] if row["subscription"] == product and row["state"] in GIVEN]
    has, asked = ({row["name"]: row[column] for row in mine} for column in ("attributes", "asked"))
    if len(has) < 5:
        return  # is said elsewhere
    service, vid, slug = mine[0]["service"], has["vlan"]["vid"], has["port"]["onu_slug"]
    olt, bng = dict(seen.devices["OLT-EAST-07"]), dict(seen.devices["BNG-EAST-01"])
    up, unit = f"{line.policy}-UP", f"interfaces ge-0/0/1 unit {vid}"
    yield "serial number on the OLT", _value(olt, f"[name='v-ani-{slug}']", "expected-serial-number"), {has["ont"]["pon_serial"]}
    yield "policy on the OLT", _value(olt, f"[name='olt-v-enet-{slug}.{vid}']", "ingress-qos-policy-profile"), {up}
    yield "policy on the BNG", _value(bng, f"{unit} family inet policer", "input"), {up}
    radius = _documents(seen, "RADIUS-EAST-01")
    yield "group in RADIUS", {key.split("/")[2] for key in radius if key.startswith(f"radusergroup/{service}/")}, {line.policy}
    yield "address in RADIUS", radius.get(f"radreply/{service}/Framed-IP-Address", {}).get("value"), has["ipv4"]["address"]
    leases = [row for key, row in _documents(seen, "DHCP-EAST-01").items() if key.startswith("reservation4/")]
    mac = str(has["ont"]["mac"]).lower()
    yield "address in DHCP", {row["ip-address"] for row in leases if row["hw-address"].lower() == mac}, {has["ipv4"]["address"]}
    yield "pool of the address", asked["ipv4"]["prefix"].endswith("-STATIC"), line.static
    preset = _documents(seen, "ACS-01").get(f"preset/{has['ont']['serial']}")
    yield "network name in the ACS", preset and preset["configurations"][0]["args"][2], line.ssid
    registered = _documents(seen, "cloudwifi").get(f"inventory/{mac.replace(':', '')}")
    yield "registration of the router", registered is not None, line.wifi
    if registered is not None:
        yield "network name in the app", registered["description"].rpartition("SSID ")[2], line.ssid


def _documents(seen: Observed, name: str) -> dict[str, Row]:
    return dict(seen.documents[name])


def _value(statements: Mapping[tuple[str, str], int], within: str, leaf: str) -> set[str]:
    return {value for path, value in statements if within in path and path.rpartition("/")[2].rpartition(":")[2].split(" ")[-1] == leaf}
