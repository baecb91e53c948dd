"""What is looked at on the OLT before a change is confirmed, on lines as the templates render them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from lab_targets import Target
from nornir.core.inventory import Host
from pushes import push_of, undone

from engine.ports import Change, CheckRequest, CheckResult, TransactionState
from tasks.change import for_platform
from tasks.kinds.netconf import NETCONF
from tasks.render import render

_ROOT = Path(__file__).parents[3] / "templates"
TEMPLATES = {str(path.relative_to(_ROOT)): path.read_text() for path in _ROOT.rglob("*.j2")}
LINE: Mapping[str, object] = {
    "port": {"slug": "2.16", "onu_slug": "2.16.1", "onu": 1},
    "ont": {"pon_serial": "HWTC00000216"},
    "service": {"id": "SI-INT-216"},
    "vlan": {"vid": 2216},
    "c": {"upload": "50M"},
}
BEARER = {"channel_termination": "CT-2.16", "v_ani": "v-ani-2.16.1", "serial": "HWTC00000216"}
VLAN = {"interfaces": "olt-v-enet-2.16.1.2216, uplink-1.2216", "forwarder": "fwd-2216"}

Look = Callable[[str, Mapping[str, str]], CheckResult]


@pytest.fixture
def look(olt: Target, opened: Callable[[Host], Host]) -> Iterator[Look]:
    """Creates a line, looks at something, and takes the line away again, whatever was seen."""
    host = opened(olt.host())
    before = olt.remote.state()["running"]
    texts = [render("bbf-olt", template, LINE, TEMPLATES) for template in ("gpon-bearer", "vlan-service")]
    line: Change = for_platform("bbf-olt").change([], texts, {})

    def at(name: str, arguments: Mapping[str, str]) -> CheckResult:
        outcome = NETCONF.push(push_of("OLT-EAST-07", line, CheckRequest(1, name, arguments), timeout=2), host)
        (result,) = outcome.checks
        assert outcome.state is (TransactionState.CONFIRMED if result.passed else TransactionState.REVERSED)
        if result.passed:
            assert NETCONF.push(push_of("OLT-EAST-07", undone(line)), host).state is TransactionState.CONFIRMED
        return result

    yield at
    assert olt.remote.state()["running"] == before


def test_a_bearer_is_up_before_the_ont_is_there(look: Look) -> None:
    result = look("bearer-up", BEARER)
    assert (result.passed, result.evidence) == (True, "PON port CT-2.16 is up, v-ani-2.16.1 expects ONT HWTC00000216")


@pytest.mark.parametrize(
    ("other", "evidence"),
    [
        ({"channel_termination": "CT-9.9"}, "PON port CT-9.9 is not there"),
        ({"v_ani": "v-ani-9.9.1"}, "v-ani-9.9.1 expects ONT (none) instead of HWTC00000216"),
        ({"serial": "HWTC00000217"}, "v-ani-2.16.1 expects ONT HWTC00000216 instead of HWTC00000217"),
        ({"serial": ""}, "the catalogue must give channel_termination, v_ani and serial"),
    ],
)
def test_a_bearer_that_is_not_up(look: Look, other: Mapping[str, str], evidence: str) -> None:
    result = look("bearer-up", {**BEARER, **other})
    assert (result.passed, result.evidence) == (False, evidence)


def test_a_pon_port_that_is_down(olt: Target, look: Look, opened: Callable[[Host], Host]) -> None:
    down = (
        '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"><interface><name>CT-2.16</name><enabled>{}</enabled></interface>'
        "</interfaces>"
    )
    host = opened(olt.host())
    shut = Change(down.format("false"), down.format("true"))
    assert NETCONF.push(push_of("OLT-EAST-07", shut), host).state is TransactionState.CONFIRMED
    try:
        result = look("bearer-up", BEARER)
    finally:
        assert NETCONF.push(push_of("OLT-EAST-07", undone(shut)), host).state is TransactionState.CONFIRMED
    assert (result.passed, result.evidence) == (False, "PON port CT-2.16 is down")


def test_a_vlan_is_forwarded(look: Look) -> None:
    result = look("vlan-forwarding", VLAN)
    assert (result.passed, result.evidence) == (True, "forwarder fwd-2216 joins olt-v-enet-2.16.1.2216, uplink-1.2216")


@pytest.mark.parametrize(
    ("other", "evidence"),
    [
        ({"interfaces": "uplink-1.9"}, "there is no interface uplink-1.9"),
        ({"interfaces": "uplink-1.2216, uplink-1"}, "forwarder fwd-2216 does not join uplink-1"),
        ({"forwarder": "fwd-9"}, "forwarder fwd-9 does not join olt-v-enet-2.16.1.2216, uplink-1.2216"),
        ({"forwarder": ""}, "the catalogue must give interfaces and forwarder"),
    ],
)
def test_a_vlan_that_is_not_forwarded(look: Look, other: Mapping[str, str], evidence: str) -> None:
    result = look("vlan-forwarding", {**VLAN, **other})
    assert (result.passed, result.evidence) == (False, evidence)


def test_read_back_as_sent(look: Look) -> None:
    result = look("readback", {})
    assert (result.passed, result.evidence) == (True, "read back as sent")
