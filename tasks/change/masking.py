"""What must not be readable in messages, shown changes and the index of statements."""

from __future__ import annotations

import re
from hashlib import sha256

from engine.vault import MASK

_SECRET = re.compile(r"pass(word|wd|phrase)|secret|psk|key(?!-?(id|chain))", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Whether a leaf, attribute or parameter of this name holds a secret. Rather one too many than one too few."""
    return bool(_SECRET.search(name))


def guarded(name: str, path: str, value: str) -> str:
    """The value of a leaf as it may be kept in an index: of a secret only a digest, which still tells equal from different."""
    return digest(path, value) if is_secret(name) else value


def digest(path: str, value: str) -> str:
    """The same for the same value at the same path, so that equal secrets of two customers cannot be told from it."""
    return "sha256:" + sha256(f"{path}\0{value}".encode()).hexdigest()


def shown(name: str, value: str) -> str:
    """The value of a leaf for people."""
    return MASK if value and is_secret(name) else value
