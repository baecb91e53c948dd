"""One more line (bearer, VLAN and QoS in one transaction, with its checks) on an OLT that has 1, 10, 100 ONTs already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nornir.core.inventory import Host

from engine.ports import Change, CheckRequest
from tasks.change import for_platform
from tasks.kinds import for_platform as kind_of
from tasks.render import render
from tests.bench.bench import Bench, Scale
from tests.bench.devices import OURS, TEMPLATES, confirmed, olt
from tests.bench.figure import Figure, of_samples, timed
from tests.bench.line import line

_PRESENT = (1, 10, 100)
_TEMPLATES = ("traffic-descriptor", "gpon-bearer", "vlan-service", "qos-policy", "qos-profile")


def _lines(scale: Scale) -> Iterator[Figure]:
    new = line()
    texts = [render("bbf-olt", template, new, TEMPLATES) for template in _TEMPLATES]
    platform, kind = for_platform("bbf-olt"), kind_of("bbf-olt")
    for onts in _PRESENT:
        with olt(onts=onts) as (_, device):
            there = {node.path: frozenset({node.value}) for node in platform.nodes(kind.day_zero(device) or "")}
            samples = _created(device, platform.change([], texts, there), _checks(new), scale.of(15, 2))
        what = f"bearer, VLAN and QoS of one line, {onts} {'ONT' if onts == 1 else 'ONTs'} present"
        yield of_samples(what, samples, "ms", f"{OURS}, with checks")


def _created(device: Host, change: Change, checks: tuple[CheckRequest, ...], runs: int) -> list[float]:
    """How long it takes to put the line there; it is taken away after each run. The first one, which opens the session, does not count."""
    samples = []
    for _ in range(runs + 1):
        samples += timed(lambda: confirmed(device, change, checks), 1, warm_up=0)
        confirmed(device, Change(change.reverse, change.forward))
    return samples[1:]


def _checks(new: Mapping[str, Any]) -> tuple[CheckRequest, ...]:
    """As the catalogue has them for the three items."""
    port, onu, vid = new["port"]["slug"], new["port"]["onu_slug"], new["vlan"]["vid"]
    bearer = {"channel_termination": f"CT-{port}", "v_ani": f"v-ani-{onu}", "serial": new["ont"]["pon_serial"]}
    forwarding = {"interfaces": f"olt-v-enet-{onu}.{vid},uplink-1.{vid}", "forwarder": f"fwd-{vid}"}
    return (CheckRequest(1, "bearer-up", bearer), CheckRequest(2, "vlan-forwarding", forwarding), CheckRequest(3, "readback", {}))


BENCHES = (Bench("line on a busy OLT", _lines),)
