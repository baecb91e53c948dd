"""What documents refer to is there: pages, anchors, files, commands; and what the code says of documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.kinds import KINDS
from tests.integration.docs.doc_blocks import ROOT
from turnup.cli.app import app

PAGES = (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
ROOMS = ("api", "catalog", "docs", "engine", "inventory", "lab", "playbooks", "tasks", "templates", "tests", "turnup")
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([\w-]+))?\)")
_PATH = re.compile(rf"`((?:{'|'.join(ROOMS)})/[\w./*-]*)`")
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in _LINK.findall(prose(page)):
        if "://" in target:
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_are_there(page: Path) -> None:
    gone = [path for path in _PATH.findall(prose(page)) if not list(ROOT.glob(path.rstrip("/")))]
    assert gone == []


def test_what_the_code_says_of_documents() -> None:
    files = [
        file for room in ROOMS if room != "docs" for file in (ROOT / room).rglob("*") if file.suffix in (".py", ".yaml", ".j2", ".toml")
    ]
    named = {(file, name) for file in files for name in re.findall(r"\bdocs/[\w/-]+\.md\b", file.read_text("utf-8"))}
    assert len(named) > 10
    assert {(str(file), name) for file, name in named if not (ROOT / name).is_file()} == set()


def test_every_page_is_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen:
            continue
        seen.add(page)
        todo += [
            (page.parent / target).resolve() for target, _ in _LINK.findall(prose(page)) if target.endswith(".md") and "://" not in target
        ]
    assert {page for page in PAGES if page not in seen} == set()


def commands() -> Iterator[str]:
    for group in app.registered_groups:
        for command in group.typer_instance.registered_commands if group.typer_instance else ():
            yield f"{group.name} {command.name or command.callback.__name__}"  # type: ignore[union-attr]
    for command in app.registered_commands:
        yield command.name or command.callback.__name__  # type: ignore[union-attr]


def test_every_command_is_described_and_no_other() -> None:
    there = set(commands())
    operating = (ROOT / "docs" / "operating.md").read_text("utf-8")
    assert {command for command in there if f"`turnup {command}" not in operating} == set()
    groups = {command.partition(" ")[0] for command in there if " " in command}
    for page in PAGES:
        for first, second in re.findall(r"`turnup ([a-z]+)(?: ([a-z]+))?", prose(page)):
            assert (f"{first} {second}" if first in groups else first) in there, f"{page}: turnup {first} {second}"


def test_every_platform_is_described() -> None:
    text = (ROOT / "docs" / "real-network.md").read_text("utf-8")
    assert {platform for platform in KINDS if f"`{platform}`" not in text} == set()
