"""After any story of orders, changes, failures and second thoughts, network, inventory and orders agree, says the checker of `make chaos`.

Here over a world that answers at once; tests/integration/lifecycle/test_storms.py plays fewer stories over the embedded lab.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from engine.store.database import Database
from engine.store.migrate import migrate
from tests.storms.quick import QuickWorld
from tests.storms.storm import Storm
from tests.storms.story import Happening, stories


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables."""
    path = tmp_path_factory.mktemp("storms") / "empty.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


# a failing story is shown as it is: to make it short takes minutes
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(story=stories(most=14))
def test_whatever_happens_all_agree_at_the_end(empty: Path, story: list[Happening]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(empty, Path(folder) / "turnup.db")
        with contextlib.closing(QuickWorld(Path(folder))) as world:
            storm = Storm(world, world.observe())
            storm.play(story)
            assert [f"{finding.kind}: {finding.what}" for finding in storm.end()] == []
