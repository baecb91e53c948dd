"""What a system holds beside what it was given: it may have more members, its own, and they do not count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Body = Mapping[str, Any]


def differing(held: Body, wanted: Body) -> list[str]:
    """Return the names of the members in which what is held is not as wanted; what is held may have more. Never values."""
    return [name for name, value in wanted.items() if name not in held or not _same(held[name], value)]


def as_stated(held: Any, wanted: Any) -> Any:
    """Return what is held without what is not wanted of it: equal to what is wanted when nothing differs."""
    if _same(held, wanted):
        return wanted
    if isinstance(wanted, Mapping) and isinstance(held, Mapping):
        return {name: as_stated(held[name], value) for name, value in wanted.items() if name in held}
    return held


def _same(held: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(held, Mapping):
        return not differing(held, wanted)
    if isinstance(wanted, list) and isinstance(held, list):
        return len(wanted) == len(held) and all(_same(one, other) for one, other in zip(held, wanted, strict=True))
    return bool(held == wanted)
