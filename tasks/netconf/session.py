"""The RPCs of a transaction on one NETCONF session, by what the device announced (RFC 6241, RFC 6242)."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lxml import etree
from ncclient.manager import Manager
from ncclient.operations.rpc import RPC, RaiseMode

from tasks.connections.connect import translated
from tasks.netconf.errors import RpcRefused, rpc_errors
from tasks.netconf.xml import NC, config_text, escaped, parse
from tasks.transaction import Deadline

_CAPABILITY = "urn:ietf:params:netconf:capability:"
_LONGEST_RPC = 600.0
"""Seconds. Devices need minutes for an edit that fills a PON card (facts of users: sysrepo#3051), so the transaction's time decides."""


class _Verbatim(RPC):  # type: ignore[misc]  # ncclient has no annotations
    """An RPC whose operation is sent as the text it is.

    ncclient would move the configuration from one lxml document into another, which drops namespace declarations that look redundant,
    also those of prefixes that only occur in values (identityrefs). And what was shown is what is sent.
    """

    def _wrap(self, operation: str) -> str:
        return f'<?xml version="1.0" encoding="UTF-8"?><rpc xmlns="{NC}" message-id="{self._id}">{operation}</rpc>'

    def request(self, operation: str) -> str:
        """Send it and return the whole reply as text."""
        reply: str = self._request(operation).xml
        return reply


class NetconfSession:
    """RPCs of one session until a deadline.

    Each raises RpcRefused when the device answers with an error, and TargetTimeout or TargetLost, after which the session is of no use.
    """

    def __init__(self, manager: Manager, target: str, deadline: Deadline) -> None:
        self._manager = manager
        self._target = target
        self._deadline = deadline
        announced = {str(uri).partition("?")[0] for uri in manager.server_capabilities}
        self.has_candidate = f"{_CAPABILITY}candidate:1.0" in announced
        self.has_validate = bool({f"{_CAPABILITY}validate:1.0", f"{_CAPABILITY}validate:1.1"} & announced)
        self.has_rollback_on_error = f"{_CAPABILITY}rollback-on-error:1.0" in announced
        self.has_persist = f"{_CAPABILITY}confirmed-commit:1.1" in announced
        """Confirmed commits that outlive the session that made them, and cancel-commit."""
        self.has_confirmed_commit = self.has_candidate and (self.has_persist or f"{_CAPABILITY}confirmed-commit:1.0" in announced)
        self.datastore = "candidate" if self.has_candidate else "running"
        """Where edits go."""

    @property
    def id(self) -> str:
        """The session-id that the device gave."""
        return str(self._manager.session_id)

    def rpc(self, name: str, content: str = "", attributes: str = "") -> etree._Element:
        """Send one operation of the base namespace and return the rpc-reply."""
        seconds = min(self._deadline.require(self._target, f"<{name}>"), _LONGEST_RPC)
        operation = f"<{name}{attributes}>{content}</{name}>" if content else f"<{name}{attributes}/>"
        manager = self._manager
        with translated(self._target):
            request = _Verbatim(manager._session, manager._device_handler, timeout=seconds, raise_mode=RaiseMode.NONE)
            reply = parse(request.request(operation))
        errors = [error for error in rpc_errors(reply) if error.severity != "warning"]
        if errors:
            raise RpcRefused(name, tuple(errors))
        return reply

    def lock(self) -> None:
        """Lock the datastore that edits go to."""
        self.rpc("lock", f"<target><{self.datastore}/></target>")

    def unlock(self) -> None:
        """Unlock it; what is in the candidate and was not committed is lost."""
        self.rpc("unlock", f"<target><{self.datastore}/></target>")

    def discard_changes(self) -> None:
        """Make the candidate what running is."""
        self.rpc("discard-changes")

    def edit_config(self, change: str) -> None:
        """Merge `change`: a <config> element, or what is in one, as text. All or nothing where the device can do that."""
        options = "<default-operation>merge</default-operation>"
        if self.has_validate:
            options += "<test-option>test-then-set</test-option>"
        if self.has_rollback_on_error:
            options += "<error-option>rollback-on-error</error-option>"
        self.rpc("edit-config", f"<target><{self.datastore}/></target>{options}{config_text(change)}")

    def validate(self) -> None:
        """Validate the candidate."""
        self.rpc("validate", f"<source><{self.datastore}/></source>")

    def commit(self) -> None:
        """Commit the candidate; of a confirmed commit of this session without persist: confirm it."""
        self.rpc("commit")

    def commit_confirmed(self, seconds: float, persist: str) -> None:
        """Commit, to be taken back by the device unless it is confirmed within `seconds`; `persist` is its name where there are names."""
        # at least a second, and whole ones (uint32 1..max); ncclient's own commit() wants text here and fails with an int
        timeout = f"<confirm-timeout>{max(1, math.ceil(seconds))}</confirm-timeout>"
        name = f"<persist>{escaped(persist)}</persist>" if self.has_persist else ""
        self.rpc("commit", f"<confirmed/>{timeout}{name}")

    def confirm(self, persist: str) -> None:
        """Confirm the pending commit."""
        self.rpc("commit", f"<persist-id>{escaped(persist)}</persist-id>" if self.has_persist else "")

    def cancel_commit(self, persist: str) -> None:
        """Take the pending commit back at once."""
        self.rpc("cancel-commit", f"<persist-id>{escaped(persist)}</persist-id>")

    def kill_session(self, session_id: str) -> None:
        """End another session: the device takes back what it was doing and frees its locks."""
        self.rpc("kill-session", f"<session-id>{escaped(session_id)}</session-id>")

    def get_config(self, subtrees: Iterable[str] | None = None) -> etree._Element:
        """Return the <data> of running; `subtrees`: a subtree filter (RFC 6241 section 6), None for all of it."""
        return self._data("get-config", "<source><running/></source>", subtrees)

    def get(self, subtrees: Iterable[str]) -> etree._Element:
        """Return the <data> of running and operational state that a subtree filter selects."""
        return self._data("get", "", subtrees)

    def _data(self, name: str, content: str, subtrees: Iterable[str] | None) -> etree._Element:
        if subtrees is not None:
            content += f'<filter type="subtree">{"".join(subtrees)}</filter>'
        data = self.rpc(name, content).find(f"{{{NC}}}data")
        return data if data is not None else etree.Element(f"{{{NC}}}data")
