"""DHCP servers: Kea's control channel with the hook library host_cmds (Kea ARM, "The Control API", "host_cmds").

Reservations live in the server's memory (`operation-target`: without a host database there is nothing else) and are written to its
configuration file once they are all there; until then a restart forgets them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from nornir.core.inventory import Host

from engine.errors import TargetError, TargetRefused, TargetUnreachable
from tasks.connections.http import HttpTarget, http_of
from tasks.kinds.bodies import Body
from tasks.kinds.documents import DocumentKind, DocumentStore, Operation
from tasks.transaction import Deadline

_SERVICE = {"reservation4": "dhcp4", "reservation6": "dhcp6"}
"""Kind of document -> server, which is also the name of its URL."""
_IDENTIFIER = {"reservation4": "hw-address", "reservation6": "duid"}

_DONE, _EMPTY = 0, 3
MEANINGS: Mapping[int, type[TargetError]] = MappingProxyType({1: TargetRefused, 2: TargetRefused, 4: TargetRefused})
"""Results that are errors (Kea ARM, "Control API") -> what they are to us; HTTP says 200 to all. 1: an error, also when the address is
taken. 2: an unknown command. 4: a conflict, e.g. two servers of one pair disagree."""
_UNKNOWN = 2
_NOT_THERE = "unable to forward command"
"""What a control agent says, with result 1, when the server behind it is down."""
_NO_HOOK = "Let Kea load the hook library libdhcp_host_cmds.so."


class _Kea(DocumentStore):
    def __init__(self, http: HttpTarget, deadline: Deadline) -> None:
        super().__init__(http.name, deadline)
        self._http = http
        self._changed: set[str] = set()
        self._written = False

    def read(self, kind: str, key: str) -> Body | None:
        answer = self._command(kind, "reservation-get", _where(kind, key), may_repeat=True)
        found: Body | None = answer.get("arguments") if answer["result"] == _DONE else None
        return found

    def create(self, kind: str, key: str, body: Body) -> None:  # noqa: ARG002 - the body has the key
        self._change(kind, "reservation-add", {"reservation": dict(body)})

    def replace(self, kind: str, key: str, body: Body) -> None:  # noqa: ARG002
        self._change(kind, "reservation-update", {"reservation": dict(body)})

    def delete(self, kind: str, key: str) -> None:
        self._change(kind, "reservation-del", _where(kind, key))

    def keep(self) -> None:
        self._written = True
        for kind in sorted(self._changed):
            self._command(kind, "config-write", {}, may_repeat=True)

    def undo(self, operations: Sequence[Operation]) -> None:
        super().undo(operations)
        if self._written:
            self.keep()  # the file may have them by now

    def _change(self, kind: str, command: str, arguments: Mapping[str, Any]) -> None:
        self._changed.add(kind)
        # the default target is the host database, which there need not be
        self._command(kind, command, {**arguments, "operation-target": "memory"}, may_repeat=False)

    def _command(self, kind: str, command: str, arguments: Mapping[str, Any], *, may_repeat: bool) -> Mapping[str, Any]:
        """Send a command and return its answer, result 0 or 3. Raises TargetRefused with Kea's own text."""
        service = _service(kind, self.target)
        seconds = min(self._http.access.timeout, self.deadline.require(self.target, command))
        reply = self._http.request(
            "POST",
            self._http.access.url(service, target=self.target),
            seconds=seconds,
            may_repeat=may_repeat,
            json={"command": command, "arguments": arguments},
        ).json()
        answer: Mapping[str, Any] = reply[0] if isinstance(reply, list) else reply  # a list of one, without control agent
        if answer["result"] not in {_DONE, _EMPTY}:
            raise error_of(self.target, f"{command} ({service})", answer)
        return answer


def error_of(target: str, command: str, answer: Mapping[str, Any]) -> TargetError:
    """Return what an answer that is an error is to us."""
    result, text = answer["result"], str(answer.get("text", "without a word"))
    if _NOT_THERE in text:
        return TargetUnreachable(f"{target}: {command}: {text}", target=target)
    kind = MEANINGS.get(result, TargetRefused)
    return kind(f"{target} refused {command}: result {result}: {text}", target=target, remedy=_NO_HOOK if result == _UNKNOWN else None)


def _service(kind: str, target: str) -> str:
    try:
        return _SERVICE[kind]
    except KeyError:
        raise TargetRefused(f"{target} holds no documents of kind {kind}, only {', '.join(_SERVICE)}", target=target) from None


def _where(kind: str, key: str) -> dict[str, Any]:
    """Return what a reservation is found by. Keys are `<subnet id>/<identifier>`."""
    subnet, _, identifier = key.partition("/")
    return {
        "subnet-id": int(subnet),
        "identifier-type": _IDENTIFIER.get(kind, ""),
        "identifier": identifier,
        "operation-target": "memory",
    }


@contextmanager
def _opened(host: Host, deadline: Deadline) -> Iterator[DocumentStore]:
    yield _Kea(http_of(host), deadline)


KEA = DocumentKind(_opened)
