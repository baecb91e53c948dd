"""The configuration database of a Junos device: one candidate that all sessions share, its exclusive lock, commits and rollbacks.

A session is known here by its id. Times are real ones: Junos counts a confirmed commit in minutes, tests may make those shorter.
"""

import asyncio
import time
from dataclasses import dataclass

from pydantic import JsonValue

from lab.junos import setlines
from lab.junos.check import commit_check
from lab.junos.history import LARGEST_ROLLBACK, Commit, History
from lab.junos.tree import Tree
from lab.netconf.errors import RpcFailed, failed


@dataclass
class Pending:
    """A confirmed commit that waits for another commit. `since` is the number of the commit before the first of them."""

    base: Tree
    since: int
    fallback: asyncio.TimerHandle


class Database:
    """Candidate and active configuration."""

    def __init__(self, history: History, user: str, seconds_per_minute: float = 60.0) -> None:
        """Use `history`; what was not confirmed when the process ended is taken back. `user` is who commits."""
        self.history = history
        self.candidate = history.active
        self.lock_holder: int | None = None
        self.pending: Pending | None = None
        self._user, self._minute = user, seconds_per_minute
        self._edited_by: int | None = None
        since = history.unconfirmed_since()
        if since is not None:
            base = history.rollback(self._last_number() - since)
            if base is not None:
                self._commit(base, None, None, None)

    @property
    def active(self) -> Tree:
        """The active configuration."""
        return self.history.active

    def picture(self) -> dict[str, JsonValue]:
        """Return all it holds: active and candidate as set lines, the lock's session, the pending commit, the log."""
        return {
            "active": list(setlines.lines(self.active)),
            "candidate": list(setlines.lines(self.candidate)),
            "lock": self.lock_holder,
            "pending": self.pending is not None,
            "commits": [{"revision": c.revision, "comment": c.comment, "log": c.log} for c in self.history.commits(-1)],
        }

    # --- lock

    def lock(self, session: int) -> None:
        """Raise RpcFailed(lock-denied), naming the session, when another one has the lock or has uncommitted changes."""
        if self.lock_holder not in (None, session):
            raise self._locked("lock-denied", self.lock_holder)
        if self.lock_holder is None and self.candidate is not self.active:
            raise failed(
                "lock-denied", "configuration database modified", type_="protocol", info=[("session-id", str(self._edited_by or 0))]
            )
        self.lock_holder = session

    def unlock(self, session: int) -> None:
        """Give the lock back; uncommitted changes go with it."""
        if self.lock_holder != session:
            raise failed("operation-failed", "configuration database is not locked by this session", type_="protocol")
        self.lock_holder = None
        self.discard()

    def session_ended(self, session: int) -> None:
        """Give back the session's lock."""
        if self.lock_holder == session:
            self.unlock(session)

    def must_be_free(self, session: int) -> None:
        """Raise RpcFailed(in-use) when another session has the lock."""
        if self.lock_holder not in (None, session):
            raise self._locked("in-use", self.lock_holder)

    def _locked(self, tag: str, holder: int | None) -> RpcFailed:
        message = (
            f"configuration database locked by:\n  {self._user} terminal  (pid {holder}) on since -, idle 00:00:00\n      exclusive [edit]"
        )
        return failed(tag, message, type_="protocol", info=[("session-id", str(holder))])

    # --- candidate

    def take(self, tree: Tree, session: int) -> None:
        """Make `tree` the candidate."""
        self.must_be_free(session)
        # a candidate that says what is active is no change
        self.candidate = self.active if setlines.difference(self.active, tree) == ([], []) else tree
        self._edited_by = session

    def discard(self) -> None:
        """Make the candidate as the active configuration is."""
        self.candidate = self.active

    def rollback(self, number: int, session: int) -> None:
        """Load what was active `number` commits ago. Raises RpcFailed when there is nothing of that number."""
        tree = self.history.rollback(number)
        if tree is None:
            message = (
                "invalid rollback number" if number > LARGEST_ROLLBACK else f"could not open configuration database: rollback {number}"
            )
            raise failed("operation-failed", message, type_="protocol")
        self.take(tree, session)

    # --- commit

    def check(self) -> None:
        """Raise RpcFailed unless the candidate can be committed."""
        if errors := commit_check(self.candidate):
            raise RpcFailed(tuple(errors))

    def commit(self, session: int, log: str | None = None, minutes: int | None = None) -> None:
        """Make the candidate active; with `minutes` until then, unless there is another commit. Any commit confirms a pending one."""
        self.must_be_free(session)
        self.check()
        base = self.pending.base if self.pending else self.active
        since = self.pending.since if self.pending else self._last_number()
        self._stop_fallback()
        comment = None if minutes is None else f"commit confirmed, rollback in {minutes}mins"
        self._commit(self.candidate, comment, log, None if minutes is None else since)
        if minutes is not None:
            timer = asyncio.get_running_loop().call_later(minutes * self._minute, self.fall_back)
            self.pending = Pending(base, since, timer)

    def fall_back(self) -> None:
        """Take back the pending commit, if there is one. The candidate is lost, as it is in Junos."""
        if self.pending is not None:
            base = self.pending.base
            self._stop_fallback()
            self._commit(base, None, "automatic rollback of an unconfirmed commit", None)

    def _stop_fallback(self) -> None:
        if self.pending is not None:
            self.pending.fallback.cancel()
            self.pending = None

    def _last_number(self) -> int:
        newest = self.history.commits(1)
        return newest[0].number if newest else 0

    def _commit(self, tree: Tree, comment: str | None, log: str | None, unconfirmed_since: int | None) -> None:
        commit = Commit(self._last_number() + 1, time.time(), self._user, "netconf", comment, log)
        self.history.commit(tree, commit, unconfirmed_since)
        self.candidate = self.history.active
