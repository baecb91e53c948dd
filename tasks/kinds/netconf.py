"""NETCONF devices (OLT, access switch): confirmed commits on the candidate, as far as the device announces them.

lock, discard-changes, edit-config, validate, confirmed commit with the transaction's id as persist-id, checks, confirm, unlock
(RFC 6241 sections 7 and 8). A device without confirmed commits is committed at once, and the computed reverse is sent when a check
fails; one without a candidate is edited in running, likewise.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from enum import Enum, auto

from lxml import etree
from nornir.core.inventory import Host

from engine.errors import TargetError, TargetLost, TargetRefused, TurnupError
from engine.failpoints import Failpoint, reached
from engine.ports import Answer, CheckResult, Outcome, Push, Question, TransactionState
from tasks.connections.netconf import Netconf, netconf_of
from tasks.kinds.unanswered import nothing_to_ask
from tasks.netconf.checks import checks_of
from tasks.netconf.errors import UNSURE, RpcRefused, meaning
from tasks.netconf.recovery import look_at
from tasks.netconf.selection import subtrees_of
from tasks.netconf.session import NetconfSession
from tasks.netconf.xml import elements
from tasks.recovery import ask, ask_until_known
from tasks.transaction import Deadline, check_failed, lease_lost, outcome, run_checks

_CHECK_SHARE = 0.5
"""Share of the time left that checks may take until they pass; the rest is for taking the change back."""
_LONGEST_CHECK = 10.0


class Stage(Enum):
    """How far a transaction got: what a lost session may have left behind."""

    BEFORE = auto()  # nothing was sent that could change anything
    CANDIDATE = auto()  # the candidate ends with the session (RFC 6241 section 8.3.5.2)
    RUNNING = auto()  # running may hold the change, pending or for good


class NetconfKind:
    """See the module."""

    reads_first = False
    merges = False

    def push(self, push: Push, host: Host) -> Outcome:
        """Carry out one transaction (`tasks.kinds.base.Kind`)."""
        deadline = Deadline(push.timeout)
        transaction = _Transaction(push, deadline)
        try:
            plugin = netconf_of(host)
            opened = plugin.opened
            try:
                return self._on(plugin, transaction, deadline)
            except TargetLost:
                if transaction.stage is not Stage.BEFORE or plugin.opened > opened:
                    raise
                return self._on(plugin, transaction, deadline)  # the kept session had died unseen: once more on a new one
        except TargetError as error:
            return self._after(error, transaction, host)
        except TurnupError as error:  # of the settings
            return outcome(TransactionState.NOT_ATTEMPTED, error)

    def _on(self, plugin: Netconf, transaction: _Transaction, deadline: Deadline) -> Outcome:
        with plugin.use(wait=deadline.left()) as manager:
            return transaction.carry_out(NetconfSession(manager, transaction.push.target, deadline), plugin)

    def _after(self, error: TargetError, transaction: _Transaction, host: Host) -> Outcome:
        """Say what became of a transaction whose session ended with `error`."""
        match transaction.stage:
            case Stage.BEFORE:
                return outcome(TransactionState.NOT_ATTEMPTED, error)
            case Stage.CANDIDATE:
                return outcome(TransactionState.REVERSED, error)
            case _:
                look = look_at(transaction.push, host, old_session=transaction.session_id)
                return ask_until_known(transaction.push, error, look, transaction.checks)

    def resolve(self, push: Push, host: Host) -> Outcome:
        """Find out what became of it (`tasks.kinds.base.Kind`)."""
        cause = TargetLost(f"{push.target}: the process ended within the transaction", target=push.target)
        return ask(push, cause, look_at(push, host, old_session=push.old_session))

    def ask(self, questions: Sequence[Question], host: Host) -> Mapping[int, Answer]:
        """Answer that nothing can be waited for here."""
        return nothing_to_ask(questions, host)

    def held(self, fragments: Sequence[str], host: Host) -> str:
        """Return the list entries of running that these fragments name (`tasks.kinds.base.Kind`)."""
        wanted = subtrees_of(fragments)
        return _running(host, wanted) if wanted else ""

    def day_zero(self, host: Host) -> str:
        """Return all of running, as top-level elements. Raises TargetError."""
        return _running(host)


def _running(host: Host, subtrees: Sequence[str] | None = None) -> str:
    """Running, or the parts of it that a filter selects, as top-level elements. Raises TargetError."""
    try:
        with netconf_of(host).use() as manager:
            data = NetconfSession(manager, host.name, Deadline(60)).get_config(subtrees)
    except RpcRefused as error:
        raise TargetRefused(f"{host.name}: {error}", target=host.name) from error
    return "\n".join(etree.tostring(element, encoding="unicode").strip() for element in elements(data))


class _Transaction:
    """One transaction, while it has its session."""

    def __init__(self, push: Push, deadline: Deadline) -> None:
        self.push = push
        self.stage = Stage.BEFORE
        self.checks: tuple[CheckResult, ...] = ()
        self.session_id = ""
        self._deadline = deadline

    def carry_out(self, session: NetconfSession, plugin: Netconf) -> Outcome:
        """Do it. Raises TargetTimeout and TargetLost with `stage` saying how far it got."""
        self.session_id = session.id
        self.push.began(session.id)
        try:
            _lock(session)
        except RpcRefused as error:
            return outcome(TransactionState.NOT_ATTEMPTED, _error(self.push, error))
        reached(Failpoint.LOCKED)
        try:
            return self._edit_and_commit(session)
        finally:
            # what became of it is known, or an exception says how far it got: neither must be hidden by a lock that is not given back
            try:
                session.unlock()
            except (RpcRefused, TargetError):
                plugin.close()  # the device drops the locks of a session that is gone

    def _edit_and_commit(self, session: NetconfSession) -> Outcome:
        try:
            if session.has_candidate:
                self._prepare(session)
            reached(Failpoint.EDITED)
            if not self.push.holds():
                if session.has_candidate:
                    session.discard_changes()
                return outcome(TransactionState.REVERSED, lease_lost(self.push, "a commit"))
            self.stage = Stage.RUNNING
            if session.has_confirmed_commit:
                session.commit_confirmed(self._deadline.left(), self.push.transaction)
            elif session.has_candidate:
                session.commit()
            else:
                session.edit_config(self.push.change.forward)
        except RpcRefused as error:
            return self._refused(session, error)
        reached(Failpoint.COMMITTED)
        return self._check_and_confirm(session)

    def _prepare(self, session: NetconfSession) -> None:
        self.stage = Stage.CANDIDATE
        session.discard_changes()
        session.edit_config(self.push.change.forward)
        if session.has_validate:
            session.validate()

    def _refused(self, session: NetconfSession, error: RpcRefused) -> Outcome:
        if session.has_candidate:
            with contextlib.suppress(RpcRefused):
                session.discard_changes()
        elif not session.has_rollback_on_error or error.tags & UNSURE:
            raise TargetLost(f"{self.push.target}: {error}; the device may have kept a part of it", target=self.push.target) from error
        return outcome(TransactionState.REFUSED, _error(self.push, error))

    def _check_and_confirm(self, session: NetconfSession) -> Outcome:
        looking = Deadline(min(self._deadline.left() * _CHECK_SHARE, _LONGEST_CHECK))
        try:
            self.checks = run_checks(self.push.checks, checks_of(session, self.push.change), looking)
            failure: TurnupError | None = check_failed(self.push, self.checks)
            if failure is None and not self.push.holds():
                failure = lease_lost(self.push, "a confirmation")
            if failure is not None:
                self._take_back(session)
                return outcome(TransactionState.REVERSED, failure, self.checks)
            reached(Failpoint.CHECKED)
            if session.has_confirmed_commit:
                session.confirm(self.push.transaction)
        except RpcRefused as error:
            raise TargetLost(f"{self.push.target}: {error}", target=self.push.target) from error  # it must be asked what it holds
        reached(Failpoint.CONFIRMED)
        return outcome(TransactionState.CONFIRMED, checks=self.checks)

    def _take_back(self, session: NetconfSession) -> None:
        """Undo the commit: by cancel-commit, or by the reverse where the device has none (a commit also ends a confirmed one)."""
        if session.has_persist:
            session.cancel_commit(self.push.transaction)
            return
        session.edit_config(self.push.change.reverse)
        if session.has_candidate:
            session.commit()


def _lock(session: NetconfSession) -> None:
    """Lock. Raises RpcRefused."""
    try:
        session.lock()
    except RpcRefused as error:
        # session 0 on the candidate: it has changes that nobody committed, and nobody holds a lock for (RFC 6241 section 7.5)
        if not session.has_candidate or any(part.session != "0" for part in error.errors):
            raise
        session.discard_changes()
        session.lock()


def _error(push: Push, error: RpcRefused) -> TargetError:
    return meaning(error.tags)(f"{push.target} refused: {error}", target=push.target)


NETCONF = NetconfKind()
