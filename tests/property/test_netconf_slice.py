"""Validating what a change touches finds exactly what validating everything finds, whatever the change."""

import copy
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.netconf import day0
from lab.netconf.edit import Edit
from lab.netconf.errors import RpcFailed
from lab.netconf.instance import Shape
from lab.netconf.names import parse
from lab.netconf.schema import load_schema
from lab.netconf.slice import to_validate
from lab.netconf.units import Candidate, Running, Unit, document
from lab.netconf.yang import Yang

ONTS = 3
NAMES = ["uplink-1", "v-ani-1.1.1", "olt-v-enet-1.1.2", "CPAIR-1.1", "CT-1.1", "LC1.PON1", "TDP-RES-50M", "tcont-1.1.3-1", "nobody"]


@cache
def yang() -> Yang:
    return Yang(load_schema())


@cache
def running() -> Running:
    """The OLT's day-0 with a few lines, which is valid."""
    config = day0.olt("OLT-EAST-07", ONTS)
    Shape(load_schema()).check(config)
    candidate = Candidate(Running())
    Edit(load_schema(), candidate).apply(config, "merge")
    units = [unit for unit in candidate.changes.values() if unit]
    assert problems(units) == set()
    return Running(units)


def problems(units: list[Unit]) -> set[tuple[str, str, str]]:
    """All that is wrong; of wrong values, of which libyang finds the first only, just that there are some."""
    try:
        yang().check_values(document(units, load_schema().tops))
    except RpcFailed:
        return {("wrong values", "", "")}
    try:
        yang().validate(document(units, load_schema().tops))
    except RpcFailed as failure:
        return {(error.tag, error.message, error.path.text if error.path else "") for error in failure.errors}
    return set()


def everything(candidate: Candidate) -> list[Unit]:
    kept = [unit for unit in running() if unit.id not in candidate.changes]
    return kept + [unit for unit in candidate.changes.values() if unit]


def interesting() -> list[Unit]:
    """Units that other units refer to, or that refer to others."""
    words = ("1.1.", "-1.1", "uplink-1", "LC1", "TDP", "DHCP", "CL-")
    return sorted((unit for unit in running() if any(word in unit.id.key for word in words)), key=lambda unit: unit.id)


@st.composite
def changes(draw: st.DrawFn) -> Candidate:
    """Units removed, values exchanged for names of other units, leaves removed, units copied under another name."""
    candidate = Candidate(running())
    for _ in range(draw(st.integers(1, 4))):
        unit = draw(st.sampled_from(interesting()))
        action = draw(st.sampled_from(["remove", "rename a value", "remove a leaf", "copy"]))
        if action == "remove":
            candidate.put(unit.id, None)
            continue
        element = copy.deepcopy(unit.element)
        leaves = [leaf for leaf in element.iter() if not len(leaf)]
        if action == "copy":
            element[0].text = name = draw(st.sampled_from(["copy-1", "copy-2"]))
            candidate.put(unit.id._replace(key=name), element)
            continue
        leaf = draw(st.sampled_from(leaves[1:]))
        if action == "rename a value":
            leaf.text = draw(st.sampled_from(NAMES))
        else:
            parent = leaf.getparent()
            assert parent is not None
            parent.remove(leaf)
        candidate.put(unit.id, parse(Unit(unit.id, element).text.encode()))
    return candidate


@settings(max_examples=120)
@given(changes())
def test_a_slice_has_the_same_errors_as_the_whole(candidate: Candidate) -> None:
    assert problems(to_validate(candidate)) == problems(everything(candidate))


def test_a_slice_is_small() -> None:
    """Or the other test would say nothing."""
    candidate = Candidate(running())
    (unit,) = (unit for unit in running() if unit.id.key == "gem-1.1.1-1")
    candidate.put(unit.id, copy.deepcopy(unit.element))
    assert len(to_validate(candidate)) < 20 < len(everything(candidate)) / 10
