"""What the BNG is given is Junos, commits on top of its day-0, and holds what the example says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import lab.junos
from lab.junos import setlines
from lab.junos.check import commit_check
from lab.junos.loading import Load
from lab.junos.tree import EMPTY
from tasks.change import for_platform
from tasks.render import render

DAY_0 = (Path(lab.junos.__file__).parent / "day0.set").read_text()


def problems(*fragments: str) -> list[str]:
    """What the router says to these lines on top of its day-0."""
    load = Load(EMPTY)
    for text in (DAY_0, *fragments):
        setlines.load(text, load)
    return [error.message for error in (*load.errors, *load.warnings, *commit_check(load.tree))]


def of(order: SimpleNamespace) -> list[str]:
    return [text for platform, _, text in order.fragments() if platform == "junos"]


def test_the_bng_takes_both_customers(orders: SimpleNamespace) -> None:
    assert problems(*of(orders.first), *of(orders.second)) == []


@pytest.mark.parametrize("template", ["vlan-service", "ip-profile"])
def test_vlan_and_ip_profile_are_valid_on_their_own(orders: SimpleNamespace, template: str) -> None:
    assert problems(orders.first.text("junos", template)) == []


def test_the_qos_profile_is_valid_with_its_policy_alone(orders: SimpleNamespace) -> None:
    assert problems(orders.first.text("junos", "qos-profile"), orders.first.text("junos", "qos-policy")) == []
    assert problems(orders.first.text("junos", "qos-profile")) != []


def test_every_line_of_the_example_is_there(orders: SimpleNamespace, example: Callable[[str], str]) -> None:
    notation = for_platform("junos")
    wanted = set(notation.nodes(example("junos-subscriber.set")))
    held = {node for text in (DAY_0, *of(orders.first)) for node in notation.nodes(text)}
    assert wanted <= held


@pytest.mark.parametrize(("bps", "text"), [(50_000_000, "50m"), (1_000_000_000, "1g"), (1_500_000_000, "1500m"), (512_000, "512k")])
def test_rates_are_written_as_junos_shows_them(orders: SimpleNamespace, bps: int, text: str) -> None:
    """Otherwise the comparison with what the router holds would differ for ever."""
    policy = {**orders.first.context("RFS:QoS-Profile")["policy"], "downstream_bps": bps}
    lines = render("junos", "qos-policy", {"policy": policy}, orders.first.catalogue.templates).splitlines()
    assert f"set class-of-service traffic-control-profiles BW-200-50-RES-DOWN shaping-rate {text}" in lines
