"""What the tests of transactions share: pushes, leases that act, and outcomes."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

from engine.ports import Change, CheckRequest, Outcome, Push

_NUMBERS = itertools.count(1)
READBACK = CheckRequest(1, "readback", {})


def push_of(target: str, change: Change, *checks: CheckRequest, timeout: float = 10, holds: Callable[[], bool] = lambda: True) -> Push:
    """A push with a transaction id of its own."""
    return Push(f"T-{next(_NUMBERS)}", target, change, checks, timeout, holds)


def at_the(call: int, act: Callable[[], Any], answer: bool = True) -> Callable[[], bool]:
    """A lease that does `act` when it is asked the `call`-th time: 1 before the commit, 2 before its confirmation."""
    calls = itertools.count(1)

    def holds() -> bool:
        if next(calls) == call:
            act()
            return answer
        return True

    return holds


def undone(change: Change) -> Change:
    """The change backwards."""
    return Change(change.reverse, change.forward)


def code(outcome: Outcome) -> str:
    """The code of what went wrong."""
    assert outcome.trouble is not None
    return outcome.trouble.code


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether it becomes true within so many seconds: a server sees the end of a session a moment after the client."""
    patience = threading.Event()
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        patience.wait(0.01)
    return True
