"""A short run of chaos, once for all tests of a module: at least twenty orders, a worker killed at every failpoint."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from engine.failpoints import Failpoint
from tests.chaos.checker import Expected
from tests.chaos.observed import Observed, observe
from tests.chaos.run import Plan, Report, run
from tests.chaos.world import World, world

SEED = "short"


@dataclass(frozen=True)
class Ran:
    """A world after its run, what was expected and seen at its end, and the report."""

    world: World
    report: Report

    @property
    def expected(self) -> Expected:
        """What the checker was told."""
        assert self.report.expected is not None
        return self.report.expected

    @property
    def seen(self) -> Observed:
        """What it saw."""
        assert self.report.seen is not None
        return self.report.seen

    def look(self) -> Observed:
        """What is there now."""
        return observe(self.world)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """The world of a short run on SQLite, still up."""
    environment = dict(os.environ)
    plan = Plan(orders=20, lives=len(Failpoint) + 1, freezes=0, holding=1)
    folder: Path = tmp_path_factory.mktemp("chaos")
    with world(folder / "home", orders=plan.orders) as found:
        yield Ran(found, run(found, plan, Random(SEED)))
    os.environ.clear()
    os.environ.update(environment)
