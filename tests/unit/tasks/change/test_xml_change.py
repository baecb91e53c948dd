"""Changes of an OLT as XML: what is sent for the worked example, what is shared, and what YANG and lxml make hard."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from lxml import etree

from engine.errors import ChangeConflict, TemplateFailed
from engine.ports import Change
from engine.vault import MASK
from tasks.change.xml import Xml
from tests.simulated_devices import Netconf, all_of

XML = Xml()
EXAMPLES = Path(__file__).parent / "examples"
IF = 'xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"'
NC = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"'


def example(name: str) -> str:
    return (EXAMPLES / f"{name}.data.xml").read_text()


DAY_ZERO = example("00-olt-baseline")
BEARER = example("10-roi001-gpon-bearer")
VLAN = example("20-roi002-vlan-1042")
QOS = example("30-roi004-qos-200-50")


def others(*texts: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for text in texts:
        for path, value in XML.nodes(text):
            found.setdefault(path, set()).add(value)
    return {path: frozenset(values) for path, values in found.items()}


def operations(text: str) -> dict[str, int]:
    return {name: text.count(f'operation="{name}"') for name in ("create", "delete")}


def device(*fragments: str) -> Netconf:
    made = all_of(Netconf, list(fragments))
    assert isinstance(made, Netconf)
    return made


def interface(name: str, inside: str) -> str:
    return f"<interfaces {IF}><interface><name>{name}</name>{inside}</interface></interfaces>"


class TestWorkedExample:
    @pytest.mark.parametrize(
        ("fragment", "held", "created"),
        [(DAY_ZERO, [], 21), (BEARER, [DAY_ZERO], 14), (VLAN, [DAY_ZERO, BEARER], 4), (QOS, [DAY_ZERO, BEARER, VLAN], 2)],
        ids=["baseline", "bearer", "vlan", "qos"],
    )
    def test_from_nothing_it_is_created_and_nothing_else(self, fragment: str, held: list[str], created: int) -> None:
        change = XML.change([], [fragment], others(*held))
        assert operations(change.forward) == {"create": created, "delete": 0}
        assert operations(change.reverse) == {"create": 0, "delete": created}
        olt = device(*held)
        olt.edit(change.forward)
        assert olt.held() == device(*held, fragment).held()

    @pytest.mark.parametrize(
        ("fragments", "held", "by_hand"),
        [
            ([QOS], [DAY_ZERO, BEARER, VLAN], "90-delete-qos"),
            ([VLAN], [DAY_ZERO, BEARER], "91-delete-vlan"),
            ([BEARER], [DAY_ZERO], "92-delete-bearer"),
            ([BEARER, VLAN, QOS], [DAY_ZERO], "93-delete-all-one-transaction"),
        ],
    )
    def test_what_ceases_is_deleted_as_a_person_would_write_it(self, fragments: list[str], held: list[str], by_hand: str) -> None:
        change = XML.change(fragments, [], others(*held))
        computed, written = device(*held, *fragments), device(*held, *fragments)
        computed.edit(change.forward)
        written.edit(f"<nc:config {NC}>{example(by_hand)}</nc:config>")
        assert computed.held() == written.held() == device(*held).held()
        assert operations(change.forward) == operations(example(by_hand))

    def test_another_policy_sends_two_leaves(self) -> None:
        change = XML.change([QOS], [QOS.replace("200-50", "500-100")], others(DAY_ZERO, BEARER, VLAN))
        leaves = [element for element in etree.fromstring(change.forward).iter() if not len(element) and "name" not in element.tag]
        assert [leaf.text for leaf in leaves] == ["BW-500-100-RES-UP", "BW-500-100-RES-DOWN"]
        assert operations(change.forward) == {"create": 0, "delete": 0}

    def test_nothing_is_sent_when_it_is_there_already(self) -> None:
        assert XML.change([VLAN], [VLAN], others(DAY_ZERO, BEARER)) == Change("", "")
        assert XML.change([], [VLAN], others(DAY_ZERO, BEARER, VLAN)) == Change("", "")
        assert XML.show(Change("", "")) == ""

    def test_steps_of_one_order_that_meet_on_the_device_are_one_config(self) -> None:
        change = XML.change([], [BEARER, VLAN, QOS], others(DAY_ZERO))
        olt = device(DAY_ZERO)
        olt.edit(change.forward)
        assert olt.held() == device(DAY_ZERO, BEARER, VLAN, QOS).held()
        assert change.forward.count("<if:interfaces>") == 1


class TestShared:
    """A second subscriber in VLAN 1042: forwarder and uplink are there already, and must stay as long as somebody needs them."""

    SHARED = re.sub(r"(<name>uplink-1.1042</name>\s*<description>)[^<]*", r"\1VLAN 1042", VLAN)
    SECOND = SHARED.replace("3.12.1", "3.12.2").replace("SI-INT-4821", "SI-INT-4822")

    def test_the_second_service_sends_only_its_own_port(self) -> None:
        change = XML.change([], [self.SECOND], others(DAY_ZERO, self.SHARED))
        created = etree.fromstring(change.forward).xpath("//*[@nc:operation]", namespaces={"nc": "urn:ietf:params:xml:ns:netconf:base:1.0"})
        names = [str(element.findtext("{*}name")) for element in created]
        assert names == ["uni-3.12.2-1.1042", "olt-v-enet-3.12.2.1042", "user-3.12.2"]
        assert "uplink" not in change.forward

    def test_the_first_to_leave_takes_only_its_own_port(self) -> None:
        change = XML.change([self.SHARED], [], others(DAY_ZERO, self.SECOND))
        olt = device(DAY_ZERO, self.SHARED, self.SECOND)
        olt.edit(change.forward)
        assert olt.held() == device(DAY_ZERO, self.SECOND).held()

    def test_the_last_to_leave_takes_the_forwarder(self) -> None:
        change = XML.change([self.SECOND], [], others(DAY_ZERO))
        assert "fwd-1042" in change.forward
        assert "user-3.12.2" not in change.forward, "the port goes with its forwarder"

    def test_another_value_of_a_shared_leaf_is_refused_with_path_and_values(self) -> None:
        with pytest.raises(ChangeConflict) as caught:
            XML.change([], [VLAN.replace("3.12.1", "3.12.2")], others(DAY_ZERO, self.SHARED))
        assert "/if:interfaces/interface[name='uplink-1.1042']/description" in str(caught.value)
        assert "SI-INT-4821" in str(caught.value)
        assert "VLAN 1042" in str(caught.value)

    def test_a_secret_is_neither_in_the_conflict_nor_in_the_index_nor_shown(self) -> None:
        radius = (
            '<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><radius><server><name>r</name><udp>'
            "<address>10.0.0.1</address><shared-secret>{}</shared-secret></udp></server></radius></system>"
        )
        nodes = XML.nodes(radius.format("hunter2"))
        assert not any("hunter2" in node.value for node in nodes)
        with pytest.raises(ChangeConflict) as caught:
            XML.change([], [radius.format("hunter2")], others(radius.format("swordfish")))
        assert "shared-secret" in str(caught.value)
        assert not re.search("hunter2|swordfish|sha256", str(caught.value))
        shown = XML.show(XML.change([radius.format("swordfish")], [radius.format("hunter2")], {}))
        assert shown.count(MASK) == 2
        assert not re.search("hunter2|swordfish", shown)

    def test_the_cost_depends_on_the_fragment_not_on_how_many_share_the_device(self) -> None:
        class Counting(Mapping[str, frozenset[str]]):
            def __init__(self, inside: dict[str, frozenset[str]]) -> None:
                self.inside, self.asked = inside, 0

            def __getitem__(self, path: str) -> frozenset[str]:
                self.asked += 1
                return self.inside[path]

            def __iter__(self) -> Iterator[str]:
                raise AssertionError("what others state must be asked for by path, not gone through")

            def __len__(self) -> int:
                return len(self.inside)

        asked = []
        for services in (10, 30_000):
            index = Counting(
                others(DAY_ZERO, self.SHARED) | {f"/if:interfaces/interface[name='{n}']": frozenset({""}) for n in range(services)}
            )
            XML.change([], [self.SECOND], index)
            asked.append(index.asked)
        assert asked[0] == asked[1] <= 3 * len(XML.nodes(self.SECOND))


class TestYang:
    def test_paths_are_instance_identifiers_with_a_prefix_where_the_module_changes(self) -> None:
        paths = dict(XML.nodes(BEARER))
        assert paths["/if:interfaces/interface[name='v-ani-3.12.1']/bbf-xponvani:v-ani/onu-id"] == "1"
        assert paths["/if:interfaces/interface[name='v-ani-3.12.1']/type"] == "{urn:bbf:yang:bbf-xpon-if-type}v-ani"
        assert "/if:interfaces" not in paths, "a container without presence is no statement"

    def test_prefixes_white_space_and_order_of_siblings_do_not_count(self) -> None:
        one = interface("x", '<type xmlns:a="urn:ietf:params:xml:ns:yang:iana-if-type">a:ethernetCsmacd</type><enabled>true</enabled>')
        two = interface("x", '<enabled> true\n</enabled><type xmlns:zz="urn:ietf:params:xml:ns:yang:iana-if-type">zz:ethernetCsmacd</type>')
        assert not XML.change([one], [two], {})

    def test_prefixes_within_values_survive_a_copy_by_lxml(self) -> None:
        # ncclient copies what it sends into its <rpc>; there lxml drops declarations that it finds redundant
        forward = XML.change([], [DAY_ZERO], {}).forward
        rpc = etree.fromstring('<nc:rpc xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><nc:edit-config/></nc:rpc>')
        rpc[0].append(etree.fromstring(forward))
        sent = etree.fromstring(etree.tostring(rpc))[0][0]
        for element in sent.iter():
            prefix, colon, _ = (element.text or "").partition(":")
            assert not colon or prefix in element.nsmap or element.tag.endswith("syntax")
        assert etree.tostring(sent, method="c14n", exclusive=False) == etree.tostring(etree.fromstring(forward), method="c14n")

    def test_containers_without_presence_are_never_created_or_deleted(self) -> None:
        tpid = interface(
            "x", '<interface-usage xmlns="urn:bbf:yang:bbf-interface-usage"><interface-usage>user-port</interface-usage></interface-usage>'
        )
        change = XML.change([tpid], [interface("x", "")], {})
        deleted = etree.fromstring(change.forward).xpath(
            "//*[@nc:operation='delete']", namespaces={"nc": "urn:ietf:params:xml:ns:netconf:base:1.0"}
        )
        assert [element.tag for element in deleted] == ["{urn:bbf:yang:bbf-interface-usage}interface-usage"]
        assert len(deleted[0]) == 0

    def test_a_container_with_presence_is_a_statement_of_its_own(self) -> None:
        relay = '<l2-dhcpv4-relay xmlns="urn:bbf:yang:bbf-l2-dhcpv4-relay"><enable>true</enable></l2-dhcpv4-relay>'
        change = XML.change([interface("x", relay)], [interface("x", "")], {})
        assert 'l2-dhcpv4-relay nc:operation="delete"' in change.forward
        assert "enable" not in change.forward

    def test_another_case_of_a_choice_is_created_after_the_first_is_deleted(self) -> None:
        def tagged(case: str) -> str:
            return interface(
                "x",
                '<inline-frame-processing xmlns="urn:bbf:yang:bbf-sub-interfaces"><ingress-rule><rule><name>r</name><flexible-match>'
                f'<match-criteria xmlns="urn:bbf:yang:bbf-sub-interface-tagging"><{case}/></match-criteria>'
                "</flexible-match></rule></ingress-rule></inline-frame-processing>",
            )

        change = XML.change([tagged("untagged")], [tagged("match-all")], {})
        assert change.forward.index("untagged") < change.forward.index("match-all")
        olt = device(tagged("untagged"))
        olt.edit(change.forward)
        assert olt.held() == device(tagged("match-all")).held()
        with pytest.raises(ChangeConflict, match=r"\(vlan-tag-match-type\): wanted match-all, but somebody else states untagged"):
            XML.change([], [tagged("match-all")], others(tagged("untagged")))

    def test_a_union_value_without_prefix_is_no_identity(self) -> None:
        tag = VLAN.replace(
            '<tag-type xmlns:bbf-dot1qt="urn:bbf:yang:bbf-dot1q-types">bbf-dot1qt:c-vlan</tag-type>', "<tag-type>34984</tag-type>"
        )
        assert "34984" in tag
        assert ":tag-type>34984</" in XML.change([], [tag], {}).forward


class TestUserOrdered:
    """`ordered-by user`: order is meaning (RFC 7950 7.7.7)."""

    @staticmethod
    def policy(*classifiers: str) -> str:
        entries = "".join(f"<classifiers><name>{name}</name></classifiers>" for name in classifiers)
        return f'<policies xmlns="urn:bbf:yang:bbf-qos-policies"><policy><name>P</name>{entries}</policy></policies>'

    @staticmethod
    def search(*domains: str) -> str:
        entries = "".join(f"<search>{domain}</search>" for domain in domains)
        return f'<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><dns-resolver>{entries}</dns-resolver></system>'

    @pytest.mark.parametrize("kind", ["policy", "search"])
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("ac", "abc"),
            ("bc", "abc"),
            ("ab", "abc"),
            ("abc", "ac"),
            ("abc", "cab"),
            ("abcd", "dcba"),
            ("abc", "xcy"),
            ("", "ab"),
            ("ab", ""),
        ],
    )
    def test_the_order_becomes_the_wanted_one_and_goes_back(self, kind: str, before: str, after: str) -> None:
        old, new = ([getattr(self, kind)(*entries)] if entries else [] for entries in (before, after))
        change = XML.change(old, new, {})
        olt = device(*old)
        olt.edit(change.forward)
        assert olt.held() == device(*new).held()
        olt.edit(change.reverse)
        assert olt.held() == device(*old).held()

    @pytest.mark.parametrize(("before", "after", "placed"), [("ac", "abc", 1), ("abcd", "dabc", 1), ("ab", "abc", 0), ("abc", "ab", 0)])
    def test_only_what_is_out_of_place_is_placed(self, before: str, after: str, placed: int) -> None:
        assert XML.change([self.policy(*before)], [self.policy(*after)], {}).forward.count("y:insert=") == placed

    def test_an_identity_as_value_of_a_place_is_written_with_its_prefix(self) -> None:
        def order(*names: str) -> str:
            entries = "".join(f"<user-authentication-order>s:{name}</user-authentication-order>" for name in names)
            head = (
                '<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system" xmlns:s="urn:ietf:params:xml:ns:yang:ietf-system"><authentication>'
            )
            return f"{head}{entries}</authentication></system>"

        change = XML.change([order("radius", "local-users")], [order("local-users", "radius")], {})
        olt = device(order("radius", "local-users"))
        olt.edit(change.forward)
        assert olt.held() == device(order("local-users", "radius")).held()

    def test_who_states_such_a_list_states_all_of_it(self) -> None:
        with pytest.raises(ChangeConflict, match="classifiers"):
            XML.change([], [self.policy("a", "b")], others(self.policy("a")))
        assert not XML.change([], [self.policy("a", "b")], others(self.policy("a", "b")))

    def test_two_of_one_transaction_must_mean_the_same(self) -> None:
        with pytest.raises(ChangeConflict, match="classifiers"):
            XML.change([], [self.policy("a", "b"), self.policy("b", "a")], {})


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (f"\n<interfaces {IF}><interfce/></interfaces>", "line 2: <interfce> of namespace .* is not known"),
            ("<interfaces/>", "<interfaces> of namespace '' is not known"),
            (f"<interfaces {IF}><interface/></interfaces>", "lacks its key <name>"),
            (f"<interfaces {IF}>text</interfaces>", "holds text beside elements"),
            (interface("x", "<enabled><b/></enabled>"), "is a leaf, but holds elements"),
            (interface("x", "<type>q:x</type>"), "prefix 'q' is not declared"),
            (interface("x", '<type xmlns:q="urn:q">q:x</type>'), "of a module that is not known"),
            (interface("x", "<description>a</description><description>b</description>"), "stated twice"),
            (f'<interfaces {IF} {NC} nc:operation="delete"/>', "has attributes"),
            ("<a>", "line 1: not well-formed XML"),
            ("hello", "the top level holds text beside elements"),
            (interface("x", "<enabled>true</enabled>stray"), "holds text beside elements"),
            ('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + interface("&e;", ""), "not well-formed XML"),
            (interface("a&hunter2;", ""), "not well-formed XML: an & that is not escaped, or an entity$"),
            (
                interface(
                    "x",
                    '<inline-frame-processing xmlns="urn:bbf:yang:bbf-sub-interfaces"><ingress-rule><rule><name>r</name><flexible-match>'
                    '<match-criteria xmlns="urn:bbf:yang:bbf-sub-interface-tagging"><untagged/><match-all/></match-criteria>'
                    "</flexible-match></rule></ingress-rule></inline-frame-processing>",
                ),
                "only one of its cases can be",
            ),
        ],
    )
    def test_what_a_template_must_not_render(self, text: str, message: str) -> None:
        with pytest.raises(TemplateFailed, match=message):
            XML.parse(text)

    def test_a_device_may_hold_what_we_do_not_know(self) -> None:
        held = interface("x", '<vendor xmlns="urn:vendor">1</vendor><enabled>true</enabled>') + '<more xmlns="urn:vendor"/>'
        assert [node.path for node in XML.nodes(held)] == [
            "/if:interfaces/interface[name='x']",
            "/if:interfaces/interface[name='x']/enabled",
        ]

    def test_an_xpath_of_a_device_may_name_modules_that_we_do_not_know(self) -> None:
        rule = (
            '<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm"><rule-list><name>l</name><rule><name>r</name>'
            '<path xmlns:v="urn:vendor" xmlns:i="urn:ietf:params:xml:ns:yang:ietf-interfaces">/i:interfaces/v:x</path>'
            "</rule></rule-list></nacm>"
        )
        assert dict(XML.nodes(rule))["/nacm:nacm/rule-list[name='l']/rule[name='r']/path"] == "/if:interfaces/v:x"
        with pytest.raises(TemplateFailed, match="prefix 'v'"):
            XML.parse(rule)


class TestShown:
    def test_what_comes_what_goes_and_where(self) -> None:
        change = XML.change([QOS], [QOS.replace("RES-UP", "BIZ-UP")], others(DAY_ZERO, BEARER, VLAN))
        assert XML.show(change).splitlines() == [
            "  <if:interfaces>",
            "    <interface>",
            "      <name>olt-v-enet-3.12.1.1042</name>",
            "-     <bbf-qos-pol:ingress-qos-policy-profile>BW-200-50-RES-UP</bbf-qos-pol:ingress-qos-policy-profile>",
            "+     <bbf-qos-pol:ingress-qos-policy-profile>BW-200-50-BIZ-UP</bbf-qos-pol:ingress-qos-policy-profile>",
            "    </interface>",
            "  </if:interfaces>",
        ]

    def test_of_what_is_deleted_everything_is_shown(self) -> None:
        change = XML.change([BEARER], [], others(DAY_ZERO))
        assert "onu-id" not in change.forward
        gone = XML.show(change).splitlines()
        assert "-       <onu-id>1</onu-id>" in gone
        assert [line for line in gone if line.startswith("+")] == []

    def test_a_move_says_where_to(self) -> None:
        policy = TestUserOrdered.policy
        shown = XML.show(XML.change([policy("a", "b")], [policy("b", "a")], {}))
        assert '+     <classifiers insert="first">' in shown
