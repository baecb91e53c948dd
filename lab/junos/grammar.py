"""The shape of Junos statements: what may stand where, and which values they take.

The statements themselves are in lab.junos.statements. Words as Juniper has them: a configuration is made of *statements*; a
statement may have an *identifier* (`unit 1042`), a value (`vlan-id 1042`) or neither (`rpf-check`), and statements beneath it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import AddressValueError, IPv4Address, IPv6Address, NetmaskValueError, ip_interface


class Kind(Enum):
    """How a statement is written."""

    CONTAINER = "container"
    """`firewall { ... }`"""
    ENTRY = "entry"
    """With an identifier, any number of them: `unit 1042 { ... }`"""
    LEAF = "leaf"
    """With a value: `vlan-id 1042;`"""
    FLAG = "flag"
    """By itself: `rpf-check;`"""


Check = Callable[[str], str | None]
"""Says what is wrong with a value, None when nothing is."""

Canonical = Callable[[str], str]
"""A value as the device keeps it."""


@dataclass(eq=False)
class Statement:
    """A statement, its value or identifier, and what may stand beneath it."""

    name: str
    kind: Kind
    check: Check = lambda _: None
    canonical: Canonical = lambda value: value
    children: dict[str, "Statement"] = field(default_factory=dict)
    implied: bool = False
    """Its name is written in XML only: `interfaces ge-0/0/1`, not `interfaces interface ge-0/0/1`."""
    inline: bool = False
    """It stands with all beneath it on one line: `unnumbered-address lo0.0 preferred-source-address 10.42.17.1;`"""
    presence: bool = False
    """A container that means something when it is empty: `family inet;`"""
    joined: bool = False
    """A container without braces of its own: `then discard;`, `family inet { ... }`"""

    def child(self, word: str) -> "Statement | None":
        """Return the statement that is written with this word, None when there is none."""
        found = self.children.get(word)
        return None if found is None or found.implied else found

    def implied_child(self) -> "Statement | None":
        """Return the statement whose name is left out here, None when there is none."""
        return next((child for child in self.children.values() if child.implied), None)


@dataclass(frozen=True)
class Type:
    """A type of values that the device writes in a form of its own."""

    check: Check
    canonical: Canonical


def container(name: str, *children: Statement, presence: bool = False, inline: bool = False, joined: bool = False) -> Statement:
    """Return a statement that only holds others."""
    return Statement(name, Kind.CONTAINER, children=_by_name(children), presence=presence, inline=inline, joined=joined)


def entry(name: str, check: Check, *children: Statement, implied: bool = False) -> Statement:
    """Return a statement with an identifier."""
    return Statement(name, Kind.ENTRY, check, children=_by_name(children), implied=implied)


def leaf(name: str, values: "Check | Type", *, implied: bool = False) -> Statement:
    """Return a statement with a value."""
    if isinstance(values, Type):
        return Statement(name, Kind.LEAF, values.check, values.canonical, implied=implied)
    return Statement(name, Kind.LEAF, values, implied=implied)


def flag(name: str) -> Statement:
    """Return a statement by itself."""
    return Statement(name, Kind.FLAG)


def _by_name(children: tuple[Statement, ...]) -> dict[str, Statement]:
    return {child.name: child for child in children}


# --- values. The words are those of the Junos CLI


def text(_: str) -> str | None:
    """Anything."""
    return None


def name(value: str) -> str | None:
    """Check a name of a policer, profile, group."""
    return None if re.fullmatch(r"[\w.:/@-]{1,128}", value) else f"invalid value '{value}'"


def number(low: int, high: int) -> Check:
    """Return the check of a number in a range."""

    def check(value: str) -> str | None:
        if not value.isdecimal():
            return f"invalid numeric value: '{value}'"
        return None if low <= int(value) <= high else f"Value {value} is not within range ({low}..{high})"

    return check


_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


def rate(low: int, high: int) -> Type:
    """Return the type of bits a second, or bytes, with the decimal suffixes k, m and g: 1000m is kept as 1g."""

    def check(value: str) -> str | None:
        match = re.fullmatch(r"(\d+)([kmg]?)", value)
        if match is None:
            return f"invalid numeric value: '{value}'"
        amount = int(match[1]) * _FACTORS[match[2]]
        return None if low <= amount <= high else f"Value {amount} is not within range ({low}..{high})"

    return Type(check, _shortest)


def _shortest(value: str) -> str:
    suffix = value[-1] if value[-1] in _FACTORS else ""
    amount = int(value.removesuffix(suffix)) * _FACTORS[suffix]
    return next(f"{amount // factor}{unit}" for unit, factor in reversed(_FACTORS.items()) if amount % factor == 0)


def one_of(*words: str) -> Check:
    """Return the check of a word out of several."""
    return lambda value: None if value in words else f"invalid value '{value}'"


def ipv4(value: str) -> str | None:
    """Check an IPv4 address."""
    try:
        IPv4Address(value)
    except AddressValueError:
        return f"invalid ip address or hostname: {value}"
    return None


def ipv6(value: str) -> str | None:
    """Check an IPv6 address."""
    try:
        IPv6Address(value)
    except AddressValueError:
        return f"invalid ipv6 address: {value}"
    return None


def address(value: str) -> str | None:
    """Check an IPv4 or IPv6 address."""
    return None if ipv4(value) is None else ipv6(value)


def prefix(value: str) -> str | None:
    """Check an IPv4 or IPv6 address with the length of its prefix; without one it is a host's."""
    try:
        ip_interface(value)
    except (AddressValueError, NetmaskValueError, ValueError):
        return f"invalid prefix: {value}"
    return None


def interface(value: str) -> str | None:
    """Check the name of a physical interface."""
    return (
        None
        if re.fullmatch(r"(?:[a-z]{2}-\d+/\d+/\d+(?::\d+)?|(?:ae|lo|fxp|em|irb|demux|ps)\d*)", value)
        else f"invalid interface type in '{value}'"
    )


def logical_interface(value: str) -> str | None:
    """Check the name of a logical interface, `ge-0/0/1.1042`."""
    physical, dot, unit = value.partition(".")
    if interface(physical) or (dot and number(0, 1073741823)(unit)):
        return f"invalid interface name: {value}"
    return None
