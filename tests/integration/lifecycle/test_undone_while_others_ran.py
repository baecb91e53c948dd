"""An order is taken back after others have run: the devices then hold what they would hold if it had never been."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.chaos.observed import devices
from tests.storms.embedded import lab_world
from tests.storms.storm import Storm
from tests.storms.story import UNTIL_STILL, Fails, Happening, Heals, Orders, TakesBack, Wish, Works

pytestmark = pytest.mark.timeout(240)

MINE, THEIRS = 1, 2
A_YEAR = 365 * 86400.0
"""What was given back is kept from the others for as long: so they get the same in both worlds."""
STILL = Works(UNTIL_STILL)
OTHERS = (Orders(THEIRS, Wish.ADD), STILL, Orders(THEIRS, Wish.UPGRADE), STILL)
BACK = (TakesBack(MINE, "undo", 0), STILL)
A_LINE = (Orders(MINE, Wish.ADD), STILL)
HELD = (Fails("BNG-EAST-01", "refuse"), *A_LINE, Heals())

STORIES: dict[str, tuple[Sequence[Happening], Sequence[Happening]]] = {
    "an upgrade to the speed that the other line got meanwhile": (
        [*A_LINE, Orders(MINE, Wish.UPGRADE), STILL, *OTHERS, *BACK],
        [*A_LINE, *OTHERS],
    ),
    "a line that is done": ([*A_LINE, *OTHERS, *BACK], [*A_LINE, *BACK, *OTHERS]),
    "a line that was half done": ([*HELD, *OTHERS, *BACK], [*HELD, *BACK, *OTHERS]),
}


@pytest.mark.parametrize(("after", "without"), STORIES.values(), ids=STORIES)
def test_the_devices_hold_what_they_would_without_it(tmp_path: Path, after: Sequence[Happening], without: Sequence[Happening]) -> None:
    held = []
    for name, story in (("after", after), ("without", without)):
        with lab_world(tmp_path / name, quarantine=A_YEAR) as world:
            day_0 = devices(world.chaos)
            storm = Storm(world, world.before())
            storm.play(story)
            assert storm.findings() == [], name
            assert not storm.refusals
            held.append(devices(world.chaos))
            assert held[-1] != day_0
    assert held[0] == held[1]
