"""Named points at which a process can be told to die, so that tests can show that nothing is lost or doubled by it.

A point is armed by two variables of the environment, so that it never happens by accident: TURNUP_FAILPOINT names it (`claimed`, or
`claimed:3` for the third time) and TURNUP_FAILPOINT_ALLOWED must say `kill`. The process is then ended as `kill -9` ends it: no
handler runs, no buffer is written. Not armed, a point costs one comparison.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ARMED_BY = "TURNUP_FAILPOINT"
ALLOWED_BY = "TURNUP_FAILPOINT_ALLOWED"
_ALLOWED = "kill"


class Failpoint(StrEnum):
    """Every instant between "step claimed" and "settled" at which something is known outside that the tables do not know, or
    the other way round; in the order in which a batch comes by."""

    CLAIMED = "claimed"
    """The claim of a batch is committed, nothing was done (engine.worker)."""
    DECOMPOSED = "decomposed"
    """The order below is thought out and not stored (engine.steps.decompose)."""
    RESERVING = "reserving"
    """NetBox was not asked yet (engine.steps.reserve)."""
    RESERVED = "reserved"
    """NetBox gave resources that are not stored (engine.steps.reserve)."""
    ADOPTED = "adopted"
    """What a target held before us was read and is not stored (engine.steps.configure)."""
    WRITTEN_AHEAD = "written-ahead"
    """A transaction is stored, the target was not asked (engine.steps.configure)."""
    LOCKED = "locked"
    """The device's lock is taken, nothing was sent (tasks.kinds)."""
    EDITED = "edited"
    """The candidate holds the change, or the first document was written (tasks.kinds)."""
    COMMITTED = "committed"
    """The commit waits for its confirmation, or all documents are written and not read back (tasks.kinds)."""
    CHECKED = "checked"
    """All checks passed, the confirmation was not sent (tasks.kinds)."""
    CONFIRMED = "confirmed"
    """The target keeps the change, its lock is held (tasks.kinds)."""
    PUSHED = "pushed"
    """The outcome of a transaction is known and not stored (engine.steps.configure)."""
    RESOLVED = "resolved"
    """What became of a transaction that was left open is known and not stored (engine.steps.configure)."""
    ASKED = "asked"
    """A target answered what is waited for, its answer is not stored (engine.steps.wait)."""
    ACTIVATED = "activated"
    """NetBox shows resources as in use, the tables do not (engine.steps.activate)."""
    RELEASED = "released"
    """NetBox has resources back, the tables do not know (engine.steps.release)."""
    SETTLING = "settling"
    """A settlement is worked out and not committed (engine.worker)."""
    SETTLED = "settled"
    """A settlement is committed, nobody was told (engine.worker)."""


@dataclass
class _Armed:
    point: Failpoint
    times: int
    seen: itertools.count[int] = field(default_factory=lambda: itertools.count(1))  # next() of it is atomic

    def __call__(self, point: Failpoint) -> None:
        if self.point is point and next(self.seen) == self.times:
            os.kill(os.getpid(), signal.SIGKILL)


def armed_by(environment: Mapping[str, str]) -> _Armed | None:
    """What the environment arms, None when it arms nothing or does not allow it. Raises ValueError for a point that there is not."""
    text = environment.get(ARMED_BY, "")
    if not text or environment.get(ALLOWED_BY) != _ALLOWED:
        return None
    name, _, times = text.partition(":")
    return _Armed(Failpoint(name), int(times or 1))


_armed: Callable[[Failpoint], None] | None = armed_by(os.environ)


def reached(point: Failpoint) -> None:
    """Say that this point is reached. Does not return when it is the one at which the process is to die."""
    if _armed is not None:
        _armed(point)


def arm(environment: Mapping[str, str]) -> None:
    """Arm what this environment says, for a process that was forked from one which had read another. Raises as `armed_by`."""
    watch(armed_by(environment))


def watch(action: Callable[[Failpoint], None] | None) -> None:
    """Have this called at each point, in the place of what is armed: for tests that play several workers in one process."""
    global _armed
    _armed = action
