"""Host reservations that one Kea server holds in memory: what host_cmds checks, and in which words it refuses (Kea 3.0)."""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lab.kea.configuration import V4, Configuration, Family

_IDENTIFIERS = {4: ("hw-address", "duid", "circuit-id", "client-id", "flex-id"), 6: ("hw-address", "duid", "flex-id")}
_NEUTRAL: dict[int, dict[str, Any]] = {
    4: {
        "ip-address": "0.0.0.0",  # noqa: S104 no socket: Kea's way to say that no address is reserved
        "hostname": "",
        "next-server": "0.0.0.0",  # noqa: S104 likewise
        "server-hostname": "",
        "boot-file-name": "",
        "client-classes": [],
        "option-data": [],
    },
    6: {"ip-addresses": [], "prefixes": [], "excluded-prefixes": [], "hostname": "", "client-classes": [], "option-data": []},
}
_EXTRA = ("subnet-id", "user-context", "comment")


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class KeaError(Exception):
    """A command that Kea refuses: result 1 and this text."""


@dataclass(frozen=True)
class Key:
    """By what a reservation is found in its subnet: kind and value of its identifier, in Kea's notation (`48:57:54:34:00:98`)."""

    subnet: int
    kind: str
    value: str


def normal_identifier(text: str) -> str:
    """Return an identifier as Kea prints it: hex pairs in lower case with colons. Raises KeaError when it is none."""
    digits = re.sub(r"[:\-\s]", "", text.removeprefix("0x")).lower()
    if not re.fullmatch(r"([0-9a-f]{2})+", digits):
        raise KeaError("Unable to parse 'identifier' value.")
    return ":".join(digits[place : place + 2] for place in range(0, len(digits), 2))


class Reservations:
    """The reservations of one server, those of its configuration file first."""

    def __init__(self, configuration: Configuration) -> None:
        """Take over what the configuration file holds."""
        self._configuration = configuration
        self._family: Family = configuration.family
        self._hosts: dict[Key, dict[str, Any]] = {}
        self._holders: dict[tuple[int, Address], Key] = {}  # who has an address or prefix of a subnet
        for host in configuration.reservations():
            self.add(host)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give every reservation as Kea shows it, `subnet-id` included."""
        return iter(list(self._hosts.values()))

    def add(self, given: dict[str, Any]) -> None:
        """Add a reservation. Raises KeaError when it is malformed, out of its subnet, or there already."""
        key, host = self._parsed(given)
        if key in self._hosts:
            name = {"hw-address": "HW address", "duid": "DUID"}.get(key.kind, key.kind)
            raise KeaError(
                f"failed to add new host using the {name} '{key.value}' to the IPv{self._family.version} subnet id '{key.subnet}'"
                " as this host has already been added"
            )
        self._check_free(key, host)
        self._put(key, host)

    def update(self, given: dict[str, Any]) -> None:
        """Replace the reservation of the same subnet and identifier. Raises KeaError as `add` does, and when there is none."""
        key, host = self._parsed(given)
        if key not in self._hosts:
            raise KeaError("Host not updated (not found).")
        self._check_free(key, host)
        self.remove(key)
        self._put(key, host)

    def remove(self, key: Key) -> bool:
        """Forget a reservation; False when there is none."""
        host = self._hosts.pop(key, None)
        for address in self._addresses(host) if host else []:
            del self._holders[key.subnet, address]
        return host is not None

    def by_key(self, key: Key) -> dict[str, Any] | None:
        """Return the reservation with this identifier."""
        return self._hosts.get(key)

    def key_of(self, subnet: int, address: str) -> Key | None:
        """Return the key of who has an address, or a prefix named by its address, in a subnet."""
        return self._holders.get((subnet, self._address(address)))

    def by_address(self, address: str) -> list[dict[str, Any]]:
        """Return the reservations of an address, or of a prefix named by its address, in all subnets."""
        wanted = self._address(address)
        return self.where(lambda host: wanted in self._addresses(host))

    def where(self, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """Return the reservations that are wanted."""
        return [host for host in self._hosts.values() if wanted(host)]

    def check_subnet(self, number: int) -> None:
        """Raise KeaError when no subnet has this id."""
        if self._configuration.subnet(number) is None:
            raise KeaError(f"IPv{self._family.version} subnet with ID of '{number}' is not configured")

    def _parsed(self, given: dict[str, Any]) -> tuple[Key, dict[str, Any]]:
        version = self._family.version
        kinds = [kind for kind in _IDENTIFIERS[version] if kind in given]
        known = {*_IDENTIFIERS[version], *_NEUTRAL[version], *_EXTRA}
        for name in given:
            if name not in known:
                raise KeaError(f"unsupported configuration parameter '{name}'")
        if "subnet-id" not in given:
            raise KeaError("Mandatory 'subnet-id' parameter missing.")
        if len(kinds) != 1:
            raise KeaError(
                f"one of the supported identifiers must be specified for host reservation: {', '.join(_IDENTIFIERS[version])}"
                if not kinds
                else f"the '{kinds[0]}' and '{kinds[1]}' identifiers are mutually exclusive"
            )
        value = normal_identifier(given[kinds[0]])
        host = {**_NEUTRAL[version], **given, kinds[0]: value}
        self._check_range(host)
        if not any(host[name] not in ("", "0.0.0.0", []) for name in _NEUTRAL[version]):  # noqa: S104 no socket
            raise KeaError(
                "specified reservation must include at least one resource, i.e. hostname, IPv4 address, IPv6 address/prefix, options"
            )
        return Key(given["subnet-id"], kinds[0], value), host

    def _check_range(self, host: dict[str, Any]) -> None:
        """Addresses must be in their subnet; delegated prefixes need not (as in Kea), they must only be prefixes."""
        version = self._family.version
        self.check_subnet(host["subnet-id"])
        subnet = self._configuration.subnet(host["subnet-id"])
        addresses = [host["ip-address"]] if self._family is V4 else host["ip-addresses"]
        for address in addresses:
            parsed = self._address(address)
            if int(parsed) and subnet is not None and parsed not in subnet:
                raise KeaError(f"specified reservation '{address}' is not matching the IPv{version} subnet prefix '{subnet}'")
        for prefix in host.get("prefixes", []):
            try:
                ipaddress.IPv6Network(prefix)
            except ValueError as error:
                raise KeaError(f"invalid prefix '{prefix}' specified for reservation: {error}") from error

    def _put(self, key: Key, host: dict[str, Any]) -> None:
        self._hosts[key] = host
        for address in self._addresses(host):
            self._holders[key.subnet, address] = key

    def _check_free(self, key: Key, host: dict[str, Any]) -> None:
        """An address or prefix is reserved once in a subnet. The unbalanced quotes are Kea's."""
        hardware, duid = host.get("hw-address", "(null)"), host.get("duid", "(null)")
        for address in self._addresses(host):
            if self._holders.get((key.subnet, address), key) == key:
                continue
            if self._family is V4:
                raise KeaError(
                    f"failed to add new host using the HW address '{hardware} and DUID '{duid}' to the IPv4 subnet id '{key.subnet}'"
                    f" for the address {address}: There's already a reservation for this address"
                )
            raise KeaError(
                f"failed to add address reservation for host using the HW address '{hardware} and DUID '{duid}' to the IPv6 subnet id"
                f" '{key.subnet}' for address/prefix {address}: There's already reservation for this address/prefix"
            )

    def _addresses(self, host: dict[str, Any]) -> list[Address]:
        """What is reserved and can be once only: addresses, and prefixes by their first address."""
        if self._family is V4:
            address = ipaddress.IPv4Address(host["ip-address"])
            return [address] if int(address) else []
        return [
            *map(ipaddress.IPv6Address, host["ip-addresses"]),
            *(ipaddress.IPv6Network(one).network_address for one in host["prefixes"]),
        ]

    def _address(self, text: object) -> Address:
        try:
            if not isinstance(text, str):  # a number would be taken for an address
                raise ValueError(text)
            return ipaddress.IPv4Address(text) if self._family is V4 else ipaddress.IPv6Address(text)
        except ValueError as error:
            raise KeaError(f"Failed to convert string to address '{text}': Invalid argument") from error
