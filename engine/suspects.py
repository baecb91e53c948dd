"""Steps that were being done when workers died, once more and they are held: of these one at a time, so that none is blamed for another.

When a step ends its process, all that other threads were doing just then was cut off, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from engine import tree
from engine.model import Step


class Suspects:
    """Who of the threads of a process does one of them."""

    def __init__(self, hint: Callable[[set[str]], None]) -> None:
        """`hint` is told which lanes had to wait."""
        self._hint = hint
        self._guard = threading.Lock()
        self._thread: int | None = None
        self._waiting: set[str] = set()

    def may_begin(self, lane: str, steps: Sequence[Step]) -> bool:
        """Whether this thread may do these steps now. If not the lane is hinted when it may."""
        if not _suspicious(steps):
            return True
        with self._guard:
            if self._thread not in (None, threading.get_ident()):
                self._waiting.add(lane)
                return False
            self._thread = threading.get_ident()
            return True

    def begins(self, steps: Sequence[Step]) -> None:
        """This thread does these steps now, and nothing else."""
        if not _suspicious(steps):
            self.ended()

    def ended(self) -> None:
        """This thread does none of them any more."""
        with self._guard:
            if self._thread != threading.get_ident():
                return
            self._thread, waiting, self._waiting = None, self._waiting, set()
        self._hint(waiting)


def _suspicious(steps: Sequence[Step]) -> bool:
    return any(step.crashes >= tree.POISONOUS - 1 for step in steps)
