"""A world that answers at once, on a database of its own."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from engine.acceptance import Acceptance
from engine.executor import LocalExecutor
from engine.tree import Tree
from engine.views import progress
from tests import postgres
from tests.null_world import NullWorld, null_world


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A PostgreSQL server of the tests' own."""
    if postgres.programs() is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed, and in CI nothing is left out")
        pytest.skip("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, postgres.server(Path(folder)) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/turnup.db"
    return postgres.create(request.getfixturevalue("postgresql"), f"t{uuid4().hex}")


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


Work = Callable[[str], Tree]


@pytest.fixture
def work(world: NullWorld) -> Iterator[Work]:
    """Works the lanes until nothing of the order moves any more; gives its tree."""
    executor = LocalExecutor(world.at)
    executor.start()

    def until_still(order: str) -> Tree:
        deadline = time.monotonic() + 10
        while progress(tree := world.at.store.tree(order)):
            assert time.monotonic() < deadline, {key: str(step.state) for key, step in tree.steps.items()}
            time.sleep(0.01)
        return tree

    yield until_still
    executor.stop()
