"""Fenced blocks of the documents, with what the comments above them say to whoever runs them.

A block is run (console, python), read as what it is (yaml: a playbook, toml: settings) or only shown (text, json, jinja).
A comment on the line above may say otherwise, and always says why:

    <!-- not run: ... -->               it cannot be run here
    <!-- lines in any order: ... -->    the output has these lines, but not always in this order
    <!-- wrong on purpose: ... -->      it is written to its file and not read
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
KNOWN = ("console", "python", "yaml", "toml", "csv", "jinja", "json", "text")
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_REMARK = re.compile(r"<!-- (not run|lines in any order|wrong on purpose): (.+) -->\n\Z")
_NAME = re.compile(r"\A# ([\w./-]+\.(?:py|yaml|toml|csv))\b")


@dataclass(frozen=True)
class Command:
    """A command of a console block and what is shown below it."""

    text: str
    shown: str
    place: str


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    file: Path
    line: int
    language: str
    text: str
    not_run: str
    """Why it is not run; empty: it is."""
    any_order: bool = False
    wrong: bool = False

    @property
    def place(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"

    @property
    def name(self) -> str | None:
        """The file that it is, as its first line says."""
        found = _NAME.match(self.text)
        return found[1] if found else None

    @property
    def commands(self) -> list[Command]:
        """The commands of a console block. Lines below one that begin with `> ` belong to it, as a shell shows them."""
        found: list[Command] = []
        line = self.line
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE):
            if part:
                command, rest = _command(part)
                found.append(Command(command, rest, f"{self.file.relative_to(ROOT)}:{line + 1}"))
                line += part.count("\n")
        return found


def _command(part: str) -> tuple[str, str]:
    lines = part.splitlines(keepends=True)
    count = 1
    while count < len(lines) and lines[count].startswith("> "):
        count += 1
    text = "".join([lines[0], *(line.removeprefix("> ") for line in lines[1:count])])
    return text.rstrip("\n"), "".join(lines[count:])


def blocks(file: Path) -> Iterator[Block]:
    """The blocks of a document, from top to bottom."""
    text = file.read_text("utf-8")
    for found in _FENCE.finditer(text):
        remark = _REMARK.search(text, 0, found.start())
        kind, reason = (remark[1], remark[2]) if remark else ("", "")
        yield Block(
            file=file,
            line=text.count("\n", 0, found.start()) + 1,
            language=found[1],
            text=found[2],
            not_run=reason if kind == "not run" else "",
            any_order=kind == "lines in any order",
            wrong=kind == "wrong on purpose",
        )
