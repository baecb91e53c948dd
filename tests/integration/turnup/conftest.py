"""The program as its users have it: a process, a home folder, the embedded lab over real sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab import control
from lab.remote import Remote

ROOT = Path(__file__).parents[3]
FAST = {"TURNUP_LAB__TIME_SCALE": "200000", "TURNUP_LAB__PACE": "3000"}
"""A day and a half in less than a second."""


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # by who started the tests, as scripts do in the background: Ctrl-C is tested here
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its JSON document: all of stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Program:
    """turnup with a home folder of its own."""

    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment variables beside those that make the lab fast."""

    def command(self, *arguments: str | Path) -> list[str]:
        """What is executed."""
        return [sys.executable, "-m", "turnup", *map(str, arguments)]

    def environment(self, **more: str) -> dict[str, str]:
        """Where it is executed."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TURNUP_", "DATABASE_URL"))}
        return {**clean, **FAST, **self.settings, "TURNUP_HOME": str(self.home), **more}

    def __call__(self, *arguments: str | Path, **more: str) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            self.command(*arguments), cwd=ROOT, env=self.environment(**more), capture_output=True, text=True, timeout=100, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def stand_in(self, name: str) -> Remote:
        """The control endpoint of a stand-in of its lab."""
        found = next(one for one in control.status(self.home / "lab") if one.name == name)
        assert found.endpoint is not None, found
        return Remote(found.endpoint)


@pytest.fixture(scope="module")
def turnup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program with a lab that is shared by the tests of a module."""
    program = Program(tmp_path_factory.mktemp("turnup") / "home")
    yield program
    control.down(program.home / "lab")


def until(condition: Callable[[], bool], what: str, seconds: float = 40.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds} s"
        time.sleep(0.1)
