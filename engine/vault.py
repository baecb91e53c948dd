"""Secrets: sealed where they are stored, masked where they are shown."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from engine.errors import SettingsInvalid

MASK = "••••••••"
_REMEMBERED = 4096
_ALPHABET = string.ascii_letters + string.digits


def generate(length: int) -> str:
    """A random secret that is legal in a WPA passphrase, in RADIUS and in JSON (letters and digits)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def mask(text: str, hidden: Iterable[str]) -> str:
    """The text with every secret value replaced. The longest first: one secret may be part of another."""
    for value in sorted(filter(None, hidden), key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


class Vault:
    """Seals and opens text with one key (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: bytes) -> None:
        try:
            self._fernet = Fernet(key)
        except ValueError as error:
            raise SettingsInvalid("the secret key is not a Fernet key (32 bytes, url-safe base64)") from error
        self._secrets = lru_cache(maxsize=_REMEMBERED)(self.open)
        self._key = hashlib.blake2b(key, digest_size=32).digest()

    @classmethod
    def from_file(cls, path: Path) -> Vault:
        """The key in this file; made on first use, readable by the owner only."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_suffix(".new")
            new.touch(mode=0o600)
            new.write_bytes(Fernet.generate_key())
            try:
                path.hardlink_to(new)  # atomic and never over another process' key
            except FileExistsError:
                pass
            finally:
                new.unlink(missing_ok=True)
        return cls(path.read_bytes().strip())

    def digest(self, text: str) -> str:
        """Keyed hash: tells whether two texts are the same, but not, to who lacks the key, which of a few guesses a text is."""
        return hashlib.blake2b(text.encode(), key=self._key, digest_size=32).hexdigest()

    def seal(self, text: str) -> str:
        """Encrypted form of the text."""
        return self._fernet.encrypt(text.encode()).decode()

    def secret(self, sealed: str) -> str:
        """As `open`, for the secrets of an order: each of its steps asks for them, so this process remembers those asked for last."""
        return self._secrets(sealed)

    def open(self, sealed: str) -> str:
        """The text again. Raises SettingsInvalid when the key is another one."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SettingsInvalid("what is stored was sealed with another key: is this the right secret key file?") from error
