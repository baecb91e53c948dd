"""Comparing what a document shows with what a command prints.

What differs from run to run counts as the same: times, dates, ids of transactions, checksums, ports, and where lines are broken.
"""

from __future__ import annotations

import re

_VARIES = (
    (re.compile(r"[\u2500-\u259f]"), " "),  # frames of tables and panels: as wide as the terminal
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?"), "DATE"),
    (re.compile(r"\b\d+(\.\d+)? (min|h)\b"), "TIME"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "CHECKSUM"),
    (re.compile(r"\b[0-9a-f]{8}\b"), "TRANSACTION"),
    (re.compile(r"127\.0\.0\.1:\d+"), "ADDRESS"),
    (re.compile(r"\s+"), " "),
)


def plain(text: str) -> str:
    """The text without what varies."""
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return text.strip()


def missing(shown: str, printed: str, *, any_order: bool = False) -> str | None:
    """What of the shown text was not printed where it should be, None when all was. `...` stands for anything."""
    if any_order:
        # a timeline shows a time once: which line has it depends on the order
        there = [plain(line).removeprefix("TIME ") for line in printed.splitlines()]
        wanted = [plain(line).removeprefix("TIME ") for line in shown.splitlines() if line.strip(". ")]
        return next((line for line in wanted if not any(_within(line, other) for other in there)), None)
    chunks = [plain(chunk) for chunk in re.split(r"\.\.\.", shown)]
    rest = plain(printed)
    if chunks[0] and not rest.startswith(chunks[0]):
        return chunks[0]
    for chunk in chunks:
        _, found, after = rest.partition(chunk) if chunk else ("", "", rest)
        if chunk and not found:
            return chunk
        rest = after
    return rest if chunks[-1] and rest.strip() else None


def _within(line: str, other: str) -> bool:
    return missing(f"...{line}...", other) is None
