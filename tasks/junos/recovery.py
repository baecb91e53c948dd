"""What became of a transaction on a Junos router: a pending commit with its comment is rolled back, then the router is compared."""

from __future__ import annotations

import contextlib
import re

from nornir.core.inventory import Host

from engine.errors import TargetError, TargetLocked
from engine.ports import Push, TransactionState
from tasks.connections.junos import junos_of
from tasks.junos.session import JunosSession
from tasks.recovery import LOOK, Look
from tasks.transaction import Deadline


def look_at(push: Push, host: Host, *, old_session: str = "") -> Look:
    """Return how to look what became of `push` (`tasks.recovery`). `old_session` is ended when it still holds the lock."""

    def look(certain: bool) -> tuple[TransactionState | None, str]:  # noqa: ARG001 - with the lock it is always certain
        with junos_of(host).use(wait=LOOK) as driver:
            return _look(JunosSession(driver, host, Deadline(LOOK)), push, old_session)

    return look


def _look(session: JunosSession, push: Push, old_session: str) -> tuple[TransactionState | None, str]:
    """Look with the lock held: whoever had it is through."""
    _lock(session, old_session)
    try:
        taken_back = _take_back(session, push)
        missing = session.differs(push.change.forward)
        left = session.differs(push.change.reverse)
    finally:
        session.unlock()
    if missing and not left:
        return TransactionState.REVERSED, "it was taken back" if taken_back else "the router holds what it held before"
    if left and not missing and not taken_back:
        return TransactionState.CONFIRMED, "the router holds it"
    return None, "the router holds neither what was before nor what was wanted"


def _lock(session: JunosSession, old_session: str) -> None:
    try:
        session.lock()
    except TargetLocked as error:
        if not old_session or not re.search(rf"session {re.escape(old_session)}\b", error.message):
            raise
        with contextlib.suppress(TargetError):  # it may have ended meanwhile
            session.kill(old_session)
        session.lock()


def _take_back(session: JunosSession, push: Push) -> bool:
    """Roll back what is pending, if it is ours."""
    if not session.is_pending():
        return False
    if session.last_commit() != push.transaction:
        raise TargetLocked(f"{push.target}: a commit that is not ours waits to be confirmed", target=push.target)
    session.rollback()
    return True
