"""Signs and colours of states, the same on every screen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from rich.text import Text

_MARKS: Mapping[str, tuple[str, str]] = {
    "acknowledged": ("○", "dim"),
    "blocked": ("○", "dim"),
    "ready": ("○", "cyan"),
    "reserved": ("○", "cyan"),
    "created": ("○", "cyan"),
    "notAttempted": ("○", "dim"),
    "inProgress": ("●", "yellow"),
    "running": ("●", "yellow"),
    "pendingActive": ("●", "yellow"),
    "inactive": ("●", "yellow"),
    "pending": ("◌", "blue"),
    "waiting": ("◌", "blue"),
    "held": ("■", "magenta"),
    "completed": ("✔", "green"),
    "done": ("✔", "green"),
    "active": ("✔", "green"),
    "confirmed": ("✔", "green"),
    "failed": ("✘", "red"),
    "rejected": ("✘", "red"),
    "refused": ("✘", "red"),
    "reversed": ("↺", "red"),
    "partial": ("✘", "yellow"),
    "cancelled": ("✘", "dim"),
    "unknown": ("?", "red"),
}


def mark(state: str) -> Text:
    """The sign of a state."""
    sign, style = _MARKS.get(state, ("·", ""))
    return Text(sign, style)


def state(name: str) -> Text:
    """Sign and name of a state."""
    sign, style = _MARKS.get(name, ("·", ""))
    return Text(f"{sign} {name}", style)


def since(span: timedelta) -> str:
    """`7 min` in the first two hours, then `36.5 h`."""
    minutes = span.total_seconds() / 60
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{round(minutes / 60, 1):g} h"
