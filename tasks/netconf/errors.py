"""rpc-errors (RFC 6241 section 4.3) in full.

ncclient loses some: with several in one reply `RPCError.tag` is unset, and with RaiseMode.ERRORS only the first one's severity counts,
so that a warning before an error hides it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lxml import etree

from engine.errors import TargetDenied, TargetError, TargetLocked, TargetLost, TargetRefused
from tasks.netconf.xml import NC, text_of

MEANINGS: Mapping[str, type[TargetError]] = MappingProxyType(
    {
        # another session is in the way: later it may not be
        "in-use": TargetLocked,
        "lock-denied": TargetLocked,
        # access control (RFC 8341): somebody must allow it
        "access-denied": TargetDenied,
        # what became of it is not known: the device has to be asked
        "rollback-failed": TargetLost,
        "partial-operation": TargetLost,
        # it said no, and would do so again
        **dict.fromkeys(
            (
                *("invalid-value", "too-big", "missing-attribute", "bad-attribute", "unknown-attribute", "missing-element", "bad-element"),
                *("unknown-element", "unknown-namespace", "resource-denied", "data-exists", "data-missing", "operation-not-supported"),
                *("operation-failed", "malformed-message"),
            ),
            TargetRefused,
        ),
    }
)
"""Error-tag (RFC 6241 appendix A) -> what it is to us. Junos, too, answers with them. A tag that nobody knows is a refusal."""
LOCK_HELD = frozenset(tag for tag, error in MEANINGS.items() if error is TargetLocked)
"""Error-tags that say: another session is in the way."""
UNSURE = frozenset(tag for tag, error in MEANINGS.items() if error is TargetLost)
"""Error-tags that say: a part of it may have been kept."""


@dataclass(frozen=True)
class RpcError:
    """One rpc-error; absent parts are empty."""

    tag: str
    message: str = ""
    path: str = ""
    app_tag: str = ""
    severity: str = "error"
    session: str = ""
    """Session that holds the lock, of a lock-denied. `0`: not a NETCONF session, or the candidate has changes that nobody committed."""
    element: str = ""
    """The bad element, where the device names one."""

    def __str__(self) -> str:
        words = f"{self.tag}: {self.message}" if self.message else self.tag
        if self.element and self.element not in words:
            words += f" (element {self.element})"
        if self.session:
            words += f" (session {self.session})"
        return f"{words} at {self.path}" if self.path else words


class RpcRefused(Exception):
    """The server answered with rpc-errors. The session is as good as before."""

    def __init__(self, operation: str, errors: tuple[RpcError, ...]) -> None:
        super().__init__(f"{operation}: " + "; ".join(str(error) for error in errors))
        self.operation = operation
        self.errors = errors

    @property
    def tags(self) -> frozenset[str]:
        """The error-tags."""
        return frozenset(error.tag for error in self.errors)


def meaning(tags: Iterable[str]) -> type[TargetError]:
    """What a reply with these error-tags is to us: what makes the most unsure, then what may pass, then who must act."""
    found = {MEANINGS.get(tag, TargetRefused) for tag in tags}
    return next((error for error in (TargetLost, TargetLocked, TargetDenied) if error in found), TargetRefused)


def rpc_errors(reply: etree._Element) -> tuple[RpcError, ...]:
    """Return the rpc-errors of a reply, warnings among them."""
    return tuple(_rpc_error(element) for element in reply.iterchildren(f"{{{NC}}}rpc-error"))


def _rpc_error(element: etree._Element) -> RpcError:
    def part(name: str) -> str:
        return text_of(element.find(f"{{{NC}}}{name}"))

    info = element.find(f"{{{NC}}}error-info")
    about = {etree.QName(child).localname: text_of(child) for child in info if isinstance(child.tag, str)} if info is not None else {}
    return RpcError(
        tag=part("error-tag"),
        message=" ".join(part("error-message").split()),
        path=part("error-path"),
        app_tag=part("error-app-tag"),
        severity=part("error-severity") or "error",
        session=about.get("session-id", ""),
        element=about.get("bad-element", ""),
    )
