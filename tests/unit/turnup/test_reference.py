"""The tables in docs/ that are made from the code are as the code is. If not: `python -m turnup.reference`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.errors import TurnupError
from turnup import reference
from turnup.reference import MADE, SECTIONS, made

DOCS = Path(__file__).parents[3] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def test_the_tables_are_up_to_date() -> None:
    """If not: python -m turnup.reference"""
    assert [page.name for page in PAGES if made(page.read_text("utf-8")) != page.read_text("utf-8")] == []


def test_every_table_stands_somewhere() -> None:
    assert {found[1] for page in PAGES for found in MADE.findall(page.read_text("utf-8"))} == set(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_every_line_says_what_it_means(name: str) -> None:
    lines = [line for text in SECTIONS[name]() for line in text.splitlines() if line.startswith("|")]
    assert len(lines) > 5
    assert [line for line in lines if re.search(r"\|\s*\|", line)] == []


def test_the_table_of_errors_has_all_codes() -> None:
    def codes(error: type[TurnupError]) -> set[str]:
        below = set().union(*(codes(kind) for kind in error.__subclasses__()))
        return below or {error.code}

    table = "\n".join(SECTIONS["errors"]())
    assert {code for code in codes(TurnupError) if f"`{code}`" not in table} == set()


def test_writing_a_page_anew_changes_only_the_tables(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "before\n<!-- made by `python -m turnup.reference`: errors -->\noutdated line\n<!-- end of what is made -->\nafter\n", "utf-8"
    )
    reference.main(tmp_path)
    text = page.read_text("utf-8")
    assert text.startswith("before\n<!-- made by")
    assert text.endswith("<!-- end of what is made -->\nafter\n")
    assert "| `PLAYBOOK_INVALID` |" in text
    assert "outdated line" not in text
