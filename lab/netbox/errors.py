"""Answers that are errors, with the bodies that NetBox gives."""

from collections.abc import Mapping
from typing import Any

PYTHON_OF_NETBOX = {"4.6": "3.13.0", "4.4": "3.11.7"}
"""What the 500 body says of the server's Python, as measured on a real one of each version."""


class ApiError(Exception):
    """An answer that ends the request and takes back what it wrote: status, JSON body, further headers."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """Keep what is to be answered."""
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def invalid(body: Any) -> ApiError:
    """400: what was sent does not pass validation; `body` is the errors by field (or a list of these)."""
    return ApiError(400, body)


def forbidden(detail: str) -> ApiError:
    """403: also for a token that is wrong or missing (NetBox has no 401)."""
    return ApiError(403, {"detail": detail})


def not_found(model: str) -> ApiError:
    """404 of one object."""
    return ApiError(404, {"detail": f"No {model} matches the given query."})


def conflict(detail: str) -> ApiError:
    """409: a pool is exhausted, or other objects depend on what is to be deleted."""
    return ApiError(409, {"detail": detail})


def precondition_failed(etag: str) -> ApiError:
    """412: If-Match named another state than the present one (4.6)."""
    return ApiError(412, {"detail": "Precondition failed."}, {"ETag": etag})


def server_error(kind: str, text: str, version: str, release: str) -> dict[str, str]:
    """Return the body of a 500: NetBox names the exception in it."""
    return {"error": text, "exception": kind, "netbox_version": release, "python_version": PYTHON_OF_NETBOX[version]}


def integrity_error(constraint: str, key: str, version: str, release: str) -> ApiError:
    """500: the database refused what validation had let through, as it does for the loser of a race for a unique value."""
    text = f'duplicate key value violates unique constraint "{constraint}"\nDETAIL:  Key {key} already exists.\n'
    return ApiError(500, server_error("IntegrityError", text, version, release))


def not_played(what: str) -> ApiError:
    """501: NetBox has it, this stand-in does not. Said aloud, since an answer that only looks right would mislead."""
    return ApiError(501, {"detail": f"The stand-in for NetBox does not play {what}."})
