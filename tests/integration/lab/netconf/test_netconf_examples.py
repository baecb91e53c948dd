"""The configuration of the worked example on the lab's OLT: applied step by step and taken back, running exactly as it was."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.netconf_wire import NC, Wire, canonical

EXAMPLES = Path(__file__).resolve().parents[3] / "data" / "netconf"
CREATE = ("10-roi001-gpon-bearer", "20-roi002-vlan-1042", "30-roi004-qos-200-50")
DELETE = ("90-delete-qos", "91-delete-vlan", "92-delete-bearer")


def example(name: str) -> str:
    """What goes into <config>. Prefixes are declared where the elements stand."""
    return (EXAMPLES / f"{name}.data.xml").read_text()


@pytest.fixture
def policies(wire: Wire) -> None:
    """The policing profiles and policies that come with orders, not with day-0."""
    kept = "policing-profiles|classifiers|policies|qos-policy-profiles"
    config = example("00-olt-baseline")
    wire.change("".join(match[0] for match in re.finditer(rf"<({kept})\b.*?</\1>", config, re.DOTALL)))


def transaction(wire: Wire, config: str) -> None:
    """The six RPCs of a push."""
    wire.do("<lock><target><candidate/></target></lock>")
    wire.do(wire.edit(config))
    wire.do("<validate><source><candidate/></source></validate>")
    wire.do("<commit><confirmed/><confirm-timeout>60</confirm-timeout><persist>T-1</persist></commit>")
    wire.do("<commit><persist-id>T-1</persist-id></commit>")
    wire.do("<unlock><target><candidate/></target></unlock>")


@pytest.mark.usefixtures("policies")
def test_create_and_delete_step_by_step_comes_back_exactly(wire: Wire) -> None:
    states = [canonical(wire.running())]
    for name in CREATE:
        transaction(wire, example(name))
        states.append(canonical(wire.running()))
        assert states[-1] != states[-2]
    for name, before in zip(DELETE, reversed(states[:-1]), strict=True):
        transaction(wire, example(name))
        assert canonical(wire.running()) == before


@pytest.mark.usefixtures("policies")
def test_delete_all_in_one_transaction(wire: Wire) -> None:
    before = canonical(wire.running())
    transaction(wire, "".join(example(name) for name in CREATE))
    transaction(wire, example("93-delete-all-one-transaction"))
    assert canonical(wire.running()) == before


def test_the_same_again_changes_nothing(wire: Wire) -> None:
    transaction(wire, example(CREATE[0]))
    wire.do(wire.edit(example(CREATE[0])))
    once = canonical(wire.running())
    wire.do("<commit/>")
    assert canonical(wire.running()) == once
    transaction(wire, example("92-delete-bearer"))


@pytest.mark.usefixtures("policies")
def test_a_bearer_that_a_vlan_uses_cannot_go(wire: Wire) -> None:
    transaction(wire, example(CREATE[0]) + example(CREATE[1]))
    before = canonical(wire.running())
    wire.do(wire.edit(example("92-delete-bearer")))
    errors = wire.errors("<commit/>")
    assert {error.findtext("nc:error-tag", namespaces=NC) for error in errors} == {"data-missing"}
    assert {error.findtext("nc:error-app-tag", namespaces=NC) for error in errors} == {"instance-required"}
    assert canonical(wire.running()) == before
    wire.do("<discard-changes/>")
    transaction(wire, example("93-delete-all-one-transaction"))


def test_qos_without_its_policies_is_refused_at_validate(wire: Wire) -> None:
    wire.do(wire.edit(example(CREATE[0]) + example(CREATE[1]) + example(CREATE[2]).replace("BW-200-50-RES", "BW-9-9-RES")))
    errors = wire.errors("<validate><source><candidate/></source></validate>")
    assert {error.findtext("nc:error-tag", namespaces=NC) for error in errors} == {"data-missing"}
    paths = {error.findtext("nc:error-path", namespaces=NC) for error in errors}
    assert paths == {
        f"/if:interfaces/if:interface[if:name='olt-v-enet-3.12.1.1042']/bbf-qos-pol:{side}-qos-policy-profile"
        for side in ("ingress", "egress")
    }


def test_identities_keep_their_prefix_in_every_answer(connect: Callable[..., Wire]) -> None:
    """lxml drops declarations that it thinks superfluous: `bbf-qos-cls:...` inside the namespace of bbf-qos-classifiers."""
    wire = connect()
    of_all = '<classifiers xmlns=""><classifier-entry><filter-operation/></classifier-entry></classifiers>'
    for filter_ in (None, '<classifiers xmlns=""/>', of_all):
        leaf = wire.running(filter_).find(".//{*}filter-operation")
        assert leaf is not None
        assert leaf.text == "bbf-qos-cls:match-all-filter"
        assert leaf.nsmap["bbf-qos-cls"] == "urn:bbf:yang:bbf-qos-classifiers"
