"""How targets are reached: addresses, credentials and trust, laid over a Nornir inventory.

The inventory (NetBox) says which targets there are and on which platform. Credentials and URLs come from the settings, as `Access`
per host name, per platform, or for all (`*`), and are never part of a repr or a log line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nornir.core.inventory import ConnectionOptions, Host, Inventory

from engine.errors import SettingsInvalid

CONNECTIONS = ("netconf", "http")
"""Our own connection plugins; each finds its `Access` in its connection options under `access`."""


@dataclass(frozen=True)
class Access:
    """What it takes to talk to one target. Secrets and URLs (which may hold a password) stay out of its repr."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    hostname: str | None = None
    """Address to use instead of the inventory's."""
    port: int | None = None
    urls: Mapping[str, str] = field(default_factory=dict, repr=False)
    """URLs by name, `""` being the one of a target that has only one (Kea: `dhcp4`, `dhcp6`; FreeRADIUS: a SQLAlchemy URL)."""
    api_key: str | None = field(default=None, repr=False)
    known_hosts: Path | None = None
    """OpenSSH known_hosts file by which SSH host keys are checked; None: the user's own."""
    ca_file: Path | None = None
    """PEM file of the authorities that HTTPS certificates are checked against; None: the well-known ones."""
    insecure: bool = False
    """Do not check host keys and certificates."""
    timeout: float = 10.0
    """Seconds to connect, and to wait for an answer where no transaction says otherwise."""

    def url(self, name: str = "", *, target: str) -> str:
        """Return the URL of that name. Raises SettingsInvalid when the settings have none."""
        try:
            return self.urls[name]
        except KeyError:
            which = f"URL {name!r}" if name else "URL"
            raise SettingsInvalid(f"the settings have no {which} for {target}", target=target) from None


def apply(inventory: Inventory, access: Mapping[str, Access]) -> None:
    """Lay `access` over the hosts of `inventory`: the entry of the host's name, else of its platform, else `*`.

    A host without an entry stays as it is.
    """
    for host in inventory.hosts.values():
        for key in (host.name, host.platform, "*"):
            if key is not None and key in access:
                _lay_over(host, access[key])
                break


def _lay_over(host: Host, access: Access) -> None:
    host.username = access.username or host.username
    host.password = access.password or host.password
    host.hostname = access.hostname or host.hostname
    host.port = access.port or host.port
    for connection in CONNECTIONS:
        host.connection_options[connection] = ConnectionOptions(extras={"access": access})


def access_of(host: Host) -> Access:
    """Return the access laid over a host, with the address and credentials that hold for the host; those alone when none was."""
    found = (host.get_connection_parameters(CONNECTIONS[0]).extras or {}).get("access")
    access = found if isinstance(found, Access) else Access()
    return replace(access, username=host.username, password=host.password, hostname=host.hostname, port=host.port)
