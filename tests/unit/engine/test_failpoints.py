"""A process dies where it was told to, and never by accident."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.failpoints import ALLOWED_BY, ARMED_BY, Failpoint, armed_by

ROOT = Path(__file__).parents[3]
COMES_BY = """
from engine.failpoints import Failpoint, reached
for number in (1, 2, 3):
    print(number, flush=True)
    reached(Failpoint.CLAIMED)
    reached(Failpoint.SETTLED)
"""


def come_by(**variables: str) -> tuple[int, str]:
    """Exit code and output of a process that comes by two points three times."""
    environment = {name: value for name, value in os.environ.items() if name not in (ARMED_BY, ALLOWED_BY)}
    done = subprocess.run([sys.executable, "-c", COMES_BY], env={**environment, **variables}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_it_dies_at_its_point_as_by_kill_9() -> None:
    assert come_by(**{ARMED_BY: "settled:2", ALLOWED_BY: "kill"}) == (-signal.SIGKILL, "1\n2\n")


@pytest.mark.parametrize("variables", [{}, {ARMED_BY: "claimed"}, {ARMED_BY: "claimed", ALLOWED_BY: "yes"}, {ALLOWED_BY: "kill"}])
def test_it_lives_unless_both_variables_say_so(variables: Mapping[str, str]) -> None:
    assert come_by(**variables) == (0, "1\n2\n3\n")


def test_a_point_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        armed_by({ARMED_BY: "nowhere", ALLOWED_BY: "kill"})


def test_every_point_is_called_once_or_more() -> None:
    """No name in the list that nothing comes by."""
    sources = [path.read_text("utf-8") for room in ("engine", "tasks") for path in (ROOT / room).rglob("*.py")]
    called = {name for text in sources for name in re.findall(r"reached\(Failpoint\.([A-Z_]+)\)", text)}
    assert called == {point.name for point in Failpoint}
