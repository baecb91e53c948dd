"""The catalogue says what the worked example says: items, numbers, dependencies, values, allocations."""

from __future__ import annotations

from typing import Any

import pytest

from engine import expressions
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.characteristics import offered
from engine.decomposition import Line, decompose
from engine.states import Level

FACTS = {"customer": {"name": "Jane Smith", "number": "4821"}, "address": {}, "exchange": {"name": "EAST-07"}}
ALLOCATIONS = {
    "port": {"device": "OLT-EAST-07", "slot": 3, "port": 12},
    "ont": {"model": "HG8245H", "serial": "HWT2340098"},
    "vlan": {"vid": 1042},
    "ipv4": {"address": "10.42.17.22"},
    "ipv6": {"prefix": "2001:db8:42:17::/64"},
}


def order(catalogue: Catalogue, offering: str, **given: Any) -> tuple[dict[str, Line], dict[str, Line]]:
    """Service and resource order items of an order by number."""
    offer = catalogue.offering(offering)
    product = catalogue.validate_characteristics(
        catalogue.product(offer.specification), offered(offer, {"wifiPassword": "correct horse", **given}), FACTS
    )
    context = {**FACTS, "p": product}
    services = decompose(catalogue, Level.PRODUCT, [("POI-001", Line(offer.specification, product))], context)
    return dict(services), dict(decompose(catalogue, Level.SERVICE, services, context))


def shown(line: Line, *hidden: str) -> dict[str, object]:
    return {name: value for name, value in line.characteristics.items() if name not in hidden}


def test_superfibre_200_is_three_services(catalogue: Catalogue) -> None:
    services, _ = order(catalogue, "PO-SF200H")
    assert {name: (line.specification, shown(line, "ssid", "security", "wifiPassword")) for name, line in services.items()} == {
        "SOI-001": ("CFS:Internet-Access", {"downloadSpeed": 200, "uploadSpeed": 50, "technology": "GPON", "suspended": None}),
        "SOI-002": ("CFS:WiFi-Management", {"platform": "CloudWiFi", "features": "speedTest+parental"}),
        "SOI-003": ("CFS:CPE-Management", {"equipmentModel": "HG8245H", "delivery": "shipToCustomer"}),
    }


def test_and_seven_resources_with_the_example_s_numbers_owners_and_dependencies(catalogue: Catalogue) -> None:
    _, resources = order(catalogue, "PO-SF200H")
    numbers = {line.specification: name for name, line in resources.items()}
    assert {
        name: (line.specification, line.serves, [numbers[d] for d in catalogue.resource(line.specification).depends_on])
        for name, line in resources.items()
    } == {
        "ROI-001": ("RFS:GPON-Bearer", ("SOI-001",), []),
        "ROI-002": ("RFS:VLAN-Service", ("SOI-001",), ["ROI-001"]),
        "ROI-003": ("RFS:IP-Profile", ("SOI-001",), ["ROI-002"]),
        "ROI-004": ("RFS:QoS-Profile", ("SOI-001",), ["ROI-001"]),
        "ROI-005": ("RFS:Cloud-Controller", ("SOI-002",), ["ROI-006"]),
        "ROI-006": ("RFS:TR069-Config", ("SOI-003",), ["ROI-007"]),
        "ROI-007": ("RFS:CPE-Provisioning", ("SOI-003",), []),
    }


@pytest.mark.parametrize(
    ("item", "characteristics"),
    [
        ("ROI-001", {"bearerSpeed": "1G", "oltArea": "EAST-07", "ontModel": "HG8245H"}),
        ("ROI-002", {"vlanType": "c-tag", "serviceType": "internet"}),
        ("ROI-003", {"ipVersion": "dualStack", "dhcpPool": "EAST-RES", "prefixPool": "EAST-RES-V6", "radiusPassword": None}),
        ("ROI-004", {"download": "200M", "upload": "50M", "class": "residential"}),
        ("ROI-005", {"platform": "CloudWiFi", "features": "speedTest+parental", "ssid": "SmithHome"}),
        (
            "ROI-006",
            {
                "template": "residential-gpon",
                "firmware": "v3.2",
                "ssid": "SmithHome",
                "security": "WPA3",
                "wifiPassword": "correct horse",
                "acsAddress": "acs.example.com",
            },
        ),
        (
            "ROI-007",
            {
                "equipmentModel": "HG8245H",
                "delivery": "shipToCustomer",
                "ssid": "SmithHome",
                "security": "WPA3",
                "wifiPassword": "correct horse",
            },
        ),
    ],
)
def test_characteristics_of_the_items(catalogue: Catalogue, item: str, characteristics: dict[str, object]) -> None:
    _, resources = order(catalogue, "PO-SF200H")
    assert resources[item].characteristics == characteristics


def test_the_allocation_table_word_for_word(catalogue: Catalogue) -> None:
    _, resources = order(catalogue, "PO-SF200H")
    table = []
    for name in ("ROI-001", "ROI-002", "ROI-003", "ROI-004", "ROI-006", "ROI-005", "ROI-007"):
        line = resources[name]
        found = catalogue.resource(line.specification)
        match = {key: expressions.render(text, {"c": line.characteristics}) for key, text in found.policy.items()}
        context = {
            **ALLOCATIONS,
            "c": line.characteristics,
            "learned": {"id": "CW-89012"},
            "policy": catalogue.policy_for(match).model_dump() if match else None,
        }
        table += [(found.name, report.resource, report.type, expressions.render(report.value, context)) for report in found.report]
    assert table == [
        ("GPON-Bearer", "OLT Port", "Physical", "OLT-EAST-07, LC3, Port 12"),
        ("GPON-Bearer", "ONT Device", "Physical", "HG8245H, S/N: HWT2340098"),
        ("VLAN-Service", "VLAN ID", "Logical", "VLAN 1042"),
        ("IP-Profile", "IPv4 Address", "Logical", "10.42.17.22"),
        ("IP-Profile", "IPv6 Prefix", "Logical", "2001:db8:42:17::/64"),
        ("QoS-Profile", "Bandwidth Policy", "Logical", "BW-200-50-RES"),
        ("TR069-Config", "ACS Profile", "Logical", "acs.example.com/device/HWT2340098"),
        ("Cloud-Controller", "Platform Registration", "Logical", "CloudWiFi device ID: CW-89012"),
    ]


def test_ids_of_services_and_product(catalogue: Catalogue) -> None:
    names = ["CFS:Internet-Access", "CFS:WiFi-Management", "CFS:CPE-Management"]
    assert [expressions.render(catalogue.service(name).instance, FACTS) for name in names] == ["SI-INT-4821", "SI-WIFI-4821", "SI-CPE-4821"]
    assert expressions.render(catalogue.product("PS-RBA-01").instance, FACTS) == "PI-BB-4821"


def test_the_price_is_the_example_s(catalogue: Catalogue) -> None:
    price = catalogue.offering("PO-SF200H").price
    assert (price.monthly, price.once, price.term_months, price.monthly * price.term_months) == (89, 0, 24, 2136)


def test_without_the_wifi_app_there_is_no_cloud_controller(catalogue: Catalogue) -> None:
    services, resources = order(catalogue, "PO-SF200H", wifiApp=False)
    assert [line.specification for line in services.values()] == ["CFS:Internet-Access", "CFS:CPE-Management"]
    assert "RFS:Cloud-Controller" not in {line.specification for line in resources.values()}


def test_a_customer_may_name_the_network(catalogue: Catalogue) -> None:
    services, _ = order(catalogue, "PO-SF200H", ssid="Nest")
    assert services["SOI-003"].characteristics["ssid"] == "Nest"


@pytest.mark.parametrize(
    ("name", "ssid"),
    [("", "MyHome"), ("Prince", "PrinceHome"), ("Ada Zoë", "ZoHome"), ("李娜", "MyHome"), ("Jane " + "S" * 60, "S" * 28 + "Home")],
)
def test_the_network_s_name_fits_into_32_octets(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, name: str, ssid: str) -> None:
    monkeypatch.setitem(FACTS, "customer", {"name": name, "number": "1"})
    services, _ = order(catalogue, "PO-SF200H")
    assert services["SOI-003"].characteristics["ssid"] == ssid


# -- the second offering: SuperFibre 500 with a static address


def test_superfibre_500_takes_its_address_from_a_pool_of_its_own_and_is_still_seven_items(catalogue: Catalogue) -> None:
    services, resources = order(catalogue, "PO-SF500H")
    assert services["SOI-004"].specification == "CFS:Static-IP"
    assert len(resources) == 7
    profile = resources["ROI-003"]
    assert (profile.specification, profile.serves) == ("RFS:IP-Profile", ("SOI-001", "SOI-004"))
    assert profile.characteristics["dhcpPool"] == "EAST-STATIC"
    pool = catalogue.resource("RFS:IP-Profile").reserve["ipv4"].pool
    assert expressions.render(pool["prefix"], {"c": profile.characteristics}) == "EAST-STATIC"
    assert resources["ROI-004"].characteristics == {"download": "500M", "upload": "100M", "class": "residential"}


def test_it_is_yaml_alone_without_its_file_only_the_offering_is_gone(copy: Any, catalogue: Catalogue) -> None:
    (copy.catalog / "superfibre-500.yaml").unlink()
    before = copy.load()
    assert catalogue.offerings.keys() - before.offerings.keys() == {"PO-SF500H"}
    assert (before.products, before.services, before.resources) == (catalogue.products, catalogue.services, catalogue.resources)
