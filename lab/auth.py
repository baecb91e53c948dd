"""Basic authentication (RFC 7617) and API keys, as the stand-ins check them."""

import base64
import binascii
import hmac

from starlette.requests import Request

from lab.credentials import Login


def is_logged_in(request: Request, login: Login) -> bool:
    """Whether the request carries this login."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    return hmac.compare_digest(given, f"{login.user}:{login.password}".encode())


def has_key(request: Request, header: str, key: str) -> bool:
    """Whether the request carries this API key in this header."""
    return hmac.compare_digest(request.headers.get(header, "").encode(), key.encode())
