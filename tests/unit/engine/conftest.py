"""A world that answers at once, on a database of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.acceptance import Acceptance
from engine.capacity import CapacityWatch
from engine.executor import LocalExecutor
from engine.model import StepState
from engine.states import OrderState
from engine.tree import Tree
from engine.views import progress
from tests.null_world import NullWorld, null_world, superfibre
from tests.unit.engine.held_for_capacity import watching


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[NullWorld]:
    """The null world with an empty database."""
    made = null_world(database_url, tmp_path / "secret.key")
    yield made
    made.at.store.database.close()


@pytest.fixture
def sqlite_world(tmp_path: Path) -> Iterator[NullWorld]:
    """The null world on SQLite, for what only SQLite shows."""
    made = null_world(f"sqlite:///{tmp_path}/turnup.db", tmp_path / "secret.key")
    yield made
    made.at.store.database.close()


@pytest.fixture
def acceptance(world: NullWorld) -> Acceptance:
    """The way in."""
    return Acceptance(world.at, world.catalogue)


def _something_due(tree: Tree) -> bool:
    """Also of what nobody waits for."""
    return any(step.state in (StepState.READY, StepState.RUNNING) for step in tree.steps.values())


Work = Callable[[str], Tree]


@pytest.fixture
def work(world: NullWorld) -> Work:
    """Works the lanes until nothing of the order moves any more, and gives its tree. Between its calls nobody works: nothing that a test
    does meanwhile races with that."""

    def still(tree: Tree) -> bool:
        return not progress(tree) and not _something_due(tree)

    return lambda order: worked_until(world, order, still)


def worked_until(world: NullWorld, order: str, condition: Callable[[Tree], object]) -> Tree:
    """Work the lanes until this is so of an order's tree, also when nobody works any more, and give it."""
    deadline = time.monotonic() + 30
    while True:
        executor = LocalExecutor(world.at)
        executor.start()
        try:
            while not condition(tree := world.at.store.tree(order)):
                assert time.monotonic() < deadline, {key: str(step.state) for key, step in tree.steps.items()}
                time.sleep(0.01)
        finally:
            executor.stop()
        if condition(tree := world.at.store.tree(order)):
            return tree


@pytest.fixture
def line(acceptance: Acceptance, work: Work) -> Tree:
    """The worked example, completed."""
    tree = work(acceptance.submit(superfibre(4821)).id)
    assert tree.root.state is OrderState.COMPLETED
    return tree


@pytest.fixture
def watch(world: NullWorld) -> CapacityWatch:
    """The watch, looked through by hand."""
    return watching(world)
