"""Does a device hold what an edit-config says?"""

from __future__ import annotations

import pytest

from tasks.netconf.readback import differences, summary
from tasks.netconf.xml import config_text, parse

_IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
_NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
_XPON = "urn:bbf:yang:bbf-xpon-if-type"


def interfaces(*entries: str) -> str:
    return f'<interfaces xmlns="{_IF}" xmlns:nc="{_NC}" xmlns:a="{_XPON}">{"".join(entries)}</interfaces>'


def data(*entries: str) -> str:
    return f'<data xmlns="{_NC}"><interfaces xmlns="{_IF}" xmlns:b="{_XPON}" xmlns:a="urn:other">{"".join(entries)}</interfaces></data>'


def found(change: str, held: str) -> list[str]:
    return list(differences(parse(config_text(change)), parse(held)))


ENTRY = '<interface nc:operation="create"><name>x</name><type>a:v-ani</type><enabled>true</enabled></interface>'
HELD = "<interface><name>x</name><enabled>true</enabled><type>b:v-ani</type></interface>"


def test_it_holds_it_whatever_the_order_and_the_prefixes() -> None:
    assert found(interfaces(ENTRY), data("<interface><name>w</name></interface>", HELD)) == []


@pytest.mark.parametrize(
    ("held", "difference"),
    [
        ("<interface><name>y</name></interface>", "interfaces/interface[x] is not there"),
        (HELD.replace("true", "false"), "interfaces/interface/enabled is 'false' instead of 'true'"),
        (HELD.replace("b:v-ani", "a:v-ani"), "interfaces/interface/type is 'a:v-ani' instead of 'a:v-ani'"),
        (HELD.replace("<enabled>true</enabled>", ""), "interfaces/interface/enabled is not there"),
    ],
)
def test_what_is_missing_or_other_is_named(held: str, difference: str) -> None:
    assert found(interfaces(ENTRY), data(held)) == [difference]


def test_what_shall_be_gone_and_is_still_there() -> None:
    delete = interfaces('<interface nc:operation="delete"><name>x</name></interface>')
    assert found(delete, data(HELD)) == ["interfaces/interface[x] is still there"]
    assert found(delete, data()) == []
    assert found(delete, f'<data xmlns="{_NC}"/>') == []


def test_a_leaf_that_shall_be_gone_from_an_entry_that_stays() -> None:
    delete = interfaces('<interface><name>x</name><description nc:operation="remove"/></interface>')
    assert found(delete, data(HELD)) == []
    assert found(delete, data("<interface><name>x</name><description>d</description></interface>")) == [
        "interfaces/interface/description is still there"
    ]
    assert found(delete, data()) == []


def test_a_merged_leaf_needs_its_entry() -> None:
    merge = interfaces("<interface><name>x</name><description>d</description></interface>")
    assert found(merge, data()) == ["interfaces/interface/description is not there"]


def test_entries_of_a_leaf_list_are_told_apart_by_value() -> None:
    relay = "urn:bbf:yang:bbf-l2-dhcpv4-relay"
    profile = (
        f'<l2-dhcpv4-relay-profiles xmlns="{relay}" xmlns:nc="{_NC}"><l2-dhcpv4-relay-profile><name>R</name><option82-format>'
        "<suboptions{}>circuit-id</suboptions></option82-format></l2-dhcpv4-relay-profile></l2-dhcpv4-relay-profiles>"
    )
    held = f'<data xmlns="{_NC}">{profile.format("").replace("circuit-id", "remote-id")}</data>'
    assert len(found(profile.format(""), held)) == 1
    assert found(profile.format(' nc:operation="delete"'), held) == []


def test_many_differences_are_summed_up() -> None:
    assert summary(tuple("abcdefg")) == "a; b; c; d; e and 2 more"
    assert summary(("a",)) == "a"


def test_a_config_element_is_taken_as_it_is() -> None:
    config = f'<config xmlns="{_NC}"><a xmlns="urn:x" xmlns:p="urn:p">p:v</a></config>'
    assert config_text(config) == config
    assert parse(config_text("<a xmlns='urn:x'/><b xmlns='urn:x'/>")).tag == f"{{{_NC}}}config"


def test_no_entity_is_read_from_outside() -> None:
    evil = f'<!DOCTYPE data [<!ENTITY e SYSTEM "file:///etc/hostname">]><data xmlns="{_NC}">&e;</data>'
    assert not (parse(evil).text or "").strip()
