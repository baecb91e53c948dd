"""Every command and snippet of the README and of docs/ does what is said there.

Each document is worked through from top to bottom, in a folder and a home of its own, with the embedded lab whose clock is made to run
faster, so that a parcel takes a moment. `make test` is not run (it would run this).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.docs.doc_blocks import DOCUMENTS, KNOWN, ROOT, Block, Command, blocks
from tests.integration.docs.doc_output import missing
from tests.integration.docs.doc_shell import Printed, Shell
from turnup.playbook import load as load_playbook
from turnup.settings import load as load_settings

MOST_NOT_RUN = 6
"""Blocks that cannot be run; each says why."""
BY_OTHERS = {"adding-an-rfs.md"}
"""Documents whose snippets build on each other: tests/unit/engine/catalogue/test_catalogue_docs.py does what they tell."""
DEMO = {"make demo": "turnup demo"}
"""What a Makefile does beyond the command is to set up the environment, which these tests are run in."""
NAMES = [str(file.relative_to(ROOT)) for file in DOCUMENTS]


class Newcomer:
    """Somebody with a fresh checkout who does what a document says."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder
        for name in ("playbooks", "catalog", "templates"):
            shutil.copytree(ROOT / name, folder / name)
        (folder / ".venv").symlink_to(sys.prefix)
        self.environment = {
            "PATH": os.pathsep.join([sysconfig.get_path("scripts"), str(tools), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "TURNUP_LAB__TIME_SCALE": "200000",
            "TURNUP_LAB__PACE": "3000",
        }
        self.shell = Shell(folder, self.environment)

    def do(self, block: Block) -> None:
        """Follow a block."""
        if block.name and block.language != "toml":  # settings are read, not made to hold for what follows
            (self.folder / block.name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / block.name).write_text(block.text, "utf-8")
        match block.language:
            case "console":
                self._type(block)
            case "python" if not block.name:
                done = subprocess.run(
                    [sys.executable, "-"],
                    input=block.text,
                    cwd=self.folder,
                    env=self.environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, f"{block.place}: {done.stderr}"
            case "yaml" if not block.wrong:
                self._playbook(block)
            case "toml":
                self._settings(block)

    def _type(self, block: Block) -> None:
        """A command that fails is only right when the next one shows its exit code."""
        commands = block.commands
        for command, following in zip(commands, [*commands[1:], None], strict=True):
            if command.text == "make test":
                continue
            printed = self.shell.run(DEMO.get(command.text, command.text))
            asked = following is not None and following.text == "echo $?"
            assert printed.code == 0 or asked, f"{command.place}: `{command.text}` ended with {printed.code}:\n{printed.text}"
            _compare(command, printed, any_order=block.any_order)

    def _playbook(self, block: Block) -> None:
        file = self.folder / (block.name or "playbook.yaml")
        file.write_text(block.text, "utf-8")
        load_playbook(file)

    def _settings(self, block: Block) -> None:
        home = self.folder / "settings"
        home.mkdir(exist_ok=True)
        (home / "turnup.toml").write_text(block.text, "utf-8")
        load_settings(home)

    def leave(self) -> None:
        """End the labs. Not by the shell: a command that hangs may be in the way."""
        for lab in self.folder.glob("*/lab"):
            command = [sys.executable, "-m", "turnup", "--home", str(lab.parent), "lab", "down"]
            subprocess.run(command, cwd=self.folder, env=self.environment, check=True, stdout=subprocess.DEVNULL)


def _compare(command: Command, printed: Printed, *, any_order: bool) -> None:
    if not command.shown:
        return  # what is not shown is not promised
    lost = missing(command.shown, printed.text, any_order=any_order)
    assert lost is None, f"{command.place}: `{command.text}` does not print {lost!r}; it prints:\n{printed.text}"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """curl, where the machine has none: the documents use it, the program does not need it."""
    folder = tmp_path / "tools"
    folder.mkdir()
    if shutil.which("curl") is None:
        shim = folder / "curl"
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("doc_curl.py")} "$@"\n')
        shim.chmod(0o755)
    return folder


@pytest.fixture
def newcomer(tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Newcomer]:
    for name in [name for name in os.environ if name.startswith("TURNUP_")]:
        monkeypatch.delenv(name)
    (folder := tmp_path / "checkout").mkdir()
    someone = Newcomer(folder, tools)
    with someone.shell:
        try:
            yield someone
        finally:
            someone.leave()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_document_says_is_so(name: str, newcomer: Newcomer) -> None:
    for block in blocks(ROOT / name):
        if not block.not_run and (block.language == "console" or block.file.name not in BY_OTHERS):
            newcomer.do(block)


def test_every_block_is_of_a_known_kind_and_few_are_not_run() -> None:
    found = [block for file in DOCUMENTS for block in blocks(file)]
    assert [block.place for block in found if block.language not in KNOWN] == []
    assert len([block for block in found if block.not_run]) <= MOST_NOT_RUN
