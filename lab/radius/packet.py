"""RADIUS packets (RFC 2865, RFC 2866, RFC 3579 for Message-Authenticator): bytes to names and values, and back."""

import hashlib
import hmac
import secrets
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from lab.radius.dictionary import BY_NAME, BY_NUMBER, decode, encode

Pair = tuple[str, str]
"""Name and value of an attribute; a name may come several times."""

_HEADER = struct.Struct("!BBH16s")
_VENDOR_SPECIFIC = 26
_MESSAGE_AUTHENTICATOR = 80
_UNSIGNED = bytes(16)


class Code(IntEnum):
    """What a packet is."""

    ACCESS_REQUEST = 1
    ACCESS_ACCEPT = 2
    ACCESS_REJECT = 3
    ACCOUNTING_REQUEST = 4
    ACCOUNTING_RESPONSE = 5


_CODES = frozenset(code.value for code in Code)


class BadPacket(ValueError):
    """Bytes that are no RADIUS packet, or not one of somebody who knows the secret: to be discarded in silence (RFC 2865, 3)."""


@dataclass(frozen=True)
class Packet:
    """A packet; `authenticator` is the request's random one, or the signature of the others."""

    code: Code
    identifier: int
    authenticator: bytes
    pairs: tuple[Pair, ...]

    def get(self, name: str) -> str:
        """Return the first value of an attribute, "" when there is none."""
        return next((value for key, value in self.pairs if key == name), "")


def parse(data: bytes, secret: bytes) -> Packet:
    """Return the request in `data`, its password in clear. Raises BadPacket."""
    if len(data) < _HEADER.size:
        raise BadPacket("too short")
    number, identifier, length, authenticator = _HEADER.unpack_from(data)
    if number not in _CODES or not _HEADER.size <= length <= len(data):
        raise BadPacket("not a packet of RADIUS")
    data = data[:length]
    _check_signatures(data, Code(number), authenticator, secret)
    pairs = []
    for vendor, kind, value in _attributes(data[_HEADER.size :]):
        attribute = BY_NUMBER.get((vendor, kind))
        if attribute is None:
            continue
        if attribute.name == "User-Password":
            value = hide(value, authenticator, secret, reveal=True).rstrip(b"\0")
        try:
            pairs.append((attribute.name, decode(attribute, value)))
        except ValueError as error:
            raise BadPacket(str(error)) from error
    return Packet(Code(number), identifier, authenticator, tuple(pairs))


def request(code: Code, identifier: int, pairs: Sequence[Pair], secret: bytes) -> bytes:
    """Return a request as a client sends it."""
    if code is Code.ACCOUNTING_REQUEST:
        return _signed(code, identifier, _UNSIGNED, _encoded(pairs), secret)
    random = secrets.token_bytes(16)
    body = _encoded(pairs, random, secret)
    head = _HEADER.pack(code, identifier, _HEADER.size + 18 + len(body), random)
    return head + _message_authenticator(head, body, secret) + body


def response(code: Code, to: Packet, pairs: Sequence[Pair], secret: bytes) -> bytes:
    """Return the answer to a request. Raises ValueError for an attribute that the dictionary does not have."""
    body = _encoded(pairs)
    if to.code is Code.ACCESS_REQUEST:
        # first in the packet and always: the answer to BlastRADIUS (CVE-2024-3596)
        head = _HEADER.pack(code, to.identifier, _HEADER.size + 18 + len(body), to.authenticator)
        body = _message_authenticator(head, body, secret) + body
    return _signed(code, to.identifier, to.authenticator, body, secret)


def check_response(data: bytes, sent: bytes, secret: bytes) -> Packet:
    """Return the answer to the request `sent`, as a client checks it. Raises BadPacket when it does not know the secret."""
    number, identifier, _, _ = _HEADER.unpack_from(data)
    expected = _signed(Code(number), identifier, sent[4:20], data[_HEADER.size :], secret)
    if not hmac.compare_digest(data, expected):
        raise BadPacket("wrong response authenticator")
    return Packet(Code(number), identifier, data[4:20], tuple(_named(data[_HEADER.size :])))


def hide(value: bytes, authenticator: bytes, secret: bytes, *, reveal: bool = False) -> bytes:
    """Return a User-Password hidden, or in clear again (RFC 2865, 5.2)."""
    padded = value.ljust(-(-max(1, len(value)) // 16) * 16, b"\0")
    result, last = b"", authenticator
    for start in range(0, len(padded), 16):
        block = padded[start : start + 16]
        mask = hashlib.md5(secret + last, usedforsecurity=False).digest()
        mixed = bytes(one ^ other for one, other in zip(block, mask, strict=True))
        result, last = result + mixed, block if reveal else mixed
    return result


def _named(body: bytes) -> Iterable[Pair]:
    for vendor, kind, value in _attributes(body):
        attribute = BY_NUMBER.get((vendor, kind))
        if attribute is not None:
            yield attribute.name, decode(attribute, value)


def _attributes(body: bytes) -> Iterable[tuple[int, int, bytes]]:
    """Give (vendor, number, value) of each attribute, those of vendors unpacked."""
    while body:
        if len(body) < 2 or not 2 <= body[1] <= len(body):
            raise BadPacket("an attribute goes beyond the packet")
        kind, value, body = body[0], body[2 : body[1]], body[body[1] :]
        if kind == _VENDOR_SPECIFIC and len(value) > 6:
            yield int.from_bytes(value[:4]), value[4], value[6 : 4 + value[5]]
        else:
            yield 0, kind, value


def _encoded(pairs: Sequence[Pair], authenticator: bytes = b"", secret: bytes = b"") -> bytes:
    parts = []
    for name, text in pairs:
        if name not in BY_NAME:
            raise ValueError(f"unknown attribute {name!r}")
        attribute = BY_NAME[name]
        value = encode(attribute, text)
        if name == "User-Password":
            value = hide(value, authenticator, secret)
        if attribute.vendor:
            value = attribute.vendor.to_bytes(4) + bytes([attribute.number, len(value) + 2]) + value
        parts.append(bytes([_VENDOR_SPECIFIC if attribute.vendor else attribute.number, len(value) + 2]) + value)
    return b"".join(parts)


def _signed(code: Code, identifier: int, authenticator: bytes, body: bytes, secret: bytes) -> bytes:
    head = _HEADER.pack(code, identifier, _HEADER.size + len(body), authenticator)
    signature = hashlib.md5(head + body + secret, usedforsecurity=False).digest()
    return head[:4] + signature + body


def _message_authenticator(head: bytes, body: bytes, secret: bytes) -> bytes:
    prefix = bytes([_MESSAGE_AUTHENTICATOR, 18])
    return prefix + hmac.digest(secret, head + prefix + _UNSIGNED + body, "md5")


def _check_signatures(data: bytes, code: Code, authenticator: bytes, secret: bytes) -> None:
    """Raise BadPacket unless an accounting request, and a Message-Authenticator where there is one, are signed with the secret."""
    if code is Code.ACCOUNTING_REQUEST:
        signature = hashlib.md5(data[:4] + _UNSIGNED + data[_HEADER.size :] + secret, usedforsecurity=False).digest()
        if not hmac.compare_digest(signature, authenticator):
            raise BadPacket("wrong request authenticator")
    place = _HEADER.size
    while place + 2 <= len(data) and data[place + 1] >= 2:
        if data[place] == _MESSAGE_AUTHENTICATOR:
            unsigned = data[: place + 2] + _UNSIGNED + data[place + 18 :]
            if not hmac.compare_digest(hmac.digest(secret, unsigned, "md5"), data[place + 2 : place + 18]):
                raise BadPacket("wrong Message-Authenticator")
        place += data[place + 1]
