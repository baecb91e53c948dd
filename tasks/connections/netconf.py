"""Nornir connection plugin `netconf`: one kept NETCONF session per device, used by one transaction at a time.

The plugin name and the kind of object that `host.get_connection("netconf", ...)` gives (an ncclient Manager) are nornir-netconf's,
which cannot be installed beside NAPALM 5.2 (docs/decisions/own-netconf-plugin.md).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ncclient.manager import Manager
from ncclient.operations import RPCError
from nornir.core.configuration import Config
from nornir.core.inventory import Host

from engine.errors import TargetError, TargetTimeout, TurnupError
from tasks.access import Access
from tasks.connections.connect import connect, translated
from tasks.netconf.errors import RpcRefused

CONNECTION_NAME = "netconf"

_PROBE_TIMEOUT = 2.0
_NOTHING = '<filter xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" type="subtree"/>'
"""Selects nothing (RFC 6241 section 6.4.2): the cheapest question. As text, ncclient refuses an empty ("subtree", "")."""


class Netconf:
    """See the module. `extras`: `access` (tasks.access.Access) and `handler` (ncclient's device handler, default `default`)."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._manager: Manager | None = None
        self._used = 0.0
        self._target = ""
        self._handler = "default"
        self._access = Access()
        self.probe_after = 15.0
        """Seconds without an RPC after which the session is probed before use. TCP's end is seen without; this finds a hung server."""
        self.opened = 0
        """How many sessions were opened so far."""

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
        access = options.get("access") or Access()
        self._access = replace(access, hostname=hostname, username=username, password=password, port=port)
        self._target = str(options.get("target") or hostname)
        self._handler = str(options.get("handler") or "default")
        self._connect()

    def close(self) -> None:
        """End the session at once: the device drops its locks and, without persist, its pending commit."""
        self._drop()

    @property
    def connection(self) -> Manager:
        """The session's ncclient Manager; a new one when the last has died. Not for two threads at once: see `use`."""
        manager = self._living()
        if manager is None:
            self._drop()
            manager = self._connect()
        self._used = time.monotonic()
        return manager

    @contextlib.contextmanager
    def use(self, *, wait: float = 60.0) -> Iterator[Manager]:
        """Have the session alone. Candidate, lock and discard-changes belong to the session, so two transactions must not share it.

        An rpc-error leaves the session as it is; after anything else (a timeout: the RPC may still run there) it is dropped.
        Raises TargetTimeout when it was not free within `wait` seconds, TargetError for all that goes wrong with the session.
        """
        if not self._turn.acquire(timeout=wait):
            raise TargetTimeout(f"{self._target}: another transaction holds our session for more than {wait:g} s", target=self._target)
        try:
            with translated(self._target):
                yield self.connection
        except (RPCError, RpcRefused):
            raise
        except BaseException:
            self._drop()
            raise
        finally:
            self._used = time.monotonic()
            self._turn.release()

    def _connect(self) -> Manager:
        self._manager = connect(self._target, self._access, handler=self._handler)
        self._used = time.monotonic()
        self.opened += 1
        return self._manager

    def _living(self) -> Manager | None:
        manager = self._manager
        if manager is None or not manager._session.is_up():
            return None
        if time.monotonic() - self._used < self.probe_after:
            return manager
        kept, manager.timeout = manager.timeout, _PROBE_TIMEOUT
        try:
            with translated(self._target):
                manager.get_config("running", filter=_NOTHING)
        except RPCError:
            return manager  # it answers
        except TargetError:
            return None
        finally:
            manager.timeout = kept
        return manager

    def _drop(self) -> None:
        manager, self._manager = self._manager, None
        if manager is not None:
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
