"""get and get-config: subtree filters (RFC 6241 section 6), and the operational state of ports and ONTs."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from lxml import etree

from lab.netconf.schema import load_schema
from lab.netconf.yang import Yang
from tests.netconf_wire import IF, Device, Wire, interfaces, named

EXAMPLES = Path(__file__).resolve().parents[3] / "data" / "netconf"
XPON = "urn:bbf:yang:bbf-xpon"
VANI = "urn:bbf:yang:bbf-xponvani"
SERIAL = "HWTC02340098"


@pytest.fixture(scope="module", autouse=True)
def line(olt: Device) -> Iterator[None]:
    """The worked example's bearer and VLAN."""
    wire = Wire(olt.endpoint, olt.lab)
    wire.change("".join((EXAMPLES / f"{name}.data.xml").read_text() for name in ("10-roi001-gpon-bearer", "20-roi002-vlan-1042")))
    yield
    wire.close()


def names(data: etree._Element) -> list[str | None]:
    return [element.text for element in data.iter(f"{{{IF}}}name")]


def paths(element: etree._Element, above: str = "") -> list[str]:
    """The leaves of an answer, as local names."""
    here = f"{above}/{etree.QName(element).localname}"
    return (
        [path for child in element for path in paths(child, here)]
        if len(element)
        else [here + (f"={element.text}" if element.text else "")]
    )


def test_no_filter_is_everything_and_an_empty_one_nothing(wire: Wire) -> None:
    assert len(names(wire.running())) > 190
    assert len(wire.running("")) == 0
    assert len(wire.running('<interfaces xmlns="urn:example:no"/>')) == 0


def test_content_match_selects_the_entry(wire: Wire) -> None:
    assert names(wire.running(named("CT-3.12"))) == ["CT-3.12"]
    assert names(wire.running(interfaces("<interface><name>CT-3.12</name></interface><interface><name>uplink-1</name></interface>"))) == [
        "CT-3.12",
        "uplink-1",
    ]
    assert len(wire.running(named("nothing"))) == 0


def test_selection_and_containment(wire: Wire) -> None:
    data = wire.running(
        interfaces(f'<interface><name>CT-3.12</name><channel-termination xmlns="{XPON}"><location/></channel-termination></interface>')
    )
    (container,) = data
    assert paths(container) == [
        "/interfaces/interface/name=CT-3.12",
        "/interfaces/interface/channel-termination/location=bbf-xpon-types:inside-olt",
    ]


def test_content_match_on_what_is_not_the_key(wire: Wire) -> None:
    data = wire.running(interfaces("<interface><description>SI-INT-4821</description><name/></interface>"))
    assert sorted(str(name) for name in names(data)) == ["olt-v-enet-3.12.1.1042", "uplink-1.1042", "v-ani-3.12.1"]


def test_content_match_that_fails_deeper_keeps_what_else_is_asked(wire: Wire) -> None:
    wanted = interfaces(
        f'<interface><name>v-ani-3.12.1</name><v-ani xmlns="{VANI}"><onu-id>7</onu-id><expected-serial-number/></v-ani></interface>'
    )
    assert paths(wire.running(wanted)[0]) == ["/interfaces/interface/name=v-ani-3.12.1"]


def test_names_without_a_namespace_are_of_any(wire: Wire) -> None:
    assert names(wire.running('<interfaces xmlns=""><interface><name>CT-3.12</name></interface></interfaces>')) == ["CT-3.12"]


def test_an_attribute_matches_nothing(wire: Wire) -> None:
    assert len(wire.running(f'<interfaces xmlns="{IF}"><interface colour="red"/></interfaces>')) == 0


def test_containers_above_lists(wire: Wire) -> None:
    space = "urn:bbf:yang:bbf-xpongemtcont"
    data = wire.running(f'<xpongemtcont xmlns="{space}"><gemports/></xpongemtcont>')
    assert [etree.QName(child).localname for child in data[0]] == ["gemports"]
    assert data.findtext(f".//{{{space}}}gemport/{{{space}}}name") == "gem-3.12.1-1"


# --- state


def status(wire: Wire, name: str) -> str | None:
    return wire.get(named(name)).findtext(f".//{{{IF}}}oper-status")


def state_of(wire: Wire, name: str) -> etree._Element:
    data = wire.get(f'<interfaces-state xmlns="{IF}"><interface><name>{name}</name></interface></interfaces-state>')
    return data[0][0]


def plug(olt: Device, **wish: object) -> None:
    olt.remote.post("/onts", {"serial": SERIAL, **wish})


def test_the_bearer_is_up_before_the_ont_is_there(wire: Wire) -> None:
    assert status(wire, "CT-3.12") == "up"
    assert status(wire, "uplink-1") == "up"
    vani = state_of(wire, "v-ani-3.12.1").find(f"{{{VANI}}}v-ani")
    assert vani is not None
    assert vani.findtext(f"{{{VANI}}}onu-presence-state") == "bbf-xpon-onu-types:onu-not-present-with-v-ani"
    assert vani.find(f"{{{VANI}}}onu-present-on-this-olt") is None
    assert (status(wire, "v-ani-3.12.1"), status(wire, "olt-v-enet-3.12.1.1042"), status(wire, "uni-3.12.1-1")) == (
        "down",
        "lower-layer-down",
        "lower-layer-down",
    )


def test_an_ont_is_plugged_in_and_pulled_out(wire: Wire, olt: Device) -> None:
    plug(olt, present=True)
    vani = state_of(wire, "v-ani-3.12.1").find(f"{{{VANI}}}v-ani")
    assert vani is not None
    assert vani.findtext(f"{{{VANI}}}onu-presence-state") == "bbf-xpon-onu-types:onu-present-and-on-intended-channel-termination"
    assert vani.findtext(f".//{{{VANI}}}onu-present-on-this-channel-termination") == "CT-3.12"
    assert vani.findtext(f".//{{{VANI}}}detected-serial-number") == SERIAL
    assert [status(wire, name) for name in ("v-ani-3.12.1", "olt-v-enet-3.12.1.1042", "uni-3.12.1-1", "ani-3.12.1")] == ["up"] * 4
    (onu,) = state_of(wire, "CT-3.12").iter("{urn:bbf:yang:bbf-xpon-onu-state}onu")
    assert onu.findtext("{*}detected-serial-number") == SERIAL
    assert onu.findtext("{*}v-ani-ref") == "v-ani-3.12.1"
    plug(olt, present=False)
    assert status(wire, "v-ani-3.12.1") == "down"


def test_an_ont_that_nobody_expects_is_seen_at_its_port(wire: Wire, olt: Device) -> None:
    plug(olt, serial="ABCD00000001", port="CT-1.1")
    (onu,) = state_of(wire, "CT-1.1").iter("{urn:bbf:yang:bbf-xpon-onu-state}onu")
    assert onu.findtext("{*}onu-presence-state") == "bbf-xpon-onu-types:onu-present-and-no-v-ani-known-and-unclaimed"
    plug(olt, serial="ABCD00000001", present=False)


def test_a_serial_number_that_is_none_is_refused(olt: Device) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        plug(olt, serial="HWT2340098")


def test_a_disabled_interface_is_down(wire: Wire) -> None:
    wire.change(interfaces("<interface><name>CT-2.1</name><enabled>false</enabled></interface>"))
    assert status(wire, "CT-2.1") == "down"
    wire.change(interfaces("<interface><name>CT-2.1</name><enabled>true</enabled></interface>"))
    assert status(wire, "CT-2.1") == "up"


def test_state_is_what_the_modules_say(wire: Wire, olt: Device) -> None:
    """All of it parses as instance data of the YANG modules: names, places, types."""
    plug(olt, present=True)
    yang = Yang(load_schema())
    data = wire.get(f'<interfaces xmlns="{IF}"/><interfaces-state xmlns="{IF}"/>')
    assert len(data) == 2
    for top in data:
        yang.check_values(etree.tostring(top, encoding="unicode"))
    plug(olt, present=False)


def test_get_config_has_no_state(wire: Wire) -> None:
    assert wire.running(named("CT-3.12")).find(f".//{{{IF}}}oper-status") is None


def test_the_modules_are_listed(wire: Wire) -> None:
    monitoring = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
    data = wire.get(f'<netconf-state xmlns="{monitoring}"><schemas/></netconf-state>')
    listed = {schema.findtext(f"{{{monitoring}}}identifier"): schema for schema in data.iter(f"{{{monitoring}}}schema")}
    assert listed["ietf-interfaces"].findtext(f"{{{monitoring}}}version") == "2018-02-20"
    assert listed["bbf-xponvani-base"].findtext(f"{{{monitoring}}}namespace") == VANI


def test_a_line_card_is_fitted(wire: Wire, olt: Device) -> None:
    assert wire.get(named("CT-5.16")).findtext(f".//{{{IF}}}oper-status") is None
    olt.remote.post("/line-cards", {"slot": 5})
    assert (status(wire, "CT-5.1"), status(wire, "CT-5.16"), status(wire, "CT-3.12")) == ("up", "up", "up")
    wire.do("<validate><source><candidate/></source></validate>")  # what was there and what came fit together


def test_no_line_card_is_configured_while_somebody_else_changes_the_configuration(wire: Wire, olt: Device) -> None:
    wire.do("<lock><target><candidate/></target></lock>")
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        olt.remote.post("/line-cards", {"slot": 6})
    wire.do("<unlock><target><candidate/></target></unlock>")
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        olt.remote.post("/line-cards", {"slot": "six"})
    assert status(wire, "CT-6.1") is None
