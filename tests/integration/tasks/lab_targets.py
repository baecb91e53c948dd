"""Stand-ins of the lab as targets: how they are reached, and their control endpoints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from nornir.core import Nornir
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory

from lab.credentials import credentials
from lab.remote import Remote
from lab.standin import Endpoint
from tasks.access import Access, apply


@dataclass(frozen=True)
class Target:
    """A stand-in, how it is reached, and its control endpoint."""

    name: str
    platform: str
    access: Access
    remote: Remote
    endpoint: Endpoint

    def host(self, **other: object) -> Host:
        """A Nornir host that reaches it; `other` replaces fields of its access."""
        nornir = inventory_of(self, access=replace(self.access, **other))  # type: ignore[arg-type]
        return nornir.inventory.hosts[self.name]


def inventory_of(*targets: Target, access: Access | None = None) -> Nornir:
    """Nornir over these targets."""
    hosts = Hosts({target.name: Host(target.name, platform=target.platform) for target in targets})
    inventory = Inventory(hosts, Groups(), Defaults())
    apply(inventory, {target.name: access or target.access for target in targets})
    return Nornir(inventory)


def ssh_target(endpoint: Endpoint, platform: str, lab: Path) -> Target:
    login = credentials(lab, endpoint.name).devices[endpoint.name]
    access = Access(
        username=login.user,
        password=login.password,
        hostname=endpoint.host,
        port=endpoint.port,
        known_hosts=lab / "known_hosts",
        timeout=5,
    )
    return Target(endpoint.name, platform, access, Remote(endpoint), endpoint)


PLATFORMS = {"kea": "kea", "acs": "genieacs", "radius": "freeradius", "cloudwifi": "openwifi", "logistics": "logistics"}
"""Kind of stand-in -> platform."""


def http_access(endpoint: Endpoint, lab: Path) -> Access:
    known = credentials(lab)
    keys = {"cloudwifi": known.cloudwifi_api_key, "logistics": known.logistics_api_key}
    logins = {"kea": known.kea, "acs": known.acs}
    login = logins.get(endpoint.kind)
    return Access(
        username=login.user if login else None,
        password=login.password if login else None,
        api_key=keys.get(endpoint.kind),
        urls={**endpoint.urls, **({"": endpoint.url} if endpoint.url else {})},
        timeout=5,
    )
