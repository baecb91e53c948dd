"""Transactions on systems that hold documents with a kind and a key: reservations, presets, registrations, orders.

Such systems have no transaction of their own. Each operation reads first, so that doing it again does no harm; when a later one
fails, those before it are undone exactly by their reverses; and everything is read back before it counts as done.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import stamina
from nornir.core.inventory import Host

from engine.errors import (
    CheckFailed,
    DriftFound,
    LeaseLost,
    TargetDenied,
    TargetError,
    TargetLocked,
    TargetLost,
    TargetRefused,
    TurnupError,
)
from engine.failpoints import Failpoint, reached
from engine.ports import Answer, CheckResult, Outcome, Push, Question, TransactionState
from tasks.kinds.bodies import Body, as_stated, differing
from tasks.kinds.unanswered import nothing_to_ask
from tasks.transaction import Check, Deadline, check_failed, lease_lost, outcome, run_checks

_READ_BACK = "readback"
_LONGEST_CHECK = 5.0
_TO_READ = 60.0
_TO_UNDO = 20.0
"""Seconds that taking back may last beyond the transaction's own time."""


@dataclass(frozen=True)
class Operation:
    """One line of a change (tasks.change.documents): make the document `body` where `was` is now; None: it is not there."""

    kind: str
    key: str
    body: Body | None
    was: Body | None

    @property
    def path(self) -> str:
        """`kind/key`."""
        return f"{self.kind}/{self.key}"

    def reverse(self) -> Operation:
        """What undoes it."""
        return Operation(self.kind, self.key, self.was, self.body)


def operations_of(change: str) -> tuple[Operation, ...]:
    """Return the operations of a change's text, in the order in which they are carried out."""
    return tuple(_operation(line) for line in json.loads(change or "[]"))


def _operation(line: Mapping[str, Any]) -> Operation:
    deleted = line["op"] == "delete"
    return Operation(line["kind"], line["key"], None if deleted else line["body"], line.get("was"))


class DocumentStore(ABC):
    """What one kind of system can do with a document, until a deadline. All methods raise TargetError."""

    def __init__(self, target: str, deadline: Deadline) -> None:
        self.target = target
        self.deadline = deadline

    @abstractmethod
    def read(self, kind: str, key: str) -> Body | None:
        """Return the document as the system holds it, None when it is not there. May hold more than was put."""

    @abstractmethod
    def create(self, kind: str, key: str, body: Body) -> None:
        """Put a document that is not there."""

    @abstractmethod
    def replace(self, kind: str, key: str, body: Body) -> None:
        """Put a document in the place of one that is there."""

    @abstractmethod
    def delete(self, kind: str, key: str) -> None:
        """Take a document away. One that is not there any more is fine."""

    def keep(self) -> None:  # noqa: B027 - most systems have nothing to do here
        """Make what was done lasting. Called once, after everything was read back."""

    def consider(self, operations: Sequence[Operation]) -> None:  # noqa: B027 - most systems can take back what they did
        """Raise TargetRefused for what cannot be done, before any of it is. Called once, first."""

    def undo(self, operations: Sequence[Operation]) -> None:
        """Make it as it was before these operations, some of which may not have happened. May be called again."""
        for operation in reversed(operations):
            self.make(operation.reverse(), self.read(operation.kind, operation.key))

    def learned(self, kind: str, held: Body) -> Mapping[str, str]:  # noqa: ARG002 - most systems tell nothing
        """Return what only the system knows of a document it holds."""
        return {}

    def checks(self) -> Mapping[str, Check]:
        """Return the checks that it knows beside `readback`."""
        return {}

    def make(self, operation: Operation, held: Body | None) -> None:
        """Carry out one operation where `held` is now; nothing is sent when it is done already."""
        if operation.body is None:
            if held is not None:
                self.delete(operation.kind, operation.key)
        elif held is None:
            self.create(operation.kind, operation.key, operation.body)
        elif differing(held, operation.body):
            self.replace(operation.kind, operation.key, operation.body)


def _may_pass(error: Exception) -> bool:
    return isinstance(error, TargetError) and error.may_retry


class DocumentTransaction:
    """One transaction on an open store."""

    def __init__(self, push: Push, store: DocumentStore) -> None:
        self._push = push
        self._store = store
        self._operations = operations_of(push.change.forward)
        self._tried: list[Operation] = []
        self._learned: dict[str, Mapping[str, str]] = {}
        self._refused_to_undo = False

    def carry_out(self) -> Outcome:
        """Do it and say what came of it."""
        push, store = self._push, self._store
        checks: tuple[CheckResult, ...] = ()
        try:
            if not push.holds():
                return outcome(TransactionState.NOT_ATTEMPTED, lease_lost(push, "a write"))
            store.consider(self._operations)
            self._write()
            reached(Failpoint.COMMITTED)
            looking = Deadline(store.deadline.at_most(_LONGEST_CHECK))
            checks = run_checks(push.checks, {**store.checks(), _READ_BACK: self._look}, looking)
            if failure := check_failed(push, checks):
                return self._undone(failure, checks)
            if not any(check.name == _READ_BACK for check in checks) and (missing := self._missing()):
                return self._undone(CheckFailed(f"{push.target} accepted it, but {missing}", target=push.target), checks)
            if not push.holds():
                return self._left_open(checks)
            reached(Failpoint.CHECKED)
            store.keep()
            reached(Failpoint.CONFIRMED)
        except TargetError as error:
            return self._undone(error, checks)
        return outcome(TransactionState.CONFIRMED, checks=checks, learned=self._learned)

    def find_out(self) -> Outcome:
        """Say what became of it when nobody saw its end: what was done by halves is undone. NOT_ATTEMPTED: it cannot be asked now."""
        try:
            if not self._missing():
                self._store.keep()
                return outcome(TransactionState.CONFIRMED, learned=self._learned)
        except TargetError as error:
            return outcome(TransactionState.NOT_ATTEMPTED, error)
        self._tried = list(self._operations)
        found = self._undone(TargetLost(f"{self._push.target}: the process ended within the transaction", target=self._push.target))
        if self._refused_to_undo:
            return self._carried_through(found)
        return replace(found, state=TransactionState.NOT_ATTEMPTED) if found.state is TransactionState.OPEN else found

    def _carried_through(self, otherwise: Outcome) -> Outcome:
        """Do the rest of what cannot be taken back any more: a parcel is on the road."""
        self._store.deadline = Deadline(self._push.timeout)
        try:
            self._write()
            if self._missing():
                return otherwise
            self._store.keep()
        except TargetError as error:
            return outcome(TransactionState.NOT_ATTEMPTED, error) if error.may_retry else otherwise
        return outcome(TransactionState.CONFIRMED, learned=self._learned)

    def _write(self) -> None:
        for operation in self._operations:
            self._store.deadline.require(self._push.target, f"{operation.path} was written")
            held = self._store.read(operation.kind, operation.key)
            self._as_left(operation, held)
            self._tried.append(operation)  # also what is done already: by an earlier attempt of this same push
            try:
                self._store.make(operation, held)
            except (TargetDenied, TargetLocked, TargetRefused):
                self._tried.pop()  # it said no: this one has not happened
                raise
            reached(Failpoint.EDITED)

    def _as_left(self, operation: Operation, held: Body | None) -> None:
        """Raise DriftFound when it is not as it was left: it could not be put back. Raises TargetRefused when something is in the way of
        what is new. What is done already is done."""
        target, path, body, was = self._push.target, operation.path, operation.body, operation.was
        if held is None:
            if body is not None and was is not None:
                raise DriftFound(f"{target} is not as it was left: {path} is missing", target=target)
        elif body is None or differing(held, body):
            if body is not None and was is None:
                names = ", ".join(differing(held, body))
                raise TargetRefused(f"{target} holds {path} already, with other values of {names}", target=target)
            if other := differing(held, was or {}):
                raise DriftFound(f"{target} is not as it was left: {path} has other values of {', '.join(other)}", target=target)

    def _missing(self) -> str:
        """Read back. Return what is not as sent, as a sentence; empty when all is."""
        found = []
        for operation in self._operations:
            held = self._store.read(operation.kind, operation.key)
            if operation.body is None:
                if held is not None:
                    found.append(f"{operation.path} is still there")
            elif held is None:
                found.append(f"{operation.path} is not there")
            elif names := differing(held, operation.body):
                found.append(f"{operation.path} has other values of {', '.join(names)}")
            elif told := self._store.learned(operation.kind, held):
                self._learned[operation.path] = told
        return "; ".join(found)

    def _look(self, arguments: Mapping[str, str]) -> tuple[bool, str]:  # noqa: ARG002 - a check's shape
        missing = self._missing()
        return not missing, missing or f"read back {len(self._operations)} as sent"

    def _left_open(self, checks: tuple[CheckResult, ...]) -> Outcome:
        """Leave it to whoever has the lane now, who asks what became of it: to take it back might take back what that one kept."""
        told = f"{self._push.target}: the lane has, or may soon have, a newer owner; what became of the change is asked then"
        return outcome(TransactionState.OPEN, LeaseLost(told, target=self._push.target), checks)

    def _undone(self, error: TurnupError, checks: tuple[CheckResult, ...] = ()) -> Outcome:
        """Undo what was done or may have been done, and say so."""
        if not self._tried:
            refused = isinstance(error, (TargetRefused, DriftFound))
            return outcome(TransactionState.REFUSED if refused else TransactionState.NOT_ATTEMPTED, error, checks)
        if not self._push.holds():
            return self._left_open(checks)
        self._store.deadline = Deadline(_TO_UNDO)
        try:
            for attempt in stamina.retry_context(on=_may_pass, attempts=None, timeout=_TO_UNDO / 2, wait_max=1.0):
                with attempt:
                    self._store.undo(self._tried)
        except TargetError as second:
            told = type(error)(f"{error.message}; it could not be taken back: {second.message}", target=self._push.target)
            self._refused_to_undo = not second.may_retry
            # open: it must be asked before the next change, and then it may be undone or carried through; unknown: a person must look
            passes = second.may_retry or error.may_retry
            return outcome(TransactionState.OPEN if passes else TransactionState.UNKNOWN, told, checks)
        return outcome(TransactionState.REVERSED, error, checks)


Opened = Callable[[Host, Deadline], AbstractContextManager[DocumentStore]]
"""Opens the store of a host until a deadline. Raises TargetError."""


class DocumentKind:
    """What all kinds of targets that hold documents share of `tasks.kinds.base.Kind`."""

    reads_first = True
    merges = False

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def push(self, push: Push, host: Host) -> Outcome:
        """Carry out one transaction (`tasks.kinds.base.Kind`)."""
        return self._on(push, host, DocumentTransaction.carry_out)

    def resolve(self, push: Push, host: Host) -> Outcome:
        """Find out what became of it (`tasks.kinds.base.Kind`)."""
        return self._on(push, host, DocumentTransaction.find_out)

    def ask(self, questions: Sequence[Question], host: Host) -> Mapping[int, Answer]:
        """Answer that nothing can be waited for here."""
        return nothing_to_ask(questions, host)

    def held(self, fragments: Sequence[str], host: Host) -> str:
        """Return these documents as the system holds them, without what it adds itself (`tasks.kinds.base.Kind`)."""
        found: dict[str, dict[str, Any]] = {}
        with self._opened(host, Deadline(_TO_READ)) as store:
            for document in (document for text in fragments for document in json.loads(text)):
                kind, key = document["kind"], document["key"]
                body = None if f"{kind}/{key}" in found else store.read(kind, key)
                if body is not None:
                    found[f"{kind}/{key}"] = {"kind": kind, "key": key, "body": as_stated(body, document["body"])}
        return json.dumps(list(found.values()), ensure_ascii=False)

    def day_zero(self, host: Host) -> str | None:  # noqa: ARG002 - the shape of a kind
        """Return None: documents have keys of their own, what others put there does not meet ours."""
        return None

    def _on(self, push: Push, host: Host, work: Callable[[DocumentTransaction], Outcome]) -> Outcome:
        try:
            with self._opened(host, Deadline(push.timeout)) as store:
                return work(DocumentTransaction(push, store))
        except TurnupError as error:  # of the target, or of the settings
            return outcome(TransactionState.NOT_ATTEMPTED, error)
