"""The repository's catalogue, and copies of it that a test spoils."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.loader import examine, load

REPOSITORY = Path(__file__).parents[4]


class Copy:
    """A copy of catalog/ and templates/ in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.catalog, self.templates = folder / "catalog", folder / "templates"
        self._folder = folder
        for name in ("catalog", "templates"):
            shutil.copytree(REPOSITORY / name, folder / name)

    def edit(self, file: str, old: str, new: str) -> int:
        """Replace the first occurrence in a file; the line where it begins."""
        path = self._folder / file
        text = path.read_text()
        assert old in text, f"{file} no longer has {old!r}"
        path.write_text(text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    def problems(self) -> list[str]:
        return [str(problem) for problem in examine(self.catalog, self.templates)[1]]

    def load(self) -> Catalogue:
        return load(self.catalog, self.templates)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load(REPOSITORY / "catalog", REPOSITORY / "templates")
