"""Nornir connection plugin `netconf`: one kept NETCONF session per device, used by one transaction at a time.

The plugin name and the kind of object that `host.get_connection("netconf", ...)` gives (an ncclient Manager) are nornir-netconf's,
which cannot be installed beside NAPALM 5.2 (docs/decisions/own-netconf-plugin.md).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ncclient.manager import Manager
from ncclient.operations import RPCError
from nornir.core.configuration import Config
from nornir.core.inventory import Host

from engine.errors import TargetError, TurnupError
from tasks.access import Access
from tasks.connections.connect import connect, translated
from tasks.connections.kept import Kept
from tasks.netconf.errors import RpcRefused

CONNECTION_NAME = "netconf"

_PROBE_TIMEOUT = 2.0
_NOTHING = '<filter xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" type="subtree"/>'
"""Selects nothing (RFC 6241 section 6.4.2): the cheapest question. As text, ncclient refuses an empty ("subtree", "")."""


class Netconf:
    """See the module. `extras`: `access` (tasks.access.Access), `handler` (ncclient's device handler, default `default`), `target`."""

    probe_after: float = 15.0
    """Seconds without use after which the session is probed before the next. TCP's end is seen without; this finds a hung server."""

    def __init__(self) -> None:
        self._used = 0.0
        self._target = ""
        self._kept: Kept[Manager] | None = None

    def open(
        self,
        hostname: str | None,
        username: str | None,
        password: str | None,
        port: int | None,
        platform: str | None,  # noqa: ARG002 - Nornir's signature; ours are folders of templates, not ncclient's names
        extras: dict[str, Any] | None = None,
        configuration: Config | None = None,  # noqa: ARG002 - Nornir's signature
    ) -> None:
        """Open the session. Raises TargetError, as `tasks.connections.connect.connect` says."""
        options = extras or {}
        access = replace(options.get("access") or Access(), hostname=hostname, username=username, password=password, port=port)
        self._target = str(options.get("target") or hostname)
        handler = str(options.get("handler") or "default")
        self._used = time.monotonic()
        self._kept = Kept(self._target, lambda: connect(self._target, access, handler=handler), _close, self._alive, (RPCError, RpcRefused))
        self._kept.get()

    def close(self) -> None:
        """End the session at once: the device drops its locks and, without persist, its pending commit."""
        if self._kept is not None:
            self._kept.drop()

    @property
    def connection(self) -> Manager:
        """The session's ncclient Manager; a new one when the last has died. Not for two threads at once: see `use`."""
        manager = self._session.get()
        self._used = time.monotonic()
        return manager

    @property
    def opened(self) -> int:
        """How many sessions were opened so far."""
        return self._session.opened

    @contextlib.contextmanager
    def use(self, *, wait: float = 60.0) -> Iterator[Manager]:
        """Have the session alone. Candidate, lock and discard-changes belong to the session, so two transactions must not share it.

        An rpc-error leaves the session as it is; after anything else it is dropped. Raises TargetTimeout when it was not free within
        `wait` seconds, TargetError for all that goes wrong with the session.
        """
        with self._session.use(wait) as manager, translated(self._target):
            try:
                yield manager
            finally:
                self._used = time.monotonic()

    @property
    def _session(self) -> Kept[Manager]:
        if self._kept is None:
            raise TurnupError("the netconf connection is not open")
        return self._kept

    def _alive(self, manager: Manager) -> bool:
        if not manager._session.is_up():
            return False
        if time.monotonic() - self._used < self.probe_after:
            return True
        kept, manager.timeout = manager.timeout, _PROBE_TIMEOUT
        try:
            with translated(self._target), contextlib.suppress(RPCError):  # an rpc-error is an answer
                manager.get_config("running", filter=_NOTHING)
        except TargetError:
            return False
        finally:
            manager.timeout = kept
        return True


def _close(manager: Manager) -> None:
    manager._session.close()  # not close_session(): that waits for an answer


def netconf_of(host: Host) -> Netconf:
    """Return the host's open `netconf` connection, opening it if need be. Raises TargetError."""
    if CONNECTION_NAME not in host.connections:
        parameters = host.get_connection_parameters(CONNECTION_NAME)
        plugin = Netconf()
        plugin.open(
            hostname=parameters.hostname,
            username=parameters.username,
            password=parameters.password,
            port=parameters.port,
            platform=parameters.platform,
            extras={"target": host.name, **(parameters.extras or {})},
        )
        host.connections[CONNECTION_NAME] = plugin
    found = host.connections[CONNECTION_NAME]
    if not isinstance(found, Netconf):
        raise TurnupError(f"{host.name}: another plugin is registered as {CONNECTION_NAME!r}: {type(found).__name__}")
    return found
