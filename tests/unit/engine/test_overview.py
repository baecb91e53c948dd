"""Many orders at a glance, counted by either database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.acceptance import Acceptance, Accepted
from engine.executor import LocalExecutor
from engine.overview import Overview
from engine.views import progress
from tests.null_world import NullWorld, null_world, superfibre


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[NullWorld]:
    """On each kind of database."""
    made = null_world(database_url, tmp_path / "key")
    yield made
    made.at.store.database.close()


def submit(world: NullWorld, *numbers: int) -> list[str]:
    found = Acceptance(world.at, world.catalogue).submit_many([superfibre(number) for number in numbers])
    return [each.id for each in found if isinstance(each, Accepted)]


def work(world: NullWorld, orders: list[str]) -> None:
    executor = LocalExecutor(world.at)
    executor.start()
    while any(progress(world.at.store.tree(order)) for order in orders):
        pass
    executor.stop()


def test_counts_of_some_and_of_all(world: NullWorld) -> None:
    database = world.at.store.database
    assert Overview(database).counts().by_state == {}
    ids = submit(world, 1, 2, 3)
    world.inventory.left["olt-port"] = 2
    waiting = Overview(database, ids)
    assert (waiting.counts().by_state, waiting.moving().total, waiting.standing()) == ({"acknowledged": 3}, 3, [])
    work(world, ids)
    submit(world, 4)
    counts = waiting.counts()
    assert counts.by_state == {"completed": 2, "held": 1}
    assert (counts.total, counts.ended, counts.stopped) == (3, 2, 3)
    assert waiting.moving().total == 0
    assert Overview(database).counts().by_state == {"completed": 2, "held": 1, "acknowledged": 1}
    assert Overview(database, []).counts().by_state == {}


def test_why_they_stand_still(world: NullWorld) -> None:
    world.inventory.left["olt-port"] = 0
    ids = submit(world, 1, 2)
    work(world, ids)
    (reason,) = Overview(world.at.store.database, ids).standing()
    assert (reason.count, reason.state, reason.code, reason.message) == (
        2,
        "held",
        "RESOURCE_EXHAUSTED",
        "resource exhaustion: no free olt-port",
    )
    assert reason.remedy


def test_more_orders_than_a_statement_may_have_parameters(world: NullWorld) -> None:
    ids = submit(world, 1)
    assert Overview(world.at.store.database, [f"PO-0-{n}" for n in range(300_000)] + ids).counts().by_state == {"acknowledged": 1}
