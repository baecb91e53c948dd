"""A machine with a lab of its own, for one story."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import control
from tests.integration.failures.machine import Machine


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """With its lab up and nothing ordered yet."""
    machine = Machine(tmp_path_factory.mktemp("lifecycle"))
    assert machine("lab", "up").code == 0
    yield machine
    control.down(machine.lab)
