"""Loading, comparing and checking Junos configuration, as the router words it."""

import pytest
from lxml import etree

from lab.junos import curly, jxml, setlines
from lab.junos.check import commit_check
from lab.junos.loading import Load
from lab.junos.tree import EMPTY, Tree

DAY0 = """
set interfaces ge-0/0/1 flexible-vlan-tagging
set interfaces lo0 unit 0 family inet address 10.42.17.1/32
set firewall policer UP if-exceeding bandwidth-limit 50m
set firewall policer UP then discard
set class-of-service traffic-control-profiles DOWN shaping-rate 200m
"""
LINE = """
set interfaces ge-0/0/1 unit 1042 description "SI-INT-4821 OLT-EAST-07 3/12/1"
set interfaces ge-0/0/1 unit 1042 vlan-id 1042
set interfaces ge-0/0/1 unit 1042 family inet policer input UP
set interfaces ge-0/0/1 unit 1042 family inet unnumbered-address lo0.0 preferred-source-address 10.42.17.1
set class-of-service interfaces ge-0/0/1 unit 1042 output-traffic-control-profile DOWN
"""


def load(lines: str, tree: Tree = EMPTY) -> Load:
    onto = Load(tree)
    setlines.load(lines, onto)
    return onto


def tree(lines: str) -> Tree:
    onto = load(lines)
    assert not onto.errors
    return onto.tree


def test_text_format() -> None:
    assert "\n".join(curly.write(tree(DAY0))) == (
        "interfaces {\n"
        "    ge-0/0/1 {\n"
        "        flexible-vlan-tagging;\n"
        "    }\n"
        "    lo0 {\n"
        "        unit 0 {\n"
        "            family inet {\n"
        "                address 10.42.17.1/32;\n"
        "            }\n"
        "        }\n"
        "    }\n"
        "}\n"
        "class-of-service {\n"
        "    traffic-control-profiles DOWN {\n"
        "        shaping-rate 200m;\n"
        "    }\n"
        "}\n"
        "firewall {\n"
        "    policer UP {\n"
        "        if-exceeding {\n"
        "            bandwidth-limit 50m;\n"
        "        }\n"
        "        then discard;\n"
        "    }\n"
        "}"
    )


def test_comparison() -> None:
    before = tree(DAY0 + LINE)
    after = load(
        "set interfaces ge-0/0/1 unit 1042 vlan-id 1043\n"
        "set interfaces ge-0/0/1 unit 1042 family inet rpf-check\n"
        "set interfaces ge-0/0/1 unit 1042 family inet unnumbered-address lo0.0 preferred-source-address 10.42.17.2\n"
        "delete firewall policer UP then\n"
        "delete class-of-service interfaces",
        before,
    ).tree
    assert "\n".join(curly.compare(before, after)) == (
        "[edit interfaces ge-0/0/1 unit 1042]\n"
        "-   vlan-id 1042;\n"
        "+   vlan-id 1043;\n"
        "[edit interfaces ge-0/0/1 unit 1042 family inet]\n"
        "+   rpf-check;\n"
        "-   unnumbered-address lo0.0 preferred-source-address 10.42.17.1;\n"
        "+   unnumbered-address lo0.0 preferred-source-address 10.42.17.2;\n"
        "[edit class-of-service]\n"
        "-   interfaces {\n"
        "-       ge-0/0/1 {\n"
        "-           unit 1042 {\n"
        "-               output-traffic-control-profile DOWN;\n"
        "-           }\n"
        "-       }\n"
        "-   }\n"
        "[edit firewall policer UP]\n"
        "-   then discard;"
    )


@pytest.mark.parametrize(
    ("line", "message", "place", "word"),
    [
        ("frobnicate z", "syntax error", "[edit]", "frobnicate"),
        ("set frobnicate z", "syntax error", "[edit]", "frobnicate"),
        ("set interfaces ge-0/0/1 unit 1 nonsense", "syntax error", "[edit interfaces ge-0/0/1 unit 1]", "nonsense"),
        ("set interfaces ge-0/0/1 unit 1 vlan-id", "missing argument", "[edit interfaces ge-0/0/1 unit 1]", "vlan-id"),
        (
            "set interfaces ge-0/0/1 unit 1 vlan-id 4095",
            "Value 4095 is not within range (1..4094)",
            "[edit interfaces ge-0/0/1 unit 1]",
            "4095",
        ),
        ("set interfaces ge-0/0/1 unit 1 vlan-id x", "invalid numeric value: 'x'", "[edit interfaces ge-0/0/1 unit 1]", "x"),
        ("set interfaces eth0 mtu 1500", "invalid interface type in 'eth0'", "[edit interfaces]", "eth0"),
        (
            "set firewall policer P if-exceeding bandwidth-limit 50x",
            "invalid numeric value: '50x'",
            "[edit firewall policer P if-exceeding]",
            "50x",
        ),
        (
            "set firewall policer P if-exceeding bandwidth-limit 1k",
            "Value 1000 is not within range (8000..100000000000000)",
            "[edit firewall policer P if-exceeding]",
            "1k",
        ),
        (
            "set interfaces lo0 unit 0 family inet address 10.0.0.300/32",
            "invalid prefix: 10.0.0.300/32",
            "[edit interfaces lo0 unit 0 family inet]",
            "10.0.0.300/32",
        ),
    ],
)
def test_what_is_refused_and_where(line: str, message: str, place: str, word: str) -> None:
    onto = load(f"set system host-name kept\n{line}\nset system domain-name kept")
    (error,) = onto.errors
    assert error.path is not None
    assert (error.message, error.path.text, error.info) == (message, place, (("bad-element", word),))
    # as in Junos, what is right is loaded
    assert list(setlines.lines(onto.tree)) == ["set system host-name kept", "set system domain-name kept"]


def test_deleting_what_is_not_there_is_a_warning() -> None:
    onto = load("delete interfaces ge-0/0/1 unit 7\ndelete firewall", tree("set interfaces ge-0/0/1 mtu 9000"))
    assert not onto.errors
    assert [(warning.severity, warning.message) for warning in onto.warnings] == [("warning", "statement not found")] * 2


def test_what_is_left_after_a_delete() -> None:
    """As in Junos an entry stays though it is empty, and a container goes with the last that was in it."""
    before = tree(LINE + "set protocols router-advertisement interface ge-0/0/1.5 default-lifetime 9")
    after = load(
        "delete class-of-service interfaces ge-0/0/1 unit 1042\ndelete protocols router-advertisement interface ge-0/0/1.5", before
    ).tree
    assert [line for line in setlines.lines(after) if "interfaces ge-0/0/1 unit" not in line] == [
        "set class-of-service interfaces ge-0/0/1"
    ]


def test_deleting_a_leaf_with_or_without_its_value() -> None:
    for line in ("delete interfaces ge-0/0/1 unit 1 vlan-id", "delete interfaces ge-0/0/1 unit 1 vlan-id 5"):
        assert list(setlines.lines(load(line, tree("set interfaces ge-0/0/1 unit 1 vlan-id 5")).tree)) == ["set interfaces ge-0/0/1 unit 1"]


def test_rates_are_kept_with_the_largest_suffix() -> None:
    profile = "set class-of-service traffic-control-profiles P shaping-rate 1000m"
    policer = "set firewall policer P if-exceeding burst-size-limit 625000"
    lines = list(setlines.lines(tree(f"{profile}\n{policer}")))
    assert lines == [
        "set class-of-service traffic-control-profiles P shaping-rate 1g",
        "set firewall policer P if-exceeding burst-size-limit 625k",
    ]


def test_several_statements_on_a_line() -> None:
    line = "set firewall policer P if-exceeding bandwidth-limit 50m burst-size-limit 625k"
    assert len(list(setlines.lines(tree(line)))) == 2


def xml(document: str, onto: Tree = EMPTY) -> Load:
    found = Load(onto)
    jxml.load(etree.fromstring(document), found)
    return found


@pytest.mark.parametrize(
    "mark", ['delete="delete"', 'operation="delete"', 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="delete"']
)
def test_xml_deletes(mark: str) -> None:
    unit = f"<unit {mark}><name>1042</name></unit>"
    after = xml(f"<configuration><interfaces><interface><name>ge-0/0/1</name>{unit}</interface></interfaces></configuration>", tree(LINE))
    assert not [line for line in setlines.lines(after.tree) if line.startswith("set interfaces ge-0/0/1 unit")]


def test_xml_replaces() -> None:
    unit = '<unit replace="replace"><name>1042</name><vlan-id>7</vlan-id></unit>'
    after = xml(f"<configuration><interfaces><interface><name>ge-0/0/1</name>{unit}</interface></interfaces></configuration>", tree(LINE))
    assert "set interfaces ge-0/0/1 unit 1042 vlan-id 7" in setlines.lines(after.tree)
    assert not [line for line in setlines.lines(after.tree) if "description" in line]


def test_xml_of_devices_and_of_the_yang_modules() -> None:
    """A container and its entry of the same name are one element on devices, and two in Juniper's YANG modules."""
    entry = "<name>KEA</name><address><name>172.31.0.2</name></address>"
    for groups in (f"<server-group>{entry}</server-group>", f"<server-group><server-group>{entry}</server-group></server-group>"):
        found = xml(f"<configuration><forwarding-options><dhcp-relay>{groups}</dhcp-relay></forwarding-options></configuration>")
        assert list(setlines.lines(found.tree)) == ["set forwarding-options dhcp-relay server-group KEA 172.31.0.2"]


def test_xml_errors() -> None:
    found = xml(
        "<configuration><interfaces><interface><unit><name>1</name></unit></interface></interfaces><configuration/></configuration>"
    )
    assert [error.message for error in found.errors] == ["missing mandatory argument: name", "syntax error"]


def test_curly_marks_and_comments() -> None:
    onto = Load(tree(LINE))
    curly.load("/* a comment */ interfaces { ge-0/0/1 { delete: unit 1042; # gone\n replace: unit 7 { vlan-id 7; } frob 1 { x; } } }", onto)
    assert [line for line in setlines.lines(onto.tree) if line.startswith("set interfaces")] == ["set interfaces ge-0/0/1 unit 7 vlan-id 7"]
    assert [error.message for error in onto.errors] == ["syntax error"]


def test_a_configuration_that_goes_together() -> None:
    assert commit_check(tree(DAY0 + LINE)) == []


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        ("delete firewall", "[edit interfaces ge-0/0/1 unit 1042 family inet policer]", "Referenced policer 'UP' is not defined"),
        (
            "delete class-of-service traffic-control-profiles DOWN",
            "[edit class-of-service interfaces ge-0/0/1 unit 1042]",
            "Referenced traffic-control-profile 'DOWN' is not defined",
        ),
        (
            "delete interfaces lo0",
            "[edit interfaces ge-0/0/1 unit 1042 family inet]",
            "Unnumbered-address source interface 'lo0.0' is not configured",
        ),
        (
            "delete interfaces ge-0/0/1 flexible-vlan-tagging",
            "[edit interfaces ge-0/0/1 unit 1042]",
            "VLAN-ID can only be specified on tagged ethernet interfaces",
        ),
        (
            "set interfaces ge-0/0/1 unit 9 vlan-id 1042",
            "[edit interfaces ge-0/0/1 unit 9]",
            "duplicate VLAN-ID on interface: 1042 is that of unit 1042",
        ),
        (
            "set forwarding-options dhcp-relay group EAST-RES active-server-group KEA",
            "[edit forwarding-options dhcp-relay group EAST-RES]",
            "Active server group 'KEA' is not defined",
        ),
    ],
)
def test_a_commit_check_says_what_is_missing(change: str, place: str, message: str) -> None:
    found = commit_check(load(change, tree(DAY0 + LINE)).tree)
    assert [(error.path.text if error.path else None, error.message) for error in found] == [
        (place, message),
        (None, "configuration check-out failed"),
    ]
