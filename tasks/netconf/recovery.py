"""What became of a transaction on a NETCONF device.

A confirmed commit with persist outlives its session until its time is over (RFC 6241 section 8.4.1), so it is taken back by name; what
running then holds says the rest.
"""

from __future__ import annotations

import contextlib

from nornir.core.inventory import Host

from engine.errors import TargetLocked, TargetRefused
from engine.ports import Push, TransactionState
from tasks.connections.netconf import netconf_of
from tasks.netconf.errors import LOCK_HELD, RpcRefused
from tasks.netconf.readback import read_back, summary
from tasks.netconf.session import NetconfSession
from tasks.recovery import LOOK, Look
from tasks.transaction import Deadline

_NO_ANSWER = LOCK_HELD | {"access-denied", "resource-denied", "operation-not-supported", "too-big"}
"""Error-tags with which a cancel-commit says nothing about what is pending."""


def look_at(push: Push, host: Host, *, old_session: str = "") -> Look:
    """Return how to look what became of `push` (`tasks.recovery`).

    The pending commit is cancelled, then running is read. Where commits cannot be pending nobody knows whether the change was looked
    at: its reverse is sent. `old_session` is ended when it still holds the lock.
    """

    def look(certain: bool) -> tuple[TransactionState | None, str]:
        try:
            with netconf_of(host).use(wait=LOOK) as manager:
                return _look(NetconfSession(manager, push.target, Deadline(LOOK)), push, old_session, certain=certain)
        except RpcRefused as error:
            raise TargetRefused(f"{push.target}: {error}", target=push.target) from error

    return look


def _look(session: NetconfSession, push: Push, old_session: str, *, certain: bool) -> tuple[TransactionState | None, str]:
    locked = _lock(session, old_session)
    if not (locked or certain):
        raise TargetLocked(f"{push.target}: another session holds the lock", target=push.target)
    try:
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
