"""What became of a transaction on a Junos router whose session was lost: the router is asked until it is known."""

from __future__ import annotations

import contextlib
import re
import time

from nornir.core.inventory import Host

from engine.errors import TargetError, TargetLocked
from engine.ports import CheckResult, Outcome, Push, TransactionState
from tasks.connections.junos import junos_of
from tasks.junos.session import JunosSession
from tasks.transaction import Deadline, outcome

_GRACE = 2.0
_LOOK = 30.0


def establish(push: Push, host: Host, cause: TargetError, *, checks: tuple[CheckResult, ...] = (), old_session: str = "") -> Outcome:
    """Ask the router what became of `push`, whose session ended with `cause`, until it is known or twice its time has passed.

    A pending commit with the transaction's comment is rolled back. The outcome is REVERSED or CONFIRMED; UNKNOWN, for a person, when
    the router cannot be reached so long or holds neither what was before nor what was wanted.
    """
    falls_back = Deadline(push.timeout + _GRACE)
    pause = 0.05
    while True:
        last_look = falls_back.over
        try:
            with junos_of(host).use(wait=_LOOK) as driver:
                state, words = _look(JunosSession(driver, host, Deadline(_LOOK)), push, old_session)
        except TargetError as error:
            state, words = None, error.message
        if state is not None or last_look:
            break
        time.sleep(min(pause, falls_back.left()))  # between two attempts to reach a router; nothing tells us when it is back
        pause = min(pause * 2, 2.0)
    if state is TransactionState.CONFIRMED:
        return outcome(state, checks=checks)
    told = type(cause)(f"{cause.message}; {words}", target=push.target)
    return outcome(state or TransactionState.UNKNOWN, told, checks)


def _look(session: JunosSession, push: Push, old_session: str) -> tuple[TransactionState | None, str]:
    """Look once, with the lock held: whoever had it is through. None: not known yet. Raises TargetError."""
    try:
        session.lock()
    except TargetLocked as error:
        if old_session and re.search(rf"session {re.escape(old_session)}\b", error.message):
            with contextlib.suppress(TargetError):  # it may have ended meanwhile
                session.kill(old_session)
        return None, error.message
    try:
        taken_back = False
        if session.is_pending():
            if session.last_commit() != push.transaction:
                return None, "a commit that is not ours waits to be confirmed"
            session.rollback()
            taken_back = True
        missing = session.differs(push.change.forward)
        left = session.differs(push.change.reverse)
    finally:
        session.unlock()
    if missing and not left:
        return TransactionState.REVERSED, "it was taken back" if taken_back else "the router holds what it held before"
    if left and not missing and not taken_back:
        return TransactionState.CONFIRMED, "the router holds it"
    return None, "the router holds neither what was before nor what was wanted"
