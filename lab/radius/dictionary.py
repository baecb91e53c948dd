"""The attributes that the stand-in knows: number, vendor and type by name, as FreeRADIUS' dictionaries have them.

A row with an attribute that is not here is an error, as it is in FreeRADIUS: a request that meets it is not accepted.
"""

import ipaddress
import socket
import struct
from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """How a value is written in the packet (RFC 8044)."""

    TEXT = "text"
    OCTETS = "octets"
    INTEGER = "integer"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    PREFIX = "ipv6prefix"


@dataclass(frozen=True)
class Attribute:
    """An attribute of the protocol, or of a vendor (RFC 2865, 5.26)."""

    name: str
    number: int
    type: Type
    vendor: int = 0


CISCO, MIKROTIK, ERX = 9, 14988, 4874

_ATTRIBUTES = (
    Attribute("User-Name", 1, Type.TEXT),
    Attribute("User-Password", 2, Type.OCTETS),
    Attribute("NAS-IP-Address", 4, Type.IPV4),
    Attribute("NAS-Port", 5, Type.INTEGER),
    Attribute("Service-Type", 6, Type.INTEGER),
    Attribute("Framed-Protocol", 7, Type.INTEGER),
    Attribute("Framed-IP-Address", 8, Type.IPV4),
    Attribute("Framed-IP-Netmask", 9, Type.IPV4),
    Attribute("Filter-Id", 11, Type.TEXT),
    Attribute("Framed-MTU", 12, Type.INTEGER),
    Attribute("Login-IP-Host", 14, Type.IPV4),
    Attribute("Login-Service", 15, Type.INTEGER),
    Attribute("Reply-Message", 18, Type.TEXT),
    Attribute("Framed-Route", 22, Type.TEXT),
    Attribute("Class", 25, Type.OCTETS),
    Attribute("Session-Timeout", 27, Type.INTEGER),
    Attribute("Idle-Timeout", 28, Type.INTEGER),
    Attribute("Called-Station-Id", 30, Type.TEXT),
    Attribute("Calling-Station-Id", 31, Type.TEXT),
    Attribute("NAS-Identifier", 32, Type.TEXT),
    Attribute("Acct-Status-Type", 40, Type.INTEGER),
    Attribute("Acct-Input-Octets", 42, Type.INTEGER),
    Attribute("Acct-Output-Octets", 43, Type.INTEGER),
    Attribute("Acct-Session-Id", 44, Type.TEXT),
    Attribute("Acct-Session-Time", 46, Type.INTEGER),
    Attribute("Acct-Terminate-Cause", 49, Type.INTEGER),
    Attribute("Message-Authenticator", 80, Type.OCTETS),
    Attribute("Acct-Interim-Interval", 85, Type.INTEGER),
    Attribute("NAS-Port-Id", 87, Type.TEXT),
    Attribute("Framed-Pool", 88, Type.TEXT),
    Attribute("Framed-IPv6-Prefix", 97, Type.PREFIX),
    Attribute("Framed-IPv6-Pool", 100, Type.TEXT),
    Attribute("Delegated-IPv6-Prefix", 123, Type.PREFIX),
    Attribute("Framed-IPv6-Address", 168, Type.IPV6),
    Attribute("Cisco-AVPair", 1, Type.TEXT, CISCO),
    Attribute("Mikrotik-Rate-Limit", 8, Type.TEXT, MIKROTIK),
    Attribute("ERX-Virtual-Router-Name", 1, Type.TEXT, ERX),
    Attribute("ERX-Ingress-Policy-Name", 10, Type.TEXT, ERX),
    Attribute("ERX-Egress-Policy-Name", 11, Type.TEXT, ERX),
    Attribute("ERX-Qos-Profile-Name", 26, Type.TEXT, ERX),
    Attribute("ERX-Service-Activate", 65, Type.TEXT, ERX),
)

BY_NAME = {attribute.name: attribute for attribute in _ATTRIBUTES}
BY_NUMBER = {(attribute.vendor, attribute.number): attribute for attribute in _ATTRIBUTES}

_VALUES = {
    "Service-Type": {"Login-User": 1, "Framed-User": 2},
    "Framed-Protocol": {"PPP": 1},
    "Acct-Status-Type": {"Start": 1, "Stop": 2, "Interim-Update": 3},
}
"""Numbers that have a name."""


def encode(attribute: Attribute, value: str) -> bytes:
    """Return a value as the packet has it. Raises ValueError when the text is no value of this attribute."""
    match attribute.type:
        case Type.INTEGER:
            number = _VALUES.get(attribute.name, {}).get(value)
            return struct.pack("!I", int(value) if number is None else number)
        case Type.IPV4:
            return ipaddress.IPv4Address(value).packed
        case Type.IPV6:
            return ipaddress.IPv6Address(value).packed
        case Type.PREFIX:
            prefix = ipaddress.IPv6Network(value)
            return bytes([0, prefix.prefixlen]) + prefix.network_address.packed
        case Type.TEXT | Type.OCTETS:
            return value.encode()


def decode(attribute: Attribute, value: bytes) -> str:
    """Return a value as a row has it. Raises ValueError when the bytes are no value of this attribute."""
    match attribute.type:
        case Type.INTEGER:
            if len(value) != 4:
                raise ValueError(f"{attribute.name} of {len(value)} bytes")
            number = int.from_bytes(value)
            names = {number: name for name, number in _VALUES.get(attribute.name, {}).items()}
            return names.get(number, str(number))
        case Type.IPV4:
            return str(ipaddress.IPv4Address(value))
        case Type.IPV6:
            return socket.inet_ntop(socket.AF_INET6, value)
        case Type.PREFIX:
            address = ipaddress.IPv6Address(value[2:].ljust(16, b"\0"))
            return f"{address}/{value[1]}"
        case Type.TEXT | Type.OCTETS:
            return value.decode(errors="replace")
