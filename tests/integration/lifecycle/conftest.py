"""A machine with a lab of its own, for one story, and labs for many."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from lab import control
from tests.integration.failures.machine import Machine
from tests.storms.embedded import Labs


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """With its lab up and nothing ordered yet."""
    machine = Machine(tmp_path_factory.mktemp("lifecycle"))
    assert machine("lab", "up").code == 0
    yield machine
    control.down(machine.lab)


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    """For stories, one after the other."""
    with contextlib.closing(Labs(tmp_path_factory.mktemp("labs"))) as labs:
        yield labs
