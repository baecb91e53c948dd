"""edit-config in all its operations, over the wire (RFC 6241 section 7.2, RFC 7950 sections 7.5.8 to 7.9)."""

from collections.abc import Callable, Iterator

import pytest

from tests.netconf_wire import IF, NC, Wire, canonical, delete_interface, has_interface, interface, interfaces, named

POLICIES = "urn:bbf:yang:bbf-qos-policies"
POLICING = "urn:bbf:yang:bbf-qos-policing"


@pytest.fixture(autouse=True)
def as_before(connect: Callable[..., Wire]) -> Iterator[None]:
    """Leaves the OLT as it was."""
    before = canonical(connect().running())
    yield
    wire = connect()
    policies = "".join(
        f'<{name} xmlns="{space}" nc:operation="remove"/>' for name, space in (("policies", POLICIES), ("policing-profiles", POLICING))
    )
    wire.change(interfaces(*(delete_interface(name, "remove") for name in ("e1", "e2"))) + policies)
    assert canonical(wire.running()) == before


def leaf(wire: Wire, name: str, tag: str) -> str | None:
    return wire.running(named(name)).findtext(f".//{{{IF}}}interface/{{{IF}}}{tag}")


def test_merge_adds_and_changes(wire: Wire) -> None:
    wire.change(interfaces(interface("e1", more="<description>one</description>")))
    wire.change(interfaces("<interface><name>e1</name><enabled>false</enabled></interface>"))
    assert (leaf(wire, "e1", "description"), leaf(wire, "e1", "enabled")) == ("one", "false")


def test_replace_leaves_nothing_of_the_old(wire: Wire) -> None:
    wire.change(interfaces(interface("e1", more="<description>one</description>")))
    wire.change(interfaces(interface("e1", operation="replace", more="<enabled>true</enabled>")))
    assert (leaf(wire, "e1", "description"), leaf(wire, "e1", "enabled")) == (None, "true")


def test_create_in_a_new_entry_and_delete_of_a_leaf(wire: Wire) -> None:
    wire.change(interfaces(interface("e1", operation="create", more="<description>one</description>")))
    wire.change(interfaces('<interface><name>e1</name><description nc:operation="delete"/></interface>'))
    assert leaf(wire, "e1", "description") is None
    again = interfaces('<interface><name>e1</name><description nc:operation="delete"/></interface>')
    assert wire.tag(wire.edit(again)) == "data-missing"
    wire.change(again.replace("delete", "remove"))


def test_default_operation_none_touches_only_what_is_marked(wire: Wire) -> None:
    wire.change(interfaces(interface("e1", more="<description>one</description>")))
    config = interfaces(
        "<interface><name>e1</name><description>two</description><enabled nc:operation='create'>false</enabled></interface>"
    )
    wire.change(config, default="none")
    assert (leaf(wire, "e1", "description"), leaf(wire, "e1", "enabled")) == ("one", "false")
    assert wire.tag(wire.edit(interfaces(interface("e2")), default="none")) == "data-missing"


def test_default_operation_replace_replaces_the_datastore(wire: Wire) -> None:
    wire.do(wire.edit(interfaces(interface("e1")), default="replace"))
    data = wire.do("<get-config><source><candidate/></source></get-config>").find("nc:data", NC)
    assert data is not None
    assert [name.text for name in data.iter(f"{{{IF}}}name")] == ["e1"]
    wire.do("<discard-changes/>")


def test_an_operation_on_a_container_is_one_on_all_in_it(wire: Wire) -> None:
    wire.change(profile("P1", single(1000)) + profile("P2", single(2000)))
    wire.change(f'<policing-profiles xmlns="{POLICING}" nc:operation="delete"/>')
    assert wire.running(f'<policing-profiles xmlns="{POLICING}"/>').find("*") is None
    assert wire.tag(wire.edit(f'<policing-profiles xmlns="{POLICING}" nc:operation="delete"/>')) == "data-missing"
    wire.change(f'<policing-profiles xmlns="{POLICING}" nc:operation="remove"/>')


def single(rate: int) -> str:
    return f"<single-rate-two-color-marker><cir>{rate}</cir><cbs>1500</cbs></single-rate-two-color-marker>"


def double(rate: int) -> str:
    rates = f"<cir>{rate}</cir><cbs>1500</cbs><pir>{rate * 2}</pir><pbs>3000</pbs>"
    return f"<two-rate-three-color-marker>{rates}</two-rate-three-color-marker>"


def profile(name: str, marker: str) -> str:
    return f'<policing-profiles xmlns="{POLICING}"><policing-profile><name>{name}</name>{marker}</policing-profile></policing-profiles>'


def test_a_case_of_a_choice_replaces_the_other(wire: Wire) -> None:
    wire.change(profile("P1", single(1000)))
    wire.change(profile("P1", double(2000)))
    data = wire.running(f'<policing-profiles xmlns="{POLICING}"/>')
    assert data.find(".//{*}single-rate-two-color-marker") is None
    assert data.findtext(".//{*}two-rate-three-color-marker/{*}pir") == "4000"
    (error,) = wire.errors(wire.edit(profile("P1", single(1) + double(1))))
    assert error.findtext("nc:error-tag", namespaces=NC) == "bad-element"


def classifier(name: str) -> str:
    action = "<action-type>bbf-qos-cls:scheduling-traffic-class</action-type><scheduling-traffic-class>0</scheduling-traffic-class>"
    return (
        f"<classifier-entry><name>{name}</name><filter-operation>bbf-qos-cls:match-all-filter</filter-operation><match-criteria><match-all/>"
        f"</match-criteria><classifier-action-entry-cfg>{action}</classifier-action-entry-cfg></classifier-entry>"
    )


def test_a_list_that_the_user_orders(wire: Wire) -> None:
    """policies/policy/classifiers is `ordered-by user`: yang:insert says where an entry goes, and moves one that is there."""
    space = "urn:bbf:yang:bbf-qos-classifiers"
    names = [f"CL-ORDER-{letter}" for letter in "ABCD"]
    wire.change(f'<classifiers xmlns="{space}" xmlns:bbf-qos-cls="{space}">{"".join(map(classifier, names))}</classifiers>')

    def entry(name: str, where: str = "") -> str:
        return f"<classifiers {where}><name>{name}</name></classifiers>"

    def policy(*entries: str) -> str:
        attributes = 'xmlns:y="urn:ietf:params:xml:ns:yang:1"'
        return f'<policies xmlns="{POLICIES}" {attributes}><policy><name>POL</name>{"".join(entries)}</policy></policies>'

    def order() -> list[str]:
        data = wire.running(f'<policies xmlns="{POLICIES}"/>')
        return [(name.text or "")[-1] for name in data.iter(f"{{{POLICIES}}}name") if (name.text or "").startswith("CL-")]

    def beside(name: str) -> str:
        return f"[bbf-qos-pol:name='{name}']"

    a, b, c, d = names
    wire.change(policy(entry(a), entry(b)))
    assert order() == ["A", "B"]
    wire.change(policy(entry(c, 'y:insert="first"')))
    wire.change(policy(entry(d, f'y:insert="after" y:key="{beside(a)}"')))
    assert order() == ["C", "A", "D", "B"]
    wire.change(policy(entry(c, 'y:insert="last"')))
    wire.change(policy(entry(b, f'y:insert="before" y:key="{beside(a)}"')))
    assert order() == ["B", "A", "D", "C"]
    (error,) = wire.errors(wire.edit(policy(entry(a, f'y:insert="after" y:key="{beside("nobody")}"'))))
    assert error.findtext("nc:error-tag", namespaces=NC) == "bad-attribute"
    assert error.findtext("nc:error-app-tag", namespaces=NC) == "missing-instance"
    assert wire.tag(
        wire.edit(interfaces('<interface xmlns:y="urn:ietf:params:xml:ns:yang:1" y:insert="first"><name>e1</name></interface>'))
    ) == ("bad-attribute")
    deleted = "".join(f'<classifier-entry nc:operation="delete"><name>{name}</name></classifier-entry>' for name in names)
    wire.change(f'<policies xmlns="{POLICIES}" nc:operation="delete"/><classifiers xmlns="{space}">{deleted}</classifiers>')


def test_prefixes_of_identities_may_be_any_and_come_back_as_the_modules_own(wire: Wire) -> None:
    iana = "urn:ietf:params:xml:ns:yang:iana-if-type"
    for number, written in enumerate(
        (f'<type xmlns:zz="{iana}">zz:ethernetCsmacd</type>', f'<t:type xmlns:t="{IF}" xmlns="{iana}">ethernetCsmacd</t:type>')
    ):
        wire.change(interfaces(f"<interface><name>e{number + 1}</name>{written}</interface>"))
        kind = wire.running(named(f"e{number + 1}")).find(f".//{{{IF}}}type")
        assert kind is not None
        assert kind.text == "ianaift:ethernetCsmacd"
        assert kind.nsmap["ianaift"] == iana


def test_several_edits_are_one_commit(wire: Wire) -> None:
    wire.do(wire.edit(interfaces(interface("e1"))))
    wire.do(wire.edit(interfaces(delete_interface("e1"), interface("e2"))))
    wire.do("<commit/>")
    assert (has_interface(wire, "e1"), has_interface(wire, "e2")) == (False, True)
