"""The configuration of one Kea server: day-0, kept in its file as the real one keeps it.

`<folder>/kea-dhcp4.conf` and `kea-dhcp6.conf` are read at start and written by `config-write` only. A file put there before the
first start is used instead of day-0: other subnets need no other code.
"""

import hashlib
import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.files import write_atomically

Subnet = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOOKS = ["libdhcp_host_cmds.so", "libdhcp_lease_cmds.so"]


@dataclass(frozen=True)
class Family:
    """What differs between Kea's two servers."""

    version: int
    """4 or 6."""

    @property
    def service(self) -> str:
        """As Kea names the server: dhcp4, dhcp6."""
        return f"dhcp{self.version}"

    @property
    def section(self) -> str:
        """The one key of its configuration: Dhcp4, Dhcp6."""
        return f"Dhcp{self.version}"

    @property
    def subnets(self) -> str:
        """The key of its list of subnets: subnet4, subnet6."""
        return f"subnet{self.version}"


V4 = Family(4)
V6 = Family(6)


@dataclass(frozen=True)
class _Subnet:
    """A subnet of day-0: its id, prefix, the pool's name in the inventory, and for DHCPv4 the gateway."""

    id: int
    prefix: str
    pool: str
    gateway: str | None = None

    def shown(self) -> dict[str, Any]:
        options = [{"name": "routers", "data": self.gateway}] if self.gateway else []
        return {"id": self.id, "subnet": self.prefix, "option-data": options, "reservations": [], "user-context": {"pool": self.pool}}


_STATIC = _Subnet(43, "203.0.112.0/20", "EAST-STATIC", "203.0.112.1")
_EXAMPLE = (_Subnet(42, "10.42.17.0/24", "EAST-RES", "10.42.17.1"), _Subnet(43, "203.0.113.0/24", "EAST-STATIC", "203.0.113.1"))
_LARGE = _Subnet(42, "10.42.16.0/20", "EAST-RES", "10.42.16.1")
_SUBNETS4 = {
    "example": _EXAMPLE,
    "two-exchanges": _EXAMPLE,
    "bench": (_LARGE, _STATIC),
    "capacity": (
        _LARGE,
        _STATIC,
        _Subnet(44, "10.42.32.0/20", "EAST-RES", "10.42.32.1"),
        _Subnet(45, "10.42.48.0/20", "EAST-RES", "10.42.48.1"),
    ),
}
"""By the lab's profile: ids and prefixes as the inventory is seeded with."""
_SUBNETS6 = (_Subnet(42, "2001:db8:42::/48", "EAST-RES-V6"),)


def day0(family: Family, profile: str) -> dict[str, Any]:
    """Return the configuration of a new lab: no pools, so that only a customer with a reservation gets an address (Kea ARM, 9 and 10)."""
    subnets = _SUBNETS4[profile] if family is V4 else _SUBNETS6
    return {
        "lease-database": {"type": "memfile", "persist": False},
        "valid-lifetime": 3600,
        "hooks-libraries": [{"library": f"/usr/lib/kea/hooks/{name}"} for name in _HOOKS],
        "host-reservation-identifiers": ["hw-address" if family is V4 else "duid"],
        family.subnets: [subnet.shown() for subnet in subnets],
    }


class Configuration:
    """The configuration file of one server, and the subnets in it."""

    def __init__(self, family: Family, folder: Path, profile: str) -> None:
        """Read the file in `folder`, which is made with the profile's day-0 if it is not there."""
        self.family = family
        self.path = folder / f"kea-{family.service}.conf"
        if not self.path.exists():
            write_atomically(self.path, _text(family, day0(family, profile)))
        self._content: dict[str, Any] = json.loads(self.path.read_text())[family.section]

    def subnet(self, number: int) -> Subnet | None:
        """Return the prefix of the subnet with this id, None when there is none."""
        for subnet in self._content[self.family.subnets]:
            if subnet["id"] == number:
                return ipaddress.ip_network(subnet["subnet"])
        return None

    def reservations(self) -> list[dict[str, Any]]:
        """Return the reservations that the file had at start, each with its `subnet-id`."""
        subnets = self._content[self.family.subnets]
        return [{**host, "subnet-id": subnet["id"]} for subnet in subnets for host in subnet.get("reservations", [])]

    def with_reservations(self, hosts: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the configuration as it is now: the file's, with the reservations of `hosts` (each with its `subnet-id`)."""
        by_subnet: dict[int, list[dict[str, Any]]] = {}
        for host in hosts:
            kept = {key: value for key, value in host.items() if key != "subnet-id"}
            by_subnet.setdefault(host["subnet-id"], []).append(kept)
        subnets = [{**subnet, "reservations": by_subnet.get(subnet["id"], [])} for subnet in self._content[self.family.subnets]]
        return {**self._content, self.family.subnets: subnets}

    def write(self, path: Path, hosts: list[dict[str, Any]]) -> int:
        """Write the present configuration to `path` and return its size in bytes."""
        text = _text(self.family, self.with_reservations(hosts))
        write_atomically(path, text)
        return len(text.encode())


def checksum(family: Family, content: dict[str, Any]) -> str:
    """Return the SHA-256 by which `config-get` and `config-hash-get` tell configurations apart."""
    return hashlib.sha256(_text(family, content).encode()).hexdigest().upper()


def _text(family: Family, content: dict[str, Any]) -> str:
    return json.dumps({family.section: content}, indent=2)
