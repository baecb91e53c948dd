"""What templates are rendered with for one residential line, whatever its port, VLAN and addresses."""

from __future__ import annotations

from functools import cache
from typing import Any

from engine.catalogue.loader import load
from tests.bench.devices import OLT
from tests.bench.machine import ROOT


def line(
    *, slot: int = 3, port: int = 12, onu: int = 1, vid: int | str = 1042, serial: int = 2340098, prefix: str = "2001:db8:42:17::/64"
) -> dict[str, Any]:
    """A context as engine.context makes it, for templates of OLT and BNG."""
    slug = f"{slot}.{port}"
    return {
        "customer": {"id": f"CUST-{vid}", "number": str(vid), "name": "Jane Smith", "account": "ACC-7742"},
        "service": {"id": f"SI-INT-{vid}", "specification": "CFS:Internet-Access"},
        "port": {
            "device": OLT,
            "name": f"LC{slot}/P{port}",
            "slot": slot,
            "port": port,
            "onu": onu,
            "slug": slug,
            "onu_slug": f"{slug}.{onu}",
        },
        "ont": {"model": "HG8245H", "serial": f"HWT{serial}", "pon_serial": f"HWTC{serial:08d}"},
        "vlan": {"vid": vid, "name": f"SI-INT-{vid}", "group": "EAST-07-RES"},
        "ipv4": {"gateway": "10.42.17.1", "pool": "EAST-RES"},
        "ipv6": {"prefix": prefix},
        "policy": _policy(),
        "c": {"upload": "50M"},
    }


@cache
def _policy() -> dict[str, Any]:
    catalogue = load(ROOT / "catalog", ROOT / "templates")
    return catalogue.policy_for({"download": "200M", "upload": "50M", "class": "residential"}).model_dump()
