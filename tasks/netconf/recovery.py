"""What became of a transaction whose session was lost: the device is asked until it is known.

A confirmed commit with persist outlives its session until its time is over (RFC 6241 section 8.4.1), so it is taken back by name; what
running then holds says the rest.
"""

from __future__ import annotations

import contextlib
import time

from nornir.core.inventory import Host

from engine.errors import TargetError
from engine.ports import CheckResult, Outcome, Push, TransactionState
from tasks.connections.netconf import netconf_of
from tasks.netconf.errors import LOCK_HELD, RpcRefused
from tasks.netconf.readback import read_back, summary
from tasks.netconf.session import NetconfSession
from tasks.transaction import Deadline, outcome

_NO_ANSWER = LOCK_HELD | {"access-denied", "resource-denied", "operation-not-supported", "too-big"}
"""Error-tags with which a cancel-commit says nothing about what is pending."""
_GRACE = 2.0
_LOOK = 30.0
"""Seconds for one look."""


def establish(push: Push, host: Host, cause: TargetError, *, checks: tuple[CheckResult, ...] = (), old_session: str = "") -> Outcome:
    """Ask the device what became of `push`, whose session ended with `cause`, until it is known.

    The pending commit is cancelled. When that cannot be done it is waited for: the device falls back on its own at the latest after
    the transaction's time. Where commits cannot be pending nobody knows whether it was looked at: its reverse is sent.
    The outcome is REVERSED or CONFIRMED; UNKNOWN, for a person, when the device cannot be reached so long or holds neither what was
    before nor what was wanted. `old_session` is ended when it still holds the lock.
    """
    falls_back = Deadline(push.timeout + _GRACE)
    pause = 0.05
    while True:
        last_look = falls_back.over
        try:
            with netconf_of(host).use(wait=_LOOK) as manager:
                state, words = _look(NetconfSession(manager, push.target, Deadline(_LOOK)), push, old_session, certain=last_look)
        except (TargetError, RpcRefused) as error:
            state, words = None, str(error)
        if state is not None or last_look:
            break
        time.sleep(min(pause, falls_back.left()))  # between two attempts to reach a device; nothing tells us when it is back
        pause = min(pause * 2, 2.0)
    if state is TransactionState.CONFIRMED:
        return outcome(state, checks=checks)
    told = type(cause)(f"{cause.message}; {words}", target=push.target)
    return outcome(state or TransactionState.UNKNOWN, told, checks)


def _look(session: NetconfSession, push: Push, old_session: str, *, certain: bool) -> tuple[TransactionState | None, str]:
    """Look once. None: not known yet. `certain`: so late that nothing can be pending any more."""
    locked = _lock(session, old_session)
    try:
        if not (locked or certain):
            return None, "another session holds the lock"
        cancelled, nothing_pending = _cancel(session, push)
        missing = read_back(session, push.change.forward)
        left = read_back(session, push.change.reverse)
        if missing and not left:
            return TransactionState.REVERSED, "it was taken back" if cancelled else "the device holds what it held before"
        if left and not missing and not cancelled and (nothing_pending or certain):
            if session.has_confirmed_commit:  # it was confirmed, so it had been looked at
                return TransactionState.CONFIRMED, "the device holds it"
            _send(session, push.change.reverse)
            return None, "it was to be taken back by its reverse"
        return None, f"the device holds neither what was before ({summary(left)}) nor what was wanted ({summary(missing)})"
    finally:
        if locked:
            session.unlock()


def _lock(session: NetconfSession, old_session: str) -> bool:
    """Take the lock: whoever had it is through. False when somebody else has it."""
    for _ in range(2):
        try:
            session.lock()
        except RpcRefused as error:
            if not old_session or old_session not in {part.session for part in error.errors}:
                return False
            with contextlib.suppress(RpcRefused):  # it may have ended meanwhile
                session.kill_session(old_session)
        else:
            return True
    return False


def _send(session: NetconfSession, change: str) -> None:
    """Make a change for good. The lock is held, or nobody else's."""
    if session.has_candidate:
        session.discard_changes()
    session.edit_config(change)
    if session.has_candidate:
        session.commit()


def _cancel(session: NetconfSession, push: Push) -> tuple[bool, bool]:
    """Take back what is pending under the transaction's name: (was it, is it now sure that nothing is)."""
    if not session.has_persist:
        # without persist a pending commit ends with its session, but the device may take its time; without confirmed commits none is
        return False, not session.has_confirmed_commit
    try:
        session.cancel_commit(push.transaction)
    except RpcRefused as error:
        return False, not error.tags & _NO_ANSWER
    return True, True
