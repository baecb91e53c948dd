"""After any story of orders, changes, failures and second thoughts, network, inventory and orders agree: over the embedded lab.

tests/property/test_storms.py plays many more stories, over a world that answers at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.chaos.findings import Finding, Kind
from tests.chaos.network import check_network
from tests.chaos.observed import Observed
from tests.storms.embedded import Labs
from tests.storms.story import UNTIL_STILL, Happening, Orders, Wish, Works, stories

STORIES = int(os.environ.get("STORIES", 4))
"""More of them take longer, and find more."""

pytestmark = pytest.mark.timeout(100 + 30 * STORIES)


# a failing story is shown as it is: to make it short takes minutes
@settings(max_examples=STORIES, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(story=stories(scenes=2))
def test_whatever_happens_all_agree_at_the_end(labs: Labs, story: list[Happening]) -> None:
    with labs.storm() as (_, storm):
        storm.play(story)
        assert [f"{finding.kind}: {finding.what}" for finding in storm.end()] == []


# -- the proof that the checker would have found something ---------------------------------------------------------------
def _other(documents: list[tuple[str, Any]], kind: str, change: Callable[[str, Any], tuple[str, Any]]) -> list[tuple[str, Any]]:
    assert any(key.startswith(kind) for key, _ in documents)
    return [change(key, body) if key.startswith(kind) else (key, body) for key, body in documents]


PLANTED: dict[str, tuple[str, str, Callable[[str, Any], tuple[str, Any]]]] = {
    "another speed in RADIUS": ("RADIUS-EAST-01", "radusergroup/", lambda key, body: (key.replace("500-100", "200-50"), body)),
    "another address in RADIUS": ("RADIUS-EAST-01", "radreply/", lambda key, body: (key, {**body, "value": "10.9.9.9"})),
    "another address in DHCP": ("DHCP-EAST-01", "reservation4/", lambda key, body: (key, {**body, "ip-address": "10.9.9.9"})),
    "another network name in the ACS": (
        "ACS-01",
        "preset/",
        lambda key, body: (key, {**body, "configurations": [{"args": ["", "", "Nest", "", ""]}]}),
    ),
    "no registration": ("cloudwifi", "inventory/", lambda key, body: (f"{key}-other", body)),
}


def test_the_checker_finds_what_a_line_must_not_have(labs: Labs) -> None:
    with labs.storm() as (_, storm):
        story: list[Happening] = [Orders(1, Wish.ADD), Orders(1, Wish.UPGRADE), Works(UNTIL_STILL)]
        storm.play(story)
        seen = storm.world.observe()
        lines = storm.expected().lines or {}
        assert list(check_network(lines, seen)) == []
        for what, (system, kind, change) in PLANTED.items():
            documents = {**seen.documents, system: _other(seen.documents[system], kind, change)}
            found = list(check_network(lines, replace(seen, documents=documents)))
            assert {finding.kind for finding in found} == {Kind.DIFFERENCE}, what
        for name in ("OLT-EAST-07", "BNG-EAST-01"):
            assert check_without(lines, seen, name, "BW-500-100-RES-UP"), name
        assert check_without(lines, seen, "OLT-EAST-07", "HWTC")
        assert storm.end() == []


def check_without(lines: Any, seen: Observed, device: str, value: str) -> list[Finding]:
    """What is found when a device does not hold values that begin so."""
    held = type(seen.devices[device])({one: times for one, times in seen.devices[device].items() if not one[1].startswith(value)})
    assert held != seen.devices[device]
    return list(check_network(lines, replace(seen, devices={**seen.devices, device: held})))
