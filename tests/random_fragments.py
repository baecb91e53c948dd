"""Fragments for tests of computed changes: any part of the YANG schema, any Junos statements, any documents, and whole services."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any

from hypothesis import strategies as st
from lxml import etree

from tests.simulated_devices import FACTS, SCHEMA

IDENTITIES = [("urn:ietf:params:xml:ns:yang:iana-if-type", "ethernetCsmacd"), ("urn:bbf:yang:bbf-if-type", "vlan-sub-interface")]
# "shared" is an entry that everybody states, "own" one that few do; one has a quote, which paths and insert must survive
NAMES = ["shared", "shared", "own-1", "own-2", "own-3", "it's & <more>"]
ENTRIES = ["e1", "e2", "e3", "it's & <more>"]
VALUES = ["v"] * 9 + ["w"]


@cache
def _leads_to_order(path: str) -> bool:
    """Whether it is a user-ordered list, or leads there by containers and at most one other list."""
    return any(at.startswith(path) and FACTS[at].get("user") and at.count("/{") - path.count("/{") <= 2 for at in FACTS)


@cache
def _below() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for path in FACTS:
        found[path.rpartition("/{")[0]].append("{" + path.rpartition("/{")[2])
    return found


class Universe:
    """A large piece of configuration of which fragments are parts: so they share much, and mostly agree on it.

    Random by a seed, not by hypothesis: its draws make trees of this size rarely, and then rarely any that share anything.
    """

    TOP = 4
    BELOW = 5

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        known = {"a": IDENTITIES[0][0], "b": IDENTITIES[1][0], "t": "urn:ietf:params:xml:ns:yang:ietf-interfaces"}
        self._root = etree.Element("x", nsmap=known)
        self._fill(self._root, "", self.TOP)

    def fragment(self, seed: int, owner: str) -> str:
        """Most of it, or little, with now and then another value, case or order: often in what is the owner's alone."""
        chance = random.Random(seed)
        share = chance.choice([0.95, 0.8, 0.6])
        whole = "".join(etree.tostring(child, encoding="unicode") for child in self._part(chance, self._root, "", share, 0.001))
        whole = whole.replace(">own-", f">{owner}-")
        return whole.replace(">a:", ">zz:").replace("xmlns:a=", "xmlns:zz=") if chance.random() < 0.5 else whole

    def _fill(self, parent: etree._Element, path: str, most: int) -> None:
        names = [name for name in _below()[path] if name not in FACTS.get(path, {}).get("keys", ())]
        chosen = self._chance.sample(names, min(len(names), self._chance.randint(1, most)))
        # user-ordered lists are few in these modules: take those that are met
        for name in dict.fromkeys([*chosen, *(name for name in names if _leads_to_order(f"{path}/{name}"))]):
            where, facts = f"{path}/{name}", FACTS[f"{path}/{name}"]
            if facts["kind"] == "leaf":
                etree.SubElement(parent, name).text = _value(self._chance, facts, VALUES)
            elif facts["kind"] == "container":
                self._fill(etree.SubElement(parent, name), where, self.BELOW)
            else:
                self._entries(parent, name, where)

    def _entries(self, parent: etree._Element, name: str, path: str) -> None:
        facts, seen = FACTS[path], set()
        names = ENTRIES if facts.get("user") else NAMES  # an entry of one's own in a shared user-ordered list is always a conflict
        for _ in range(self._chance.randint(1, 4)):
            element = etree.Element(name)
            said = []
            for key in facts.get("keys", ()):
                said.append(_value(self._chance, FACTS[f"{path}/{key}"], names))
                etree.SubElement(element, key).text = said[-1]
            if facts["kind"] == "leaf-list":
                said.append(_value(self._chance, facts, names))
                element.text = said[0]
            if tuple(said) in seen:
                continue
            seen.add(tuple(said))
            parent.append(element)
            if facts["kind"] == "list":
                self._fill(element, path, self.BELOW)

    def _part(self, chance: random.Random, whole: etree._Element, path: str, share: float, other: float) -> etree._Element:
        """A part of an element. `other`: how often it differs from what everybody says."""
        keys = FACTS.get(path, {}).get("keys", ())
        if any(str(whole.findtext(key)).startswith("own-") for key in keys):
            other = 0.15
        part = etree.Element(whole.tag, nsmap=whole.nsmap)
        plain = path != "" and FACTS[path]["kind"] == "leaf" and not FACTS[path].get("q")
        part.text = "w" if plain and chance.random() < other else whole.text
        cases = _cases(whole if chance.random() > other else reversed(whole), path)
        ordered: dict[str, list[etree._Element]] = {}
        for child in whole:
            facts = FACTS[f"{path}/{child.tag}"]
            mine = dict(map(tuple, facts.get("cases", ())))
            if child.tag in keys:
                etree.SubElement(part, child.tag).text = child.text
            elif any(cases.get(choice, case) != case for choice, case in mine.items()):
                continue
            elif facts.get("user"):
                ordered.setdefault(str(child.tag), []).append(child)
            elif chance.random() < share:
                part.append(self._part(chance, child, f"{path}/{child.tag}", share, other))
        for name, entries in ordered.items():
            if chance.random() > share:
                continue
            keep = entries if chance.random() > 3 * other else chance.sample(entries, chance.randint(1, len(entries)))
            part.extend([self._part(chance, entry, f"{path}/{name}", 1.0, other) for entry in keep])
        return part


def _cases(children: Iterable[etree._Element], path: str) -> dict[str, str]:
    """The case of each choice that a fragment states: that of the first of its nodes."""
    found: dict[str, str] = {}
    for child in children:
        mine = dict(map(tuple, FACTS[f"{path}/{child.tag}"].get("cases", ())))
        if all(found.get(choice, case) == case for choice, case in mine.items()):
            found |= mine
    return found


def _value(chance: random.Random, facts: dict[str, Any], values: list[str]) -> str:
    if facts.get("q") == "id":
        return chance.choice(["a:ethernetCsmacd", "b:vlan-sub-interface"])
    if facts.get("q") == "xp":
        return "/t:interfaces/t:interface[t:name='x:y']"
    return chance.choice(values)


@st.composite
def set_lines(draw: st.DrawFn) -> str:
    """Lines over a small vocabulary with every kind of statement of the table."""
    unit = draw(st.sampled_from(["1042", "1042", "7", "8"]))
    interface = draw(st.sampled_from(["ge-0/0/1", "ge-0/0/1", "lo0"]))
    value = draw(st.sampled_from(VALUES))
    source = draw(st.sampled_from(["lo0.0"] * 6 + ["lo0.1"]))
    base = f"set interfaces {interface} unit {unit}"
    lines = [
        f"set interfaces {interface}",
        f"set interfaces {interface} flexible-vlan-tagging",
        f'set interfaces {interface} description "the {value}\\"s"',
        base,
        f"{base} description {value}",
        f"{base} vlan-id {unit}",
        f"{base} family inet",
        f"{base} family inet rpf-check",
        f"{base} family inet rpf-check mode loose",
        f"{base} family inet policer input {value}-UP",
        f"{base} family inet address 10.0.0.1/32",
        f"{base} family inet unnumbered-address {source}",
        f"{base} family inet unnumbered-address {source} preferred-source-address 10.42.17.1",
        f"{base} family inet6 policer output {value}",
        f"set class-of-service interfaces {interface} unit {unit} output-traffic-control-profile {value}",
        f"set class-of-service traffic-control-profiles {value} shaping-rate 200m burst-size 8k",
        f"set forwarding-options dhcp-relay group EAST-RES interface {interface}.{unit}",
        "set forwarding-options dhcp-relay group EAST-RES active-server-group KEA",
        "set forwarding-options dhcp-relay server-group KEA 172.31.0.2",
        f"set firewall policer {value}-UP if-exceeding bandwidth-limit 50m",
        f"set firewall policer {value}-UP then discard",
        "set system name-server [ 10.0.0.1 10.0.0.2 ]",
        "set system name-server 10.0.0.1",
        "set routing-options static route 10.9.0.0/16 next-hop 10.0.0.1",
        "set routing-options static route 10.9.0.0/16 next-hop 10.0.0.9",
    ]
    return "\n".join(draw(st.lists(st.sampled_from(lines), max_size=10, unique=True)))


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Documents of which some are shared and mostly the same for all."""
    paths = st.tuples(st.sampled_from(["provision", "preset", "radcheck"]), st.sampled_from(["residential-gpon", "own/1", "own/2"]))
    chosen = draw(st.lists(paths, max_size=4, unique=True))
    return json.dumps(
        [{"kind": kind, "key": key, "body": {"value": draw(st.sampled_from(VALUES)), "deep": {"list": [1, None]}}} for kind, key in chosen]
    )


def olt_service(number: int, vlan: int, policy: str) -> str:
    """A subscriber on an OLT: his own interface, the VLAN's forwarder and uplink shared with all others in it."""
    interfaces, subif = "urn:ietf:params:xml:ns:yang:ietf-interfaces", "urn:bbf:yang:bbf-sub-interfaces"
    assert interfaces in SCHEMA["prefix"]

    def tagged(name: str, lower: str, description: str, more: str = "") -> str:
        return f"""<interface><name>{name}</name><description>{description}</description>
          <type xmlns:i="urn:bbf:yang:bbf-if-type">i:vlan-sub-interface</type><enabled>true</enabled>
          <subif-lower-layer xmlns="{subif}"><interface>{lower}</interface></subif-lower-layer>
          <inline-frame-processing xmlns="{subif}"><ingress-rule><rule><name>rule_1</name><priority>100</priority>
            <flexible-match><match-criteria xmlns="urn:bbf:yang:bbf-sub-interface-tagging"><tag><index>0</index><dot1q-tag>
              <tag-type xmlns:d="urn:bbf:yang:bbf-dot1q-types">d:c-vlan</tag-type><vlan-id>{vlan}</vlan-id>
            </dot1q-tag></tag></match-criteria></flexible-match></rule></ingress-rule></inline-frame-processing>{more}</interface>"""

    relay = '<l2-dhcpv4-relay xmlns="urn:bbf:yang:bbf-l2-dhcpv4-relay"><enable>true</enable></l2-dhcpv4-relay>' if number % 2 else ""
    qos = f'<ingress-qos-policy-profile xmlns="urn:bbf:yang:bbf-qos-policies">{policy}-UP</ingress-qos-policy-profile>'
    user = f"olt-v-enet-{number}"
    return f"""<interfaces xmlns="{interfaces}">
        <interface><name>{user}</name><type xmlns:x="urn:bbf:yang:bbf-xpon-if-type">x:olt-v-enet</type></interface>
        {tagged(f"{user}.{vlan}", user, f"SI-INT-{number}", relay + qos)}
        {tagged(f"uplink-1.{vlan}", "uplink-1", f"VLAN {vlan}")}
      </interfaces>
      <forwarding xmlns="urn:bbf:yang:bbf-l2-forwarding"><forwarders><forwarder><name>fwd-{vlan}</name><ports>
        <port><name>network</name><sub-interface>uplink-1.{vlan}</sub-interface></port>
        <port><name>user-{number}</name><sub-interface>{user}.{vlan}</sub-interface></port>
      </ports></forwarder></forwarders></forwarding>
      <policies xmlns="urn:bbf:yang:bbf-qos-policies"><policy><name>POL-{policy}</name>
        <classifiers><name>CL-TC0</name></classifiers><classifiers><name>CL-{policy}</name></classifiers></policy></policies>"""


def junos_service(number: int, vlan: int, policy: str) -> str:
    """A subscriber on a BNG: two thirds of them on the unit of a shared VLAN, each with an address of his own."""
    unit = f"set interfaces ge-0/0/1 unit {vlan}"
    return f"""{unit} description "VLAN {vlan}"
      {unit} vlan-id {vlan}
      {unit} family inet rpf-check
      {unit} family inet address 10.42.17.{number}/32
      {unit} family inet unnumbered-address lo0.0 preferred-source-address 10.42.17.1
      set firewall policer {policy}-{number} if-exceeding bandwidth-limit 50m
      set firewall policer {policy} then discard
      set class-of-service interfaces ge-0/0/2 unit {number} output-traffic-control-profile {policy}-DOWN
      set forwarding-options dhcp-relay group EAST-RES active-server-group KEA
      set forwarding-options dhcp-relay group EAST-RES interface ge-0/0/1.{vlan}"""
