"""Addresses as columns that sort and compare: the family and 16 bytes, so that one index serves ranges of IPv4 and IPv6."""

import ipaddress

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def packed(address: Address) -> bytes:
    """Return an address as a sortable key: its family, then its number."""
    return bytes([address.version]) + int(address).to_bytes(16, "big")


def span(key: bytes) -> int:
    """Return the number of the address in a key made by `packed`."""
    return int.from_bytes(key[1:], "big")


def bounds(network: Network) -> tuple[bytes, bytes]:
    """Return the keys of a network's first and last address."""
    return packed(network.network_address), packed(network.broadcast_address)
