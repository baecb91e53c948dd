"""One more line (bearer, VLAN and QoS in one transaction, with its checks) on an OLT that has 1, 10, 100 ONTs already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.loader import load
from engine.ports import Change, CheckRequest
from tasks.change import for_platform
from tasks.kinds import for_platform as kind_of
from tasks.render import render
from tests.bench.bench import Bench, Scale
from tests.bench.devices import OLT, OURS, TEMPLATES, confirmed, olt
from tests.bench.figure import Figure, of_samples, timed
from tests.bench.machine import ROOT

_PRESENT = (1, 10, 100)
_PORT = {"device": OLT, "name": "LC3/P1", "slot": 3, "port": 1, "onu": 1, "slug": "3.1", "onu_slug": "3.1.1"}
_SERIAL = "HWTC02340098"
_VID = 1042


def _lines(scale: Scale) -> Iterator[Figure]:
    texts = _fragments(load(ROOT / "catalog", ROOT / "templates"))
    platform, kind = for_platform("bbf-olt"), kind_of("bbf-olt")
    for onts in _PRESENT:
        with olt(onts=onts) as (_, device):
            there = {node.path: frozenset({node.value}) for node in platform.nodes(kind.day_zero(device) or "")}
            change = platform.change([], texts, there)
            created = []
            for number in range(scale.of(15, 2) + 1):
                sample = timed(lambda: confirmed(device, change, _checks()), 1, warm_up=0)
                confirmed(device, Change(change.reverse, change.forward))
                created += sample if number else []  # the first one opens the session
        what = f"bearer, VLAN and QoS of one line, {onts} {'ONT' if onts == 1 else 'ONTs'} present"
        yield of_samples(what, created, "ms", f"{OURS}, with checks")


def _fragments(catalogue: Catalogue) -> list[str]:
    """What the OLT holds of one line, and what it shares with others."""
    policy = catalogue.policy_for({"download": "200M", "upload": "50M", "class": "residential"}).model_dump()
    context: dict[str, Any] = {
        "port": _PORT,
        "ont": {"pon_serial": _SERIAL, "model": "HG8245H", "serial": "HWT2340098"},
        "vlan": {"vid": _VID, "name": "SI-INT-4821", "group": "EAST-07-RES"},
        "service": {"id": "SI-INT-4821"},
        "policy": policy,
        "c": {"uploadSpeed": 50},
    }
    names = ("traffic-descriptor", "gpon-bearer", "vlan-service", "qos-policy", "qos-profile")
    return [render("bbf-olt", name, context, TEMPLATES) for name in names]


def _checks() -> tuple[CheckRequest, ...]:
    """As the catalogue has them for the three items."""
    onu, port = _PORT["onu_slug"], _PORT["slug"]
    return (
        CheckRequest(1, "bearer-up", {"channel_termination": f"CT-{port}", "v_ani": f"v-ani-{onu}", "serial": _SERIAL}),
        CheckRequest(2, "vlan-forwarding", {"interfaces": f"olt-v-enet-{onu}.{_VID},uplink-1.{_VID}", "forwarder": f"fwd-{_VID}"}),
        CheckRequest(3, "readback", {}),
    )


BENCHES = (Bench("line on a busy OLT", _lines),)
