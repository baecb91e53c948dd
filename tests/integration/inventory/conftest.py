"""NetBox with the worked example in it, as 4.6 and as 4.4: a process of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.seeded_netbox import VERSIONS, SeededNetBox, Templates, seeded_netbox


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("seeded"))


@pytest.fixture(params=VERSIONS)
def netbox(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path) -> Iterator[SeededNetBox]:
    """A fresh copy for each test, in each version."""
    with seeded_netbox(templates.get(request.param), tmp_path / "lab") as running:
        yield running


@pytest.fixture
def newest(templates: Templates, tmp_path: Path) -> Iterator[SeededNetBox]:
    """A fresh copy in the newest version only: for what does not depend on it."""
    with seeded_netbox(templates.get("4.6"), tmp_path / "lab") as running:
        yield running


@pytest.fixture
def bench(templates: Templates, tmp_path: Path) -> Iterator[SeededNetBox]:
    """The bench profile: 64 ONUs a port, nothing in use."""
    with seeded_netbox(templates.get("4.6", "bench"), tmp_path / "lab") as running:
        yield running


@pytest.fixture
def capacity(templates: Templates, tmp_path: Path) -> Iterator[SeededNetBox]:
    """The capacity profile: eight exchanges."""
    with seeded_netbox(templates.get("4.6", "capacity"), tmp_path / "lab") as running:
        yield running
