"""The command line over a world that answers at once, in a home folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.batch import WorkerSettings
from tests.null_world import NullWorld, null_world
from turnup.cli import main
from turnup.wiring import Wiring

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its JSON document: all of stdout."""
        return json.loads(self.out)


Turnup = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own."""
    monkeypatch.setenv("TURNUP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def turnup(home: Path, capsys: pytest.CaptureFixture[str]) -> Turnup:
    """Runs the program in this process."""

    def run(*arguments: str | Path) -> Said:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def world(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NullWorld]:
    """NetBox, devices and systems of the program are the null world's; the store, the worker and the rest are its own."""
    yield from _world(f"sqlite:///{home}/turnup.db", home, monkeypatch)


@pytest.fixture
def shared_world(postgresql_url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NullWorld]:
    """Likewise, with a store on PostgreSQL."""
    yield from _world(postgresql_url, home, monkeypatch)


def _world(url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NullWorld]:
    monkeypatch.setenv("TURNUP_LAB__EMBEDDED", "false")
    made = null_world(url, home / "secret.key", WorkerSettings(sweep=0.05, threads=4, poll_at_most=0.1))
    for name, value in (("store", made.at.store), ("clock", made.clock), ("workplace", made.at), ("records", made.at)):
        monkeypatch.setattr(Wiring, name, value)
    yield made
    made.at.store.database.close()


@pytest.fixture
def playbook(tmp_path: Path) -> Callable[..., Path]:
    """The worked example's playbook with some text replaced."""

    def write(**changes: str) -> Path:
        text = (PLAYBOOKS / "superfibre-200.yaml").read_text("utf-8")
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "order.yaml"
        path.write_text(text, "utf-8")
        return path

    return write
