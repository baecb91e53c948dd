"""What became of a transaction whose session was lost: the device is asked until it is known."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.errors import TargetError
from engine.ports import CheckResult, Outcome, Push, TransactionState
from tasks.transaction import Deadline, outcome

LOOK = 30.0
"""Seconds for one look."""
_GRACE = 2.0

Look = Callable[[bool], tuple[TransactionState | None, str]]
"""Looks once: REVERSED, CONFIRMED, or None when what it saw is neither (yet), with a sentence for people.

The argument says that it is so late that nothing can be pending any more. Raises TargetError when the device could not be asked.
"""


def ask_until_known(push: Push, cause: TargetError, look: Look, checks: tuple[CheckResult, ...] = ()) -> Outcome:
    """Say what became of `push`, whose session ended with `cause`.

    A pending commit falls back on its own at the latest after the transaction's time; so long the device is asked. Then the outcome
    is OPEN when it could not be asked (it must be asked before the next change), UNKNOWN when a person must look. Who lost the lane asks
    nothing and takes nothing back: its session may have been ended by the new owner, whose matter it is now.
    """
    if not push.holds():
        told = type(cause)(f"{cause.message}; the lane has, or may soon have, a newer owner", target=push.target)
        return outcome(TransactionState.OPEN, told, checks)
    found, words = _repeated(push, look)
    if found is TransactionState.CONFIRMED:
        return outcome(found, checks=checks)
    return outcome(found, type(cause)(f"{cause.message}; {words}", target=push.target), checks)


def ask(push: Push, cause: TargetError, look: Look) -> Outcome:
    """Say what became of `push`, which a process left open when it ended: NOT_ATTEMPTED when the device cannot be asked now."""
    try:
        found, words = look(False)
        if found is None:  # something may be pending still
            found, words = _repeated(push, look)
    except TargetError as error:
        return outcome(TransactionState.NOT_ATTEMPTED, error)
    if found is TransactionState.CONFIRMED:
        return outcome(found)
    state = TransactionState.NOT_ATTEMPTED if found is TransactionState.OPEN else found
    return outcome(state, type(cause)(f"{cause.message}; {words}", target=push.target))


def _repeated(push: Push, look: Look) -> tuple[TransactionState, str]:
    falls_back = Deadline(push.timeout + _GRACE)
    pause = 0.05
    while True:
        certain = falls_back.over
        unless_known = TransactionState.UNKNOWN
        try:
            found, words = look(certain)
        except TargetError as error:
            found, words = None, f"it cannot be asked what it holds: {error.message}"
            unless_known = TransactionState.OPEN
        if found is not None or certain:
            return found or unless_known, words
        time.sleep(min(pause, falls_back.left()))  # between two attempts to reach a device; nothing tells us when it is back
        pause = min(pause * 2, 2.0)
