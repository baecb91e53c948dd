"""The datastores of a device: running, candidate, their locks, and the confirmed commit (RFC 6241 sections 7 and 8.3 to 8.6).

A session is known here by its id only. All methods return at once; the caller is one event loop.
"""

import asyncio
from dataclasses import dataclass
from typing import Literal

from lxml import etree
from pydantic import JsonValue

from lab.netconf.edit import Edit
from lab.netconf.errors import RpcFailed, failed
from lab.netconf.instance import Shape, normal
from lab.netconf.names import OPERATION
from lab.netconf.schema import Schema
from lab.netconf.slice import to_validate
from lab.netconf.store import Store
from lab.netconf.units import Candidate, Running, Unit, UnitId, document
from lab.netconf.yang import Yang

Name = Literal["running", "candidate"]
ErrorOption = Literal["stop-on-error", "continue-on-error", "rollback-on-error"]
TestOption = Literal["test-then-set", "set", "test-only"]


@dataclass
class Pending:
    """A confirmed commit that waits to be confirmed."""

    session: int
    persist: str | None
    undo: dict[UnitId, Unit | None]
    fallback: asyncio.TimerHandle


@dataclass(frozen=True)
class Confirmed:
    """What a client asks of a confirmed commit: seconds until it falls back, and the token that lets other sessions confirm it."""

    timeout: float = 600.0
    persist: str | None = None


class Datastore:
    """Running and candidate of one device."""

    def __init__(self, schema: Schema, yang: Yang, store: Store) -> None:
        """Load running from `store`; a commit that was not confirmed when the process ended is taken back."""
        self._schema, self._yang, self._store = schema, yang, store
        units, undo = store.load()
        self.running = Running(units)
        self.candidate = Candidate(self.running)
        self.locks: dict[Name, int] = {}
        self.pending: Pending | None = None
        self.commits = 0
        self._verdict: tuple[int, int] | None = None  # generation of running and edit for which the candidate is known to be valid
        self._edits = 0
        if undo:
            self._set_running(undo, {})

    @property
    def is_empty(self) -> bool:
        """Whether it was never given a configuration."""
        return next(iter(self.running), None) is None

    def picture(self) -> dict[str, JsonValue]:
        """Return all it holds: running as XML, how many units the candidate changes, locks by session, the pending commit."""
        pending = self.pending
        return {
            "running": document(self.running, self._schema.tops),
            "candidate_changes": len(self.candidate.changes),
            "locks": {str(name): session for name, session in self.locks.items()},
            "pending": {"session": pending.session, "persist": pending.persist} if pending else None,
            "commits": self.commits,
        }

    # --- locks

    def lock(self, name: Name, session: int) -> None:
        """Raise RpcFailed(lock-denied) when another session, or the session itself, has the lock or changed what is not committed."""
        holder = self.locks.get(name)
        if holder is not None:
            raise _denied("lock-denied", f"{name} is locked by session {holder}", holder)
        if name == "candidate" and self.candidate.changes:
            raise _denied("lock-denied", "candidate holds changes that were neither committed nor discarded", 0)
        if name == "running" and self.pending and self.pending.session != session:
            raise _denied("lock-denied", "a confirmed commit waits to be confirmed", self.pending.session)
        self.locks[name] = session

    def unlock(self, name: Name, session: int) -> None:
        """Give the lock back; what is in the candidate and not committed goes with its lock (RFC 6241 section 8.3.5.2)."""
        if self.locks.get(name) != session:
            raise failed("operation-failed", f"session {session} has no lock of {name}", type_="protocol")
        del self.locks[name]
        if name == "candidate":
            self._discard()

    def session_ended(self, session: int) -> None:
        """Give back the session's locks; take back its commit if only this session could have confirmed it."""
        for name in [name for name, holder in self.locks.items() if holder == session]:
            self.unlock(name, session)
        if self.pending and self.pending.persist is None and self.pending.session == session:
            self.fall_back()

    def _must_be_free(self, name: Name, session: int) -> None:
        holder = self.locks.get(name)
        if holder not in (None, session):
            raise _denied("in-use", f"{name} is locked by session {holder}", holder)

    # --- candidate

    def edit(self, config: etree._Element, session: int, default: str, test: TestOption, error: ErrorOption) -> None:
        """Apply an edit-config to the candidate. Raises RpcFailed; what is left then is as `error` says.

        What is tested are elements and the values of leaves: whether references hold and what is mandatory is there is known when
        all edits are made, so validate and commit ask that.
        """
        self._must_be_free("candidate", session)
        Shape(self._schema).check(config)
        if test != "set":
            self._check_values(config)
        draft = Candidate(self.running, self.candidate.changes)
        try:
            Edit(self._schema, draft, continue_on_error=error == "continue-on-error").apply(config, default)
        except RpcFailed:
            if error != "rollback-on-error" and test != "test-only":
                self._take_draft(draft)
            raise
        if test != "test-only":
            self._take_draft(draft)

    def _check_values(self, config: etree._Element) -> None:
        for element in config:
            if element.get(OPERATION) not in ("delete", "remove"):
                top = normal(element, self._schema.tops[element.tag], self._schema)
                self._yang.check_values(etree.tostring(top, encoding="unicode"))

    def _take_draft(self, draft: Candidate) -> None:
        self.candidate = draft
        self._edits += 1

    def discard(self, session: int) -> None:
        """Make the candidate as running is."""
        self._must_be_free("candidate", session)
        self._discard()

    def _discard(self) -> None:
        self._take_draft(Candidate(self.running))

    def validate(self) -> None:
        """Raise RpcFailed unless the candidate is a valid configuration. Asked again without a change in between it costs nothing."""
        state = (self.running.generation, self._edits)
        if self._verdict == state:
            return
        if self.candidate.changes:
            self._yang.validate(document(to_validate(self.candidate), self._schema.tops))
        self._verdict = state

    def validate_running(self) -> None:
        """Raise RpcFailed unless running, all of it, is a valid configuration."""
        self._yang.validate(document(self.running, self._schema.tops))

    def validate_config(self, config: etree._Element) -> None:
        """Raise RpcFailed unless `config` is a valid configuration by itself."""
        Shape(self._schema).check(config)
        units = Candidate(Running())
        Edit(self._schema, units).apply(config, "merge")
        self._yang.validate(document([unit for unit in units.changes.values() if unit], self._schema.tops))

    # --- commit

    def commit(self, session: int, confirmed: Confirmed | None = None, persist_id: str | None = None) -> None:
        """Make the candidate running; with `confirmed` until the fallback. A commit while one is pending confirms or prolongs it.

        Raises RpcFailed: in-use, invalid-value (persist-id), or what validation found. Then nothing has changed.
        """
        self._must_be_free("running", session)
        self._must_be_free("candidate", session)
        self._may_confirm(session, persist_id)
        self.validate()
        changes = dict(self.candidate.changes)
        undo = {unit: self.running.get(unit) for unit in changes} if confirmed else {}
        if confirmed and self.pending:
            undo |= self.pending.undo  # the state before the first of them
        if self.pending:
            self.pending.fallback.cancel()
            self.pending = None
        self._set_running(changes, undo)
        self.commits += 1
        self._discard()
        if confirmed:
            timer = asyncio.get_running_loop().call_later(confirmed.timeout, self.fall_back)
            self.pending = Pending(session, confirmed.persist, undo, timer)

    def _may_confirm(self, session: int, persist_id: str | None) -> None:
        pending = self.pending
        if persist_id is not None and (pending is None or pending.persist != persist_id):
            raise failed("invalid-value", "no confirmed commit is pending under this persist-id", info=[("bad-element", "persist-id")])
        if pending is None:
            return
        if (pending.persist is not None and persist_id is None) or (pending.persist is None and pending.session != session):
            raise _denied("in-use", "another confirmed commit is pending", pending.session)

    def cancel(self, session: int, persist_id: str | None) -> None:
        """Take back the pending commit. Raises RpcFailed: operation-failed when none is pending, invalid-value for another persist-id."""
        if self.pending is None:
            raise failed("operation-failed", "no confirmed commit is pending")
        if self.pending.persist != persist_id or (persist_id is None and self.pending.session != session):
            raise failed("invalid-value", "the pending commit has another persist-id or session", info=[("bad-element", "persist-id")])
        self.fall_back()

    def fall_back(self) -> None:
        """Take back the pending commit, if there is one; the candidate's own changes stay."""
        if self.pending is None:
            return
        self.pending.fallback.cancel()
        undo, self.pending = self.pending.undo, None
        self._set_running(undo, {})

    def _set_running(self, changes: dict[UnitId, Unit | None], undo: dict[UnitId, Unit | None]) -> None:
        self._store.save(changes, undo)  # first what outlives us
        self.running.apply(changes)

    def install(self, config: etree._Element) -> None:
        """Make `config` (day-0) running, instead of what is there. Raises RpcFailed when it is no valid configuration."""
        Shape(self._schema).check(config)
        merged = Candidate(Running())
        Edit(self._schema, merged).apply(config, "merge")
        self._yang.validate(document([unit for unit in merged.changes.values() if unit], self._schema.tops))
        changes: dict[UnitId, Unit | None] = {unit.id: None for unit in self.running}
        self._set_running(changes | merged.changes, {})

    def add(self, config: etree._Element) -> None:
        """Merge `config` into running, as an engineer does at the console. Raises RpcFailed when the result is no valid configuration, and
        when somebody is changing the configuration."""
        for name in ("running", "candidate"):
            self._must_be_free(name, session=0)
        Shape(self._schema).check(config)
        merged = Candidate(self.running)
        Edit(self._schema, merged).apply(config, "merge")
        self._yang.validate(document(to_validate(merged), self._schema.tops))
        self._set_running(merged.changes, {})
        self._discard()


def _denied(tag: str, message: str, session: int) -> RpcFailed:
    return failed(tag, message, type_="protocol", info=[("session-id", str(session))])
