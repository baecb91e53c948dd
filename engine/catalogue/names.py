"""The names that expressions and templates may use, by the place where they stand. docs/catalogue.md lists them from here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Union

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import Policy, ResourceSpecification, Specification
from engine.suggest import unknown

Names = Mapping[str, Union["Names", None]]
"""What a place knows: fields by name; None: a value, which may have methods of its own (`customer.name.split()`)."""

CUSTOMER = {"id": "CUST-4821", "number": "4821: the trailing number of the id", "name": "Jane Smith", "account": "ACC-7742"}
ADDRESS = {
    "street": "42 Fibre Lane",
    "city": "Melbourne",
    "state": "VIC",
    "postcode": "3000",
    "exchange": "EAST-07",
    "distribution_point": "DP-142",
}
EXCHANGE = {
    "name": "EAST-07: the NetBox site",
    "olt": "OLT-EAST-07: the first element of each role at the site, or centrally",
    "access_switch": "ASW-EAST-07",
    "bng": "BNG-EAST-01",
    "dhcp": "DHCP-EAST-01",
    "radius": "RADIUS-EAST-01",
    "acs": "ACS-01",
}
ORDER = {"id": "RO-2024-07814: the resource order", "external_id": "the caller's id of the order", "product_order": "PO-2024-00847"}
SERVICE = {"id": "SI-INT-4821: the service that the item belongs to", "specification": "CFS:Internet-Access"}
ITEM = {"id": "ROI-001", "specification": "RFS:GPON-Bearer"}

ALLOCATIONS: Mapping[str, Mapping[str, str]] = {
    "olt-port": {
        "device": "OLT-EAST-07",
        "name": "LC3/P12",
        "slot": "3",
        "port": "12",
        "onu": "1: number of the ONU on the port",
        "slug": "3.12",
        "onu_slug": "3.12.1",
    },
    "stock": {
        "model": "HG8245H",
        "serial": "HWT2340098",
        "pon_serial": "HWTC02340098",
        "mac": "48:57:54:34:00:98",
        "asset_tag": "HWT2340098",
        "oui": "00259E",
    },
    "vlan": {"vid": "1042", "name": "name of the VLAN in NetBox", "group": "EAST-07-RES"},
    "ipv4": {
        "address": "10.42.17.22",
        "prefix_length": "24",
        "subnet": "10.42.17.0/24",
        "gateway": "10.42.17.1",
        "subnet_id": "42: of the DHCP server",
        "pool": "EAST-RES",
    },
    "ipv6-prefix": {"prefix": "2001:db8:42:17::/64", "pool": "EAST-RES-V6", "subnet_id": "42: of the DHCP server"},
}
"""Attributes of an allocation by kind, with an example each."""

RESERVED_NAMES = frozenset(
    {"c", "p", "customer", "address", "exchange", "order", "service", "services", "item", "policy", "policies", "learned"}
)
"""What expressions and templates see besides allocations."""

POOLS: Mapping[str, Mapping[str, bool]] = {
    "olt-port": {"site": True},
    "stock": {"model": True, "site": False},
    "vlan": {"group": True},
    "ipv4": {"prefix": True},
    "ipv6-prefix": {"prefix": True, "length": False},
}
"""What `pool` of a reservation says, by kind, and whether it must."""


def short(specification: str) -> str:
    """`CFS:Internet-Access` as a name in expressions: `Internet_Access`."""
    return specification.partition(":")[2].replace("-", "_") or specification.replace("-", "_")


def missing(name: str, known: Names) -> str | None:
    """A sentence about a name with attributes (`port.device`) that is not known; None when it is."""
    here: Names | None = known
    walked = ""
    for part in name.split("."):
        if here is None:
            return None
        if part not in here:
            return unknown("name", walked + part, [walked + candidate for candidate in here])
        here = here[part]
        walked += f"{part}."
    return None


def of_instance(found: Specification) -> Names:
    """The id of a product or service."""
    return {"customer": _fields(CUSTOMER), "address": _fields(ADDRESS), "c": _fields(found.characteristics)}


def of_default(catalogue: Catalogue, found: Specification) -> Names:
    """A characteristic's default."""
    known: dict[str, Names | None] = {"customer": _fields(CUSTOMER), "address": _fields(ADDRESS)}
    if found.id not in catalogue.products:
        known |= {"exchange": {"name": None}, "p": _product(catalogue)}
    return known


def of_rule(catalogue: Catalogue, found: Specification) -> Names:
    """`when` and `characteristics` of a decomposition rule: `c` are those of the item being decomposed."""
    return {**of_instance(found), "exchange": {"name": None}, "p": _product(catalogue)}


def of_policy(found: ResourceSpecification) -> Names:
    """The values that choose an RFS's policy."""
    return {"c": _fields(found.characteristics)}


def of_item(catalogue: Catalogue, found: Specification, allocations: Iterable[str]) -> Names:
    """Targets, templates, checks, waits and report lines of an item that may use these allocations."""
    kinds = reservations(catalogue)
    known: dict[str, Names | None] = {
        **of_instance(found),
        "exchange": _fields(EXCHANGE),
        "order": _fields(ORDER),
        "service": _fields(SERVICE),
        "item": _fields(ITEM),
        "services": {short(name): None for name in catalogue.services},
        "policies": {short(r.id): _fields(Policy.model_fields) for r in catalogue.resources.values() if r.policy},
        "learned": None,
    }
    if isinstance(found, ResourceSpecification) and found.policy:
        known["policy"] = _fields(Policy.model_fields)
    return known | {name: _fields(ALLOCATIONS[kinds[name]]) for name in allocations if name in kinds}


def reservations(catalogue: Catalogue) -> dict[str, str]:
    """Kind of every allocation that some RFS reserves, by name."""
    return {name: reservation.kind for found in catalogue.resources.values() for name, reservation in found.reserve.items()}


def usable(catalogue: Catalogue, found: ResourceSpecification) -> set[str]:
    """Allocations that an item may count on: its own, those of all it depends on, and what it says it uses.

    All that there are when it depends on something unknown: that is a problem of its own and need not cause more.
    """
    seen: dict[str, ResourceSpecification] = {}
    todo = [found]
    while todo:
        current = todo.pop()
        if current.id not in seen:
            seen[current.id] = current
            if not catalogue.resources.keys() >= set(current.depends_on):
                return set(reservations(catalogue))
            todo += [catalogue.resources[name] for name in current.depends_on]
    return {name for resource in seen.values() for name in resource.reserve} | set(found.uses)


def _fields(entries: Iterable[str]) -> dict[str, Names | None]:
    return dict.fromkeys(entries)


def _product(catalogue: Catalogue) -> Names:
    return _fields(name for product in catalogue.products.values() for name in product.characteristics)
