"""NAPALM's stock `junos` driver on our SSH session, under the name of nornir-napalm's connection, so that its tasks use it.

What nornir-napalm's own plugin lacks: NAPALM 5.2 does not hand `hostkey_verify` on to PyEZ 2.8, whose default is not to check host
keys at all, and `ssh_config` has nothing that would make it; PyEZ's ncclient session waits up to 0.1 s per RPC (508 ms for a commit,
5 ms on ours); and a session that died stays dead. The driver itself is not changed: only the PyEZ device below it opens its session
by `tasks.connections.connect`, which checks host keys as for every other SSH target.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import jnpr.junos
from jnpr.junos import jxml
from jnpr.junos.device import DeviceSessionListener
from napalm import get_network_driver
from napalm.base.base import NetworkDriver
from nornir.core.inventory import Host
from nornir_napalm.plugins.connections import CONNECTION_NAME

from engine.errors import TargetDenied, TargetLocked, TargetRefused, TurnupError
from tasks.access import Access, access_of
from tasks.connections.connect import connect
from tasks.connections.kept import Kept

_UNHARMED = (TargetRefused, TargetLocked, TargetDenied)


class _Device(jnpr.junos.Device):  # type: ignore[misc]  # PyEZ has no annotations
    """PyEZ's device; only its session is opened by us. What is set afterwards is what `Device.open` of PyEZ 2.8.2 sets."""

    def __init__(self, target: str, access: Access) -> None:
        super().__init__(access.hostname, user=access.username, password=access.password, gather_facts=False)
        self._target, self._access = target, access

    def open(self, *_: Any, **__: Any) -> _Device:
        """Open the session. Raises TargetError."""
        self._conn = connect(self._target, self._access, handler="junos")
        self._conn._session.add_listener(DeviceSessionListener(self))
        self.connected = True
        self._nc_transform = self.transform
        self._norm_transform = lambda: jxml.normalize_xslt.encode("UTF-8")
        return self


class KeptJunos:
    """A Nornir connection whose `connection` is the driver, kept and used by one transaction at a time."""

    def __init__(self, target: str, access: Access) -> None:
        self._target, self._access = target, access
        self._kept: Kept[NetworkDriver] = Kept(target, self._opened, _close, _is_alive, _UNHARMED)
        self._kept.get()

    def open(self, *_: Any, **__: Any) -> None:
        """Nornir's protocol; it is open already."""

    def close(self) -> None:
        """End the session at once: the device drops its lock."""
        self._kept.drop()

    @property
    def connection(self) -> NetworkDriver:
        """The driver; with a new session when the last has died."""
        return self._kept.get()

    @property
    def opened(self) -> int:
        """How many sessions were opened so far."""
        return self._kept.opened

    @contextlib.contextmanager
    def use(self, *, wait: float = 60.0) -> Iterator[NetworkDriver]:
        """Have it alone; after anything but an answer of the device the session is dropped. Raises TargetError."""
        with self._kept.use(wait) as driver:
            yield driver

    def _opened(self) -> NetworkDriver:
        access = self._access
        driver = get_network_driver("junos")(
            access.hostname,
            access.username,
            access.password,
            timeout=int(access.timeout),
            optional_args={
                "port": access.port,
                "keepalive": 0,  # TCP's own is on
                # a delete of what is not there is a warning to Junos and an exception to PyEZ
                "ignore_warning": ["statement not found"],
            },
        )
        driver.device = _Device(self._target, access)
        driver.open()
        # NAPALM gives the lock back with the commit; another session could then commit, and any commit confirms a pending one.
        # So the lock is ours to take and give back (set after open(), which would take it for as long as the session lives).
        driver.session_config_lock = True
        return driver


def junos_of(host: Host) -> KeptJunos:
    """Return the host's NAPALM connection, opening it if need be. Raises TargetError."""
    if CONNECTION_NAME not in host.connections:
        access = access_of(host)
        host.connections[CONNECTION_NAME] = KeptJunos(host.name, access)
    found = host.connections[CONNECTION_NAME]
    if not isinstance(found, KeptJunos):
        raise TurnupError(f"{host.name}: its {CONNECTION_NAME!r} connection was opened by another plugin, without checking the host key")
    return found


def _is_alive(driver: NetworkDriver) -> bool:
    return bool(driver.device.connected and driver.device._conn._session.is_up())


def _close(driver: NetworkDriver) -> None:
    driver.device.connected = False
    driver.device._conn._session.close()  # not driver.close(): that waits for an answer
