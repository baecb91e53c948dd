"""Junos routers (BNG) by nornir-napalm and NAPALM's stock driver: commit confirmed with the transaction's id as comment.

Junos has no name for a pending commit, and any commit confirms it: so the exclusive lock is held from the load to the confirmation,
and the commit's comment says whose it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto

from nornir.core.inventory import Host

from engine.errors import TargetDenied, TargetError, TargetLocked, TargetLost, TargetRefused, TurnupError
from engine.failpoints import Failpoint, reached
from engine.ports import Answer, CheckResult, Outcome, Push, Question, TransactionState
from tasks.connections.junos import KeptJunos, junos_of
from tasks.junos.recovery import look_at
from tasks.junos.selection import selection
from tasks.junos.session import JunosSession
from tasks.kinds.unanswered import nothing_to_ask
from tasks.recovery import ask, ask_until_known
from tasks.transaction import Deadline, check_failed, lease_lost, outcome, run_checks

_LONGEST_CHECK = 2.0


class Stage(Enum):
    """How far a transaction got: what a lost session may have left behind."""

    BEFORE = auto()  # nothing was sent that could change anything
    ACTIVE = auto()  # the router may hold the change, pending or for good


class JunosKind:
    """See the module."""

    reads_first = False
    merges = True

    def push(self, push: Push, host: Host) -> Outcome:
        """Carry out one transaction (`tasks.kinds.base.Kind`)."""
        deadline = Deadline(push.timeout)
        transaction = _Transaction(push, deadline)
        try:
            connection = junos_of(host)
            opened = connection.opened
            try:
                return self._on(connection, transaction, host, deadline)
            except TargetLost:
                if transaction.stage is not Stage.BEFORE or connection.opened > opened:
                    raise
                return self._on(connection, transaction, host, deadline)  # the kept session had died unseen: once more on a new one
        except TargetError as error:
            if transaction.stage is Stage.BEFORE:
                return outcome(TransactionState.NOT_ATTEMPTED, error)
            return ask_until_known(push, error, look_at(push, host, old_session=transaction.session_id), transaction.checks)
        except TurnupError as error:  # of the settings
            return outcome(TransactionState.NOT_ATTEMPTED, error)

    def _on(self, connection: KeptJunos, transaction: _Transaction, host: Host, deadline: Deadline) -> Outcome:
        with connection.use(wait=deadline.left()) as driver:
            return transaction.carry_out(JunosSession(driver, host, deadline), connection)

    def resolve(self, push: Push, host: Host) -> Outcome:
        """Find out what became of it (`tasks.kinds.base.Kind`)."""
        cause = TargetLost(f"{push.target}: the process ended within the transaction", target=push.target)
        return ask(push, cause, look_at(push, host, old_session=push.old_session))

    def ask(self, questions: Sequence[Question], host: Host) -> Mapping[int, Answer]:
        """Answer that nothing can be waited for here."""
        return nothing_to_ask(questions, host)

    def held(self, fragments: Sequence[str], host: Host) -> str:
        """Return the lines of the active configuration where these fragments say something (`tasks.kinds.base.Kind`)."""
        wanted = selection(fragments)
        if wanted.filter is None:
            return ""
        with junos_of(host).use() as driver:
            found = JunosSession(driver, host, Deadline(60)).set_lines(wanted.filter)
        return "\n".join((*wanted.taken, found))

    def day_zero(self, host: Host) -> str:
        """Return the active configuration as `set` lines. Raises TargetError."""
        with junos_of(host).use() as driver:
            return JunosSession(driver, host, Deadline(60)).set_lines()


class _Transaction:
    """One transaction, while it has its session."""

    def __init__(self, push: Push, deadline: Deadline) -> None:
        self.push = push
        self.stage = Stage.BEFORE
        self.checks: tuple[CheckResult, ...] = ()
        self.session_id = ""
        self._deadline = deadline

    def carry_out(self, session: JunosSession, connection: KeptJunos) -> Outcome:
        """Do it. Raises TargetTimeout and TargetLost with `stage` saying how far it got."""
        self.session_id = session.id
        self.push.began(session.id)
        try:
            session.lock()
        except (TargetDenied, TargetLocked, TargetRefused) as error:
            return outcome(TransactionState.NOT_ATTEMPTED, error)
        reached(Failpoint.LOCKED)
        try:
            return self._commit(session)
        finally:
            # what became of it is known, or an exception says how far it got: neither must be hidden by a lock that is not given back
            try:
                session.unlock()
            except TargetError:
                connection.close()  # the router drops the lock of a session that is gone

    def _commit(self, session: JunosSession) -> Outcome:
        push = self.push
        if session.is_pending():
            told = f"{push.target}: a commit ({session.last_commit() or 'without comment'}) waits to be confirmed; ours would confirm it"
            return outcome(TransactionState.NOT_ATTEMPTED, TargetLocked(told, target=push.target))
        if not push.holds():
            return outcome(TransactionState.NOT_ATTEMPTED, lease_lost(push, "a commit"))
        self.stage = Stage.ACTIVE
        try:
            committed = session.commit(push.change.forward, push.transaction, self._deadline.left())
        except (TargetDenied, TargetLocked, TargetRefused) as error:
            return outcome(TransactionState.REFUSED, error)
        reached(Failpoint.COMMITTED)
        looking = Deadline(self._deadline.at_most(_LONGEST_CHECK))
        self.checks = run_checks(push.checks, {"readback": lambda _: self._readback(session)}, looking)
        failure: TurnupError | None = check_failed(push, self.checks)
        if failure is None and committed and not push.holds():
            failure = lease_lost(push, "a confirmation")
        if failure is not None:
            if committed:
                session.rollback()
            return outcome(TransactionState.REVERSED, failure, self.checks)
        reached(Failpoint.CHECKED)
        if committed and not session.confirm():
            raise TargetLost(f"{push.target}: the commit was not pending any more when it was to be confirmed", target=push.target)
        reached(Failpoint.CONFIRMED)
        return outcome(TransactionState.CONFIRMED, checks=self.checks)

    def _readback(self, session: JunosSession) -> tuple[bool, str]:
        """The router holds what the change says: loading it once more would change nothing."""
        difference = session.differs(self.push.change.forward)
        where = ", ".join(line for line in difference.splitlines() if line.startswith("["))  # not the lines below: they may be secret
        return not difference, f"read back: it is not as sent at {where}" if difference else "read back as sent"


JUNOS = JunosKind()
