"""What templates are rendered with: the worked example's order, decomposed by the real catalogue, with its allocations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.loader import load
from engine.decomposition import Line, decompose
from engine.expressions import render as render_text
from engine.states import Level
from tasks.render import render

REPOSITORY = Path(__file__).parents[3]
EXAMPLES = Path(__file__).parent / "examples"
PLATFORMS = {
    "port.device": "bbf-olt",
    "exchange.access_switch": "bbf-switch",
    "exchange.bng": "junos",
    "exchange.dhcp": "kea",
    "exchange.radius": "freeradius",
    "exchange.acs": "genieacs",
}

FACTS: dict[str, Any] = {
    "order": {"id": "RO-2024-07814", "external_id": "superfibre-200", "product_order": "PO-2024-00847"},
    "customer": {"id": "CUST-4821", "number": "4821", "name": "Jane Smith", "account": "ACC-7742"},
    "address": {
        "street": "42 Fibre Lane",
        "city": "Melbourne",
        "state": "VIC",
        "postcode": "3000",
        "exchange": "EAST-07",
        "distribution_point": "DP-142",
    },
    "exchange": {
        "name": "EAST-07",
        "olt": "OLT-EAST-07",
        "access_switch": "ASW-EAST-07",
        "bng": "BNG-EAST-01",
        "dhcp": "DHCP-EAST-01",
        "radius": "RADIUS-EAST-01",
        "acs": "ACS-01",
    },
}
FIRST: dict[str, Any] = {
    "port": {"device": "OLT-EAST-07", "name": "LC3/P12", "slot": 3, "port": 12, "onu": 1, "slug": "3.12", "onu_slug": "3.12.1"},
    "ont": {
        "model": "HG8245H",
        "serial": "HWT2340098",
        "pon_serial": "HWTC02340098",
        "mac": "48:57:54:34:00:98",
        "asset_tag": "HWT2340098",
        "oui": "00259E",
    },
    "vlan": {"vid": 1042, "name": "SI-INT-4821", "group": "EAST-07-RES"},
    "ipv4": {
        "address": "10.42.17.22",
        "prefix_length": 24,
        "subnet": "10.42.17.0/24",
        "gateway": "10.42.17.1",
        "subnet_id": 42,
        "pool": "EAST-RES",
    },
    "ipv6": {"prefix": "2001:db8:42:17::/64", "pool": "EAST-RES-V6", "subnet_id": 42},
}
SECOND: dict[str, Any] = {
    "port": {"device": "OLT-EAST-07", "name": "LC3/P13", "slot": 3, "port": 13, "onu": 1, "slug": "3.13", "onu_slug": "3.13.1"},
    "ont": {**FIRST["ont"], "serial": "HWT2340099", "pon_serial": "HWTC02340099", "mac": "48:57:54:34:00:9B", "asset_tag": "HWT2340099"},
    "vlan": {"vid": 1043, "name": "SI-INT-5937", "group": "EAST-07-RES"},
    "ipv4": {
        "address": "203.0.113.10",
        "prefix_length": 25,
        "subnet": "203.0.113.0/25",
        "gateway": "203.0.113.1",
        "subnet_id": 43,
        "pool": "EAST-STATIC",
    },
    "ipv6": {"prefix": "2001:db8:42:18::/64", "pool": "EAST-RES-V6", "subnet_id": 42},
}


class Order:
    """An order as its templates see it."""

    def __init__(self, catalogue: Catalogue, offering: str, allocations: dict[str, Any], customer: dict[str, str]) -> None:
        self.catalogue = catalogue
        facts = {**FACTS, "customer": customer}
        offer = catalogue.offering(offering)
        # the passphrase holds what JSON, XML and Junos would trip over
        given = {**offer.defaults, **offer.characteristics, "wifiPassword": "pass<\"&'phrase"}
        product = catalogue.validate_characteristics(catalogue.product(offer.specification), given, facts)
        context = {**facts, "p": product}
        services = decompose(catalogue, Level.PRODUCT, [("POI-001", Line(offer.specification, product))], context)
        self.services = dict(services)
        self.resources = dict(decompose(catalogue, Level.SERVICE, services, context))
        self._facts = {**facts, **allocations}

    def context(self, specification: str) -> dict[str, Any]:
        """What the templates of this RFS see."""
        item, line = next((i, found) for i, found in self.resources.items() if found.specification == specification)
        service = self.services[line.serves[0]]
        owner = self.catalogue.service(service.specification)
        characteristics = {**line.characteristics}
        if specification == "RFS:IP-Profile":
            characteristics["radiusPassword"] = "radius-secret"
        found = self.catalogue.resource(specification)
        match = {key: render_text(text, {"c": characteristics}) for key, text in found.policy.items()}
        return {
            **self._facts,
            "c": characteristics,
            "item": {"id": item, "specification": specification},
            "service": {"id": render_text(owner.instance, self._facts), "specification": owner.id},
            "learned": {},
            **({"policy": self.catalogue.policy_for(match).model_dump()} if match else {}),
        }

    def text(self, platform: str, template: str) -> str:
        """What a template gives for this order. The RFS is the one that configures the template on this platform."""
        return next(text for p, t, text in self.fragments() if (p, t) == (platform, template))

    def fragments(self) -> Iterator[tuple[str, str, str]]:
        """Platform, template and text of everything the order configures, shared fragments after those that need them."""
        for line in self.resources.values():
            context = self.context(line.specification)
            for configuration in self.catalogue.resource(line.specification).configure:
                expression = configuration.target.strip("{} ")
                platform = PLATFORMS.get(expression, {"cloudwifi": "openwifi"}.get(expression, expression))
                for template in (configuration.template, *(shared.template for shared in configuration.shared)):
                    yield platform, template, render(platform, template, context, self.catalogue.templates)
        context = self.context("RFS:CPE-Provisioning")  # what stands in its place once the router must come back
        yield "logistics", "cpe-return", render("logistics", "cpe-return", context, self.catalogue.templates)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load(REPOSITORY / "catalog", REPOSITORY / "templates")


@pytest.fixture(scope="session")
def orders(catalogue: Catalogue) -> SimpleNamespace:
    """`first`: the worked example. `second`: the next customer, with SuperFibre 500 and a static address."""
    jane = FACTS["customer"]
    john = {"id": "CUST-5937", "number": "5937", "name": "Seán O'Brien <x>", "account": "ACC-8850"}
    return SimpleNamespace(
        first=Order(catalogue, "PO-SF200H", FIRST, jane),
        second=Order(catalogue, "PO-SF500H", SECOND, john),
    )


@pytest.fixture(scope="session")
def example() -> Callable[[str], str]:
    return lambda name: (EXAMPLES / name).read_text()
