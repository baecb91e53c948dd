"""Signs and colours of states, the same on every screen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from rich.text import Text

from engine.documents import OrderHead

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
    "pendingTerminate": ("●", "yellow"),
    "assessingCancellation": ("●", "yellow"),
    "pendingCancellation": ("●", "yellow"),
    "inactive": ("●", "yellow"),
    "pending": ("◌", "blue"),
    "waiting": ("◌", "blue"),
    "held": ("■", "magenta"),
    "suspended": ("■", "magenta"),
    "open": ("■", "magenta"),
    "taken": ("●", "yellow"),
    "answered": ("✔", "green"),
    "closed": ("✔", "dim"),
    "completed": ("✔", "green"),
    "done": ("✔", "green"),
    "active": ("✔", "green"),
    "confirmed": ("✔", "green"),
    "same": ("✔", "green"),
    "differs": ("✘", "red"),
    "failed": ("✘", "red"),
    "aborted": ("✘", "red"),
    "terminated": ("✘", "dim"),
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


def dates(head: OrderHead) -> Text:
    """What is to be said of an order's dates: that it is scheduled, and for when; that it is overdue, and since when. Else by when it is
    to be complete; nothing when nobody asked for a date."""
    zone = head.created.tzinfo
    found = Text()
    if head.scheduled and head.requested_start_date is not None:
        found.append(f"scheduled for {head.requested_start_date.astimezone(zone):%Y-%m-%d %H:%M}", "blue")
    if head.requested_completion_date is not None:
        by = f"{head.requested_completion_date.astimezone(zone):%Y-%m-%d %H:%M}"
        found.append(", " if found else "")
        if head.overdue:
            found.append(f"late: was due {by}" if head.ended else f"overdue since {by}", "red")
        elif head.ended is None:
            found.append(f"due {by}", "dim")
    return found


def since(span: timedelta) -> str:
    """`7 min` in the first two hours, then `36.5 h`."""
    minutes = span.total_seconds() / 60
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{round(minutes / 60, 1):g} h"


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")


def times(text: str, zone: tzinfo | None) -> str:
    """The text with its ISO 8601 times as people write them, in this zone."""
    return _TIME.sub(lambda found: f"{datetime.fromisoformat(found[0]).astimezone(zone):%Y-%m-%d %H:%M}", text)
