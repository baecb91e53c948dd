"""Tokens: version 1 (`Token <40 hex>`) and, from 4.5 on, version 2 (`Bearer nbt_<key>.<secret>`). NetBox answers 403, never 401.

4.6 accepts either word with either version, 4.4 knows `Token <40 hex>` only. Secrets are kept as digests.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lab.netbox.errors import forbidden, invalid
from lab.netbox.session import Session
from lab.netbox.store import Row

_V2 = re.compile(r"nbt_(?P<key>[0-9A-Za-z]{12})\.(?P<secret>[0-9A-Za-z]{40})")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_DENIED = "You do not have permission to perform this action."


def digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def authenticate(session: Session, header: str | None, method: str) -> None:
    """Set the session's user from the Authorization header. Raises ApiError 403: missing, wrong, expired, or read-only and writing."""
    word, _, text = (header or "").partition(" ")
    if word.lower() not in ("token", "bearer") or not text:
        raise forbidden("Authentication credentials were not provided.")
    has_v2 = session.api.major_minor >= (4, 5)
    if word.lower() == "bearer" and not has_v2:
        raise forbidden("Authentication credentials were not provided.")
    tokens = session.registry.by_label["users.token"]
    found = session.store.rows(tokens, "_digest = ?", (digest(text.strip()),))
    if not found:
        version = 2 if text.startswith("nbt_") else 1
        raise forbidden(f"Invalid v{version} token" if has_v2 else "Invalid token")
    token = found[0]
    if not token.get("enabled", True):
        raise forbidden("Token disabled")
    if token["expires"] and datetime.fromisoformat(token["expires"]) < datetime.now(UTC):
        raise forbidden("Token expired")
    if method not in _SAFE and not token["write_enabled"]:
        raise forbidden(_DENIED)
    session.user = session.get(session.registry.by_label["users.user"], token["user"])


def prepare(session: Session, row: Row, body: Mapping[str, Any]) -> None:
    """Give a new token its key and secret, made here unless the request names one. `row["secret"]` is what the answer shows once."""
    if session.api.major_minor < (4, 5):
        row["secret"] = row["_key"] = str(body.get("key") or secrets.token_hex(20))
        row["_digest"] = digest(row["secret"])
        return
    version = row.get("version") or 2
    secret = str(body.get("token") or secrets.token_hex(20))
    if not re.fullmatch(r"[0-9A-Za-z]{40}", secret):
        raise invalid({"token": ["Ensure this field has 40 characters."]})
    row["version"] = version
    row["_key"] = secrets.token_hex(6) if version == 2 else None
    row["secret"] = secret
    row["_digest"] = digest(f"nbt_{row['_key']}.{secret}" if version == 2 else secret)


def admit(session: Session, token: str, username: str = "admin") -> None:
    """Make sure that the full `token` of the lab's credentials is known; one that this version cannot have is left out."""
    match = _V2.fullmatch(token)
    if match and session.api.major_minor < (4, 5):
        return
    users, tokens = session.registry.by_label["users.user"], session.registry.by_label["users.token"]
    known = session.store.rows(users, "username = ?", (username,))
    user = known[0]["id"] if known else session.store.insert(users, {"username": username})
    if session.store.count(tokens, "_digest = ?", (digest(token),)):
        return
    row = {"user": user, "_digest": digest(token), "_key": match["key"] if match else None, "version": 2 if match else 1}
    row |= {"enabled": True, "write_enabled": True, "description": "turnup lab", "created": session.stamps.next()}
    session.store.insert(tokens, row)
