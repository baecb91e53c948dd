"""Computed changes on the embedded OLT and BNG: subscribers come, change their policy and go, by the templates of the product.

After each change the device holds day-0 and what everybody states; each is also taken back and done again. The OLT is driven by
ncclient's Manager and validates with libyang, the BNG by NAPALM's driver: a change's text is all that they get from the code here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from lab_targets import Target
from nornir.core.inventory import Host

from engine.ports import Change
from tasks.change import Format, for_platform
from tasks.connections.connect import connect
from tasks.connections.junos import junos_of
from tasks.render import render

ROOT = Path(__file__).parents[3] / "templates"
TEMPLATES = {str(path.relative_to(ROOT)): path.read_text() for path in ROOT.rglob("*.j2")}

POLICIES = {
    "BW-200-50-RES": {
        "downstream_bps": 200_000_000,
        "upstream_bps": 50_000_000,
        "downstream_burst_bytes": 2_500_000,
        "upstream_burst_bytes": 625_000,
    },
    "BW-500-100-RES": {
        "downstream_bps": 500_000_000,
        "upstream_bps": 100_000_000,
        "downstream_burst_bytes": 6_250_000,
        "upstream_burst_bytes": 1_250_000,
    },
}


def context(number: int, policy: str) -> dict[str, object]:
    """What a template sees of subscriber 1, 2, ...: a port and a VLAN of his own, the pool's gateway shared by all."""
    vlan = 1100 + number
    port = {"device": "OLT-EAST-07", "slot": 2, "port": number, "onu": 1, "slug": f"2.{number}", "onu_slug": f"2.{number}.1"}
    return {
        "service": {"id": f"SI-INT-{number}"},
        "port": port,
        "ont": {"pon_serial": f"HWTC023400{number:02X}"},
        "vlan": {"vid": vlan},
        "ipv4": {"address": f"10.42.17.{number}", "gateway": "10.42.17.1", "pool": "EAST-RES"},
        "ipv6": {"prefix": f"2001:db8:42:{number}::/64"},
        "c": {"upload": "50M"},
        "policy": {"name": policy, **POLICIES[policy]},
    }


class History:
    """What is applied on one device, and how it is changed."""

    def __init__(self, platform: str, held: Callable[[], str], send: Callable[[str], None]) -> None:
        self.platform, self.held, self.send = platform, held, send
        self.notation: Format = for_platform(platform)
        self.applied = {"day-0": held()}

    def fragment(self, template: str, number: int, policy: str) -> str:
        return render(self.platform, template, context(number, policy), TEMPLATES)

    def change(self, step: Mapping[str, str | None]) -> Change:
        """Carry out, take back and carry out again what becomes of these fragments; look at the device each time."""
        others = {key: text for key, text in self.applied.items() if key not in step}
        stated: dict[str, set[str]] = {}
        for text in others.values():
            for node in self.notation.nodes(text):
                stated.setdefault(node.path, set()).add(node.value)
        old = [self.applied[key] for key in step if key in self.applied]
        new = [text for text in step.values() if text is not None]
        change = self.notation.change(old, new, {path: frozenset(values) for path, values in stated.items()})
        before = self.now()
        for text in (change.forward, change.reverse, change.forward) if change else ():
            self.send(text)
            expected = before if text is change.reverse else self.union([*others.values(), *new])
            assert self.now() == expected
        self.applied = others | {key: text for key, text in step.items() if text is not None}
        return change

    def now(self) -> dict[str, str]:
        return dict(self.notation.nodes(self.held()))

    def union(self, texts: list[str]) -> dict[str, str]:
        return {node.path: node.value for text in texts for node in self.notation.nodes(text)}

    def walk(self, templates: list[str], shared: list[str], steps: int) -> None:
        """Subscribers come, change and go at random, last of all everything goes."""
        day_zero, chance, live = self.now(), random.Random(7), set()
        self.change({f"{template}/{policy}": self.fragment(template, 1, policy) for template in shared for policy in POLICIES})
        for _ in range(steps):
            number = chance.randint(1, 5)
            if number in live and chance.random() < 0.5:
                self.change({f"{number}/{template}": None for template in templates})
                live.discard(number)
            else:
                policy = chance.choice(list(POLICIES))
                self.change({f"{number}/{template}": self.fragment(template, number, policy) for template in templates})
                live.add(number)
        self.change({key: None for key in self.applied if key != "day-0"})
        assert self.now() == day_zero


@pytest.fixture
def on_the_olt(olt: Target) -> Iterator[History]:
    session = connect(olt.name, olt.access, handler="default")

    def held() -> str:
        data = session.get_config("running").data_xml
        return re.sub(r"^<\?xml[^>]*>|</?(?:\w+:)?data\b[^>]*>", "", data)

    def send(text: str) -> None:
        with session.locked("candidate"):
            session.edit_config(target="candidate", config=text, default_operation="merge", error_option="rollback-on-error")
            session.validate("candidate")
            session.commit()

    yield History("bbf-olt", held, send)
    session.close_session()


@pytest.fixture
def on_the_bng(bng: Target, opened: Callable[[Host], Host]) -> History:
    driver = junos_of(opened(bng.host())).connection

    def send(text: str) -> None:
        driver.load_merge_candidate(config=text)
        driver.commit_config()

    return History("junos", lambda: str(driver.get_config(retrieve="running", format="set")["running"]), send)


def test_on_the_olt(on_the_olt: History) -> None:
    on_the_olt.walk(["gpon-bearer", "vlan-service", "qos-profile"], ["qos-policy"], steps=14)


def test_on_the_bng(on_the_bng: History) -> None:
    on_the_bng.walk(["vlan-service", "ip-profile", "qos-profile"], ["qos-policy"], steps=14)


def test_a_forwarder_that_two_share_on_the_olt(on_the_olt: History) -> None:
    def shared(number: int) -> str:
        text = on_the_olt.fragment("vlan-service", number, "BW-200-50-RES").replace(str(1100 + number), "1142")
        return re.sub(r"(<name>uplink-1.1142</name>\s*<description>)[^<]*", r"\1VLAN 1142", text)

    for number in (1, 2):
        bearer = on_the_olt.fragment("gpon-bearer", number, "BW-200-50-RES")
        on_the_olt.change({f"{number}/bearer": bearer, f"{number}/vlan": shared(number)})
    assert "fwd-1142" in on_the_olt.held()
    assert "uplink" not in on_the_olt.change({"1/bearer": None, "1/vlan": None}).forward
    on_the_olt.change({"2/bearer": None, "2/vlan": None})
    assert "fwd-1142" not in on_the_olt.held()


def test_a_source_address_that_is_replaced_on_the_bng(on_the_bng: History) -> None:
    text = on_the_bng.fragment("ip-profile", 1, "BW-200-50-RES")
    on_the_bng.change({"1": text, "lo0": "set interfaces lo0 unit 1 family inet address 10.42.18.1/32"})
    change = on_the_bng.change({"1": text.replace("unnumbered-address lo0.0", "unnumbered-address lo0.1")})
    assert "delete interfaces ge-0/0/1 unit 1101 family inet unnumbered-address" in change.forward
    on_the_bng.change({"1": None, "lo0": None})


def test_the_order_of_a_user_ordered_list_on_the_olt(on_the_olt: History) -> None:
    def policy(*classifiers: str) -> str:
        entries = "".join(f"<classifiers><name>{name}</name></classifiers>" for name in classifiers)
        return f'<policies xmlns="urn:bbf:yang:bbf-qos-policies"><policy><name>P</name>{entries}</policy></policies>'

    tc, up, down = "CL-RES-TC0", "CL-BW-200-50-RES-UP", "CL-BW-200-50-RES-DOWN"
    on_the_olt.change({"policy": on_the_olt.fragment("qos-policy", 1, "BW-200-50-RES"), "P": policy(tc, down)})
    for order in ([tc, up, down], [down, tc, up], [up, down], [tc, up]):
        on_the_olt.change({"P": policy(*order)})
        assert re.findall(r"<name>(CL-[^<]*)", on_the_olt.held().partition("<name>P</name>")[2].partition("</policy>")[0]) == order
    on_the_olt.change({"P": None, "policy": None})
