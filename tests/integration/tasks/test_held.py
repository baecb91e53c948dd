"""What targets hold of what they were given, read from them: nothing of others', all of ours, whatever became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pushes
import pytest
from document_changes import change as documents_changed
from document_changes import put, radreply, reservation4
from lab_targets import Target, inventory_of

from engine.ports import Change, Fragment, Targets, TransactionState, Wanted
from tasks.netconf.xml import config_text
from tasks.targets import NornirTargets

ROOT = Path(__file__).parents[3] / "templates"
TEMPLATES = {str(path.relative_to(ROOT)): path.read_text() for path in ROOT.rglob("*.j2")}
OLT, BNG = "OLT-EAST-07", "BNG-EAST-01"
CONTEXT = {
    "service": {"id": "SI-INT-9"},
    "port": {"device": OLT, "slot": 2, "port": 9, "onu": 1, "slug": "2.9", "onu_slug": "2.9.1"},
    "ont": {"pon_serial": "HWTC02340009"},
    "vlan": {"vid": 1109},
    "ipv4": {"address": "10.42.17.9", "gateway": "10.42.17.1", "pool": "EAST-RES"},
    "ipv6": {"prefix": "2001:db8:42:9::/64"},
    "c": {"upload": "50M"},
    "policy": {
        "name": "BW-9",
        "downstream_bps": 200_000_000,
        "upstream_bps": 50_000_000,
        "downstream_burst_bytes": 2_500_000,
        "upstream_burst_bytes": 625_000,
    },
}
ON_OLT = ("traffic-descriptor", "qos-policy", "gpon-bearer", "vlan-service", "qos-profile")
ON_BNG = ("qos-policy", "vlan-service", "ip-profile", "qos-profile")


@pytest.fixture
def targets(olt: Target, bng: Target, system: Callable[[str], Target]) -> Iterator[NornirTargets]:
    found = NornirTargets(inventory_of(olt, bng, system("kea"), system("radius"), system("acs"), system("cloudwifi"), system("logistics")))
    yield found
    found.close()


def send(targets: Targets, target: str, change: Change) -> None:
    assert targets.push(pushes.push_of(target, change)).state is TransactionState.CONFIRMED


class Applied:
    """Fragments of one subscriber on one device, beside what was there before."""

    def __init__(self, targets: Targets, target: str, templates: Sequence[str]) -> None:
        self.targets, self.target = targets, target
        self.fragments = [targets.render(Wanted(target, f"SI-INT-9/{name}", name, CONTEXT), TEMPLATES) for name in templates]
        self.whole = targets.day_zero(target)
        assert self.whole is not None
        self.day_zero = dict(targets.nodes(self.whole))
        self.others = {path: frozenset({value}) for path, value in self.day_zero.items()}
        self.change = targets.change(target, [], self.fragments, self.others)
        send(targets, target, self.change)
        self.nodes = {node.path: node.value for fragment in self.fragments for node in targets.nodes(fragment)}

    def running(self) -> dict[str, str]:
        whole = self.targets.day_zero(self.target)
        assert whole is not None
        return dict(self.targets.nodes(whole))

    def held(self, fragments: Sequence[Fragment] | None = None) -> Fragment:
        return self.targets.held(self.target, fragments or self.fragments)

    def differing(self) -> dict[str, str | None]:
        """Path -> what is there instead."""
        found = dict(self.targets.nodes(self.held()))
        return {path: found.get(path) for path, value in self.nodes.items() if found.get(path) != value}

    def extra(self) -> set[str]:
        return {path for path, _ in self.targets.nodes(self.held())} - self.nodes.keys() - self.day_zero.keys()

    def repair(self, also: Sequence[str] = ()) -> Change:
        part = self.targets.part(self.held(), self.fragments, also)
        change = self.targets.change(self.target, [part], self.fragments, {})
        send(self.targets, self.target, change)
        return change


@pytest.fixture
def on_olt(targets: NornirTargets) -> Iterator[Applied]:
    applied = Applied(targets, OLT, ON_OLT)
    yield applied
    send(targets, OLT, pushes.undone(applied.change))
    assert applied.running() == applied.day_zero


@pytest.fixture
def on_bng(targets: NornirTargets) -> Iterator[Applied]:
    applied = Applied(targets, BNG, ON_BNG)
    yield applied
    send(targets, BNG, pushes.undone(applied.change))


def edited(*elements: str) -> Change:
    """What somebody else sends."""
    return Change(config_text("".join(elements)), "")


def interface(name: str, content: str) -> str:
    return (
        f'<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"><interface><name>{name}</name>{content}</interface></interfaces>'
    )


class TestAnOlt:
    def test_it_holds_what_it_was_given(self, on_olt: Applied) -> None:
        assert on_olt.differing() == {}
        assert on_olt.extra() == set()
        assert len(on_olt.held().text) < len(on_olt.whole.text if on_olt.whole else "") / 2, "only what was asked for was read"

    def test_what_is_missing_other_and_extra(self, on_olt: Applied, targets: Targets) -> None:
        before = on_olt.running()
        uplink = "uplink-1.1109"
        there, profile = "/if:interfaces/interface[name='{}']/{}", "bbf-qos-pol:ingress-qos-policy-profile"
        behind_our_back = edited(
            interface("v-ani-2.9.1", '<description nc:operation="delete"/><enabled>false</enabled>'),
            interface(uplink, '<ingress-qos-policy-profile xmlns="urn:bbf:yang:bbf-qos-policies">BW-9-UP</ingress-qos-policy-profile>'),
            interface("uplink-1", "<description>somebody else's</description>"),
        )
        send(targets, OLT, behind_our_back)
        assert on_olt.differing() == {there.format("v-ani-2.9.1", "description"): None, there.format("v-ani-2.9.1", "enabled"): "false"}
        assert on_olt.extra() == {there.format(uplink, profile)}
        assert there.format(uplink, "")[:-1] in list(targets.around(OLT, there.format(uplink, profile)))

        theirs = there.format("uplink-1", "description")
        change = on_olt.repair()
        assert "uplink" not in change.forward
        assert on_olt.differing() == {}
        on_olt.repair(sorted(on_olt.extra()))
        now = on_olt.running()
        assert now.pop(theirs) == "somebody else's"
        assert now == {path: value for path, value in before.items() if path != theirs}
        was = before.get(theirs)
        send(
            targets,
            OLT,
            edited(interface("uplink-1", f"<description>{was}</description>" if was else '<description nc:operation="delete"/>')),
        )

    def test_entries_that_are_gone(self, on_olt: Applied, targets: Targets) -> None:
        before = on_olt.running()
        gone = edited(
            '<forwarding xmlns="urn:bbf:yang:bbf-l2-forwarding"><forwarders><forwarder nc:operation="delete">'
            "<name>fwd-1109</name></forwarder></forwarders></forwarding>",
            interface("uplink-1.1109", "").replace("<interface>", '<interface nc:operation="delete">'),
        )
        send(targets, OLT, gone)
        assert len(on_olt.differing()) > 20
        on_olt.repair()
        assert on_olt.running() == before


class TestABng:
    def test_it_holds_what_it_was_given(self, on_bng: Applied) -> None:
        assert on_bng.differing() == {}
        assert on_bng.extra() == set()

    def test_only_what_is_asked_for_is_read(self, on_bng: Applied, targets: Targets) -> None:
        send(targets, BNG, Change("set interfaces ge-0/0/1 unit 77 vlan-id 77", ""))
        assert "unit 77" not in on_bng.held().text
        send(targets, BNG, Change("delete interfaces ge-0/0/1 unit 77", ""))

    def test_what_is_missing_other_and_extra(self, on_bng: Applied, targets: Targets) -> None:
        before = on_bng.running()
        send(
            targets,
            BNG,
            Change(
                "delete interfaces ge-0/0/1 unit 1109 family inet rpf-check\n"
                "set interfaces ge-0/0/1 unit 1109 description other\n"
                "set interfaces ge-0/0/1 unit 1109 no-traps\n"
                "set firewall policer BW-9-UP if-exceeding bandwidth-limit 5m\n"
                "delete forwarding-options dhcp-relay group EAST-RES interface ge-0/0/1.1109\n"
                "delete routing-options rib inet6.0 access route 2001:db8:42:9::/64",
                "",
            ),
        )
        assert on_bng.differing() == {
            "interfaces ge-0/0/1 unit 1109 family inet rpf-check": None,
            "interfaces ge-0/0/1 unit 1109 description": "other",
            "firewall policer BW-9-UP if-exceeding bandwidth-limit": "5m",
            "forwarding-options dhcp-relay group EAST-RES interface ge-0/0/1.1109": None,
            "routing-options rib inet6.0 access route 2001:db8:42:9::/64": None,
            "routing-options rib inet6.0 access route 2001:db8:42:9::/64 next-hop": None,
        }
        assert on_bng.extra() == {"interfaces ge-0/0/1 unit 1109 no-traps"}
        on_bng.repair(["interfaces ge-0/0/1 unit 1109 no-traps"])
        assert on_bng.running() == before

    def test_a_unit_that_is_gone(self, on_bng: Applied, targets: Targets) -> None:
        before = on_bng.running()
        lines = (
            "delete class-of-service interfaces ge-0/0/1 unit 1109\ndelete forwarding-options dhcp-relay group EAST-RES\n"
            "delete forwarding-options dhcp-relay dhcpv6 group EAST-RES\n"
            "delete protocols router-advertisement interface ge-0/0/1.1109\n"
            "delete routing-options rib inet6.0 access route 2001:db8:42:9::/64\ndelete interfaces ge-0/0/1 unit 1109"
        )
        send(targets, BNG, Change(lines, ""))
        assert "interfaces ge-0/0/1 unit 1109" in on_bng.differing()
        assert "interfaces ge-0/0/1" not in on_bng.differing(), "it is not said to be missing because it was not asked for"
        on_bng.repair()
        assert on_bng.running() == before


class TestDocuments:
    def test_what_the_system_adds_is_not_counted(self, targets: Targets) -> None:
        kind, key, body = reservation4(99)
        change = documents_changed(put(kind, key, body))
        fragment = Fragment("kea", "SI-99/IP", json.dumps([{"kind": kind, "key": key, "body": body}]))
        assert json.loads(targets.held("kea", [fragment]).text) == []
        send(targets, "kea", change)
        assert targets.nodes(targets.held("kea", [fragment])) == targets.nodes(fragment)
        moved = {**body, "ip-address": "10.42.17.98"}
        send(targets, "kea", documents_changed(put(kind, key, moved, body)))
        assert json.loads(targets.held("kea", [fragment]).text)[0]["body"] == moved
        repair = targets.change("kea", [targets.held("kea", [fragment])], [fragment], {})
        send(targets, "kea", repair)
        assert targets.nodes(targets.held("kea", [fragment])) == targets.nodes(fragment)
        send(targets, "kea", pushes.undone(change))

    def test_rows(self, targets: Targets) -> None:
        kind, key, body = radreply("SI-99", "10.42.17.99")
        fragment = Fragment("radius", "SI-99/IP", json.dumps([{"kind": kind, "key": key, "body": body}]))
        change = documents_changed(put(kind, key, body))
        send(targets, "radius", change)
        assert targets.nodes(targets.held("radius", [fragment])) == targets.nodes(fragment)
        send(targets, "radius", pushes.undone(change))
        assert not targets.nodes(targets.held("radius", [fragment]))
