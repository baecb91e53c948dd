"""What is wrong with a catalogue, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""Way to a value in a catalogue: kind, id (of failure rules: number), then field names, keys and indexes."""

TEMPLATES = "templates"


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to correct. `line` counts from 1; 0 when it concerns the whole file or the line is not known."""

    file: str
    line: int
    where: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.where}: {self.message}" if self.where else f"{place}: {self.message}"


@dataclass(frozen=True)
class Sources:
    """Where each value of a catalogue was written. Empty for a catalogue that was restored from the store."""

    lines: Mapping[Path, tuple[str, int]] = field(default_factory=dict)
    templates: str = TEMPLATES
    """Name of the templates' folder."""

    def problem(self, path: Path, message: str) -> Problem:
        """A problem of the value at this path, placed at the nearest value above it whose line is known.

        The path of a template is `("templates", path below templates/, line)`.
        """
        if path[0] == TEMPLATES:
            line = path[2] if len(path) > 2 else 0
            return Problem(f"{self.templates}/{path[1]}", int(line), "", message)
        where = spelled(path[1:] if len(path) > 1 and isinstance(path[1], str) else path)
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                file, number = self.lines[path[:length]]
                return Problem(file, number, where, message)
        return Problem("catalogue", 0, where, message)


def spelled(path: Path) -> str:
    """`RFS:VLAN-Service.configure[0].target`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
