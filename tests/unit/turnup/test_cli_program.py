"""The program itself: help, versions, usage errors, commands that need nothing outside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.turnup.conftest import PLAYBOOKS, Turnup
from turnup.cli.app import app


def test_version(turnup: Turnup) -> None:
    assert turnup("version").out.startswith("turnup ")
    assert turnup("--version").out == turnup("version").out
    assert set(turnup("version", "--json").document["version"]) == {"turnup", "python"}


COMMANDS = [
    *(["run"], ["submit"], ["plan"], ["orders"], ["show"], ["resume"], ["amend"], ["cancel"], ["undo"]),
    *(["services"], ["worker"]),
    *(["check"], ["repair"], ["demo"], ["version"]),
    *(["fallout", "list"], ["fallout", "show"], ["fallout", "take"], ["fallout", "note"], ["fallout", "answer"]),
    *(["lab", "up"], ["lab", "down"], ["lab", "status"], ["inventory", "seed"], ["inventory", "audit"]),
    *(["catalog", "check"], ["catalog", "explain"]),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_json_and_an_example(command: list[str], turnup: Turnup) -> None:
    said = turnup(*command, "--help")
    assert said.code == 0
    assert "--json" in said.out
    assert "Example" in said.out
    assert f"turnup {' '.join(command)}" in said.out.split("Example")[1]


def test_that_is_all_commands() -> None:
    groups = [(group.name, command.callback) for group in app.registered_groups for command in group.typer_instance.registered_commands]
    assert len(app.registered_commands) + len(groups) == len(COMMANDS)


@pytest.mark.parametrize("arguments", [("bogus",), ("run",), ("orders", "--state", "lost"), ("show", "x", "--bogus")])
def test_usage_errors_are_bad_input(arguments: tuple[str, ...], turnup: Turnup) -> None:
    assert turnup(*arguments).code == 2
    answer = turnup(*arguments, "--json")
    assert answer.code == 2
    assert answer.document["error"]["code"] == "BAD_INPUT"


def test_a_wrong_setting(turnup: Turnup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNUP_NETBOX_URL", "http://netbox")
    answer = turnup("orders", "--json")
    assert answer.code == 2
    assert answer.document["error"]["code"] == "SETTINGS_INVALID"


@pytest.mark.parametrize("command", [("orders",), ("lab", "up"), ("plan", PLAYBOOKS / "superfibre-200.yaml")], ids=str)
def test_a_home_that_cannot_be_used(command: tuple[str | Path, ...], turnup: Turnup, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "home"
    answer = turnup("--home", home, *command, "--json")
    assert answer.code == 2
    assert answer.document["error"]["code"] == "SETTINGS_INVALID"
    assert answer.document["error"]["message"] == f"the home folder {home} cannot be used: Not a directory"


def test_a_home_is_its_owners(turnup: Turnup, tmp_path: Path) -> None:
    """It holds names and addresses of customers."""
    home = tmp_path / "new" / "home"
    assert turnup("--home", home, "orders").code == 0
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_netbox_without_a_token(turnup: Turnup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNUP_NETBOX__URL", "http://127.0.0.1:9")
    answer = turnup("inventory", "audit", "--json")
    assert answer.code == 2
    assert "TURNUP_NETBOX__TOKEN" in answer.document["error"]["message"]


def test_the_demo_touches_no_real_network(turnup: Turnup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNUP_NETBOX__URL", "http://127.0.0.1:9")
    monkeypatch.setenv("TURNUP_NETBOX__TOKEN", "token")
    answer = turnup("demo", "--json")
    assert answer.code == 2
    assert answer.document["error"]["code"] == "SETTINGS_INVALID"


def test_the_catalogue_of_the_project_is_valid(turnup: Turnup) -> None:
    answer = turnup("catalog", "check", "--json")
    assert answer.code == 0
    assert answer.document["valid"] is True
    assert answer.document["counts"]["resources"] == 7
    assert "the catalogue is valid" in turnup("catalog", "check").out


def test_problems_of_a_catalogue_with_file_and_line(turnup: Turnup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "catalog"
    folder.mkdir()
    (folder / "bad.yaml").write_text("resources:\n  - id: RFS:A\n    name: A\n    depend_on: [RFS:B]\n")
    monkeypatch.setenv("TURNUP_CATALOGUE", str(folder))
    answer = turnup("catalog", "check", "--json")
    assert answer.code == 2
    problem = answer.document["problems"][0]
    assert (problem["file"], problem["line"]) == ("catalog/bad.yaml", 4)
    assert "did you mean `depends_on`?" in problem["message"]
    assert "catalog/bad.yaml:4" in turnup("catalog", "check").out


def test_lab_status_of_a_lab_that_is_down(turnup: Turnup) -> None:
    answer = turnup("lab", "status", "--json")
    assert answer.code == 1
    assert {one["state"] for one in answer.document["standIns"]} == {"down"}


@pytest.mark.parametrize(
    ("command", "modules"),
    [
        (["version"], ["sqlalchemy", "nornir", "fastapi", "pynetbox", "alembic", "jinja2"]),
        (["orders"], ["nornir", "fastapi", "pynetbox", "lxml", "ncclient"]),
        (["lab", "status"], ["sqlalchemy", "nornir", "fastapi", "pynetbox"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_command_loads_only_what_it_needs(command: list[str], modules: list[str], home: Path) -> None:
    code = (
        f"import sys; from turnup.cli import main; main({command!r}); print([m for m in {modules!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.strip() == "[]"


def test_completion_knows_the_orders(turnup: Turnup, home: Path) -> None:
    environment = {"_TURNUP_COMPLETE": "complete_bash", "COMP_WORDS": "turnup sh", "COMP_CWORD": "1", "TURNUP_HOME": str(home), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", "from turnup.cli import main; main()"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["show"]


def test_a_profile_that_the_lab_does_not_know(turnup: Turnup, home: Path) -> None:
    answer = turnup("lab", "up", "--profile", "huge", "--json")
    assert answer.code == 2
    assert answer.document["error"]["message"] == "no profile 'huge'; there are: example, two-exchanges, bench, capacity"
    assert not (home / "lab" / "lab.json").exists()
