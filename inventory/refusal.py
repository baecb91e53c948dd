"""What NetBox's refusals mean, as errors: by status and by what the body says.

Two of them are part of normal life and never leave this package: a claim that somebody else won, and a pool that is empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import requests

from engine.errors import InventoryDenied, InventoryError, InventoryIncomplete, InventoryRefused, InventoryUnreachable

_UNIQUE = re.compile(r"already exists|unique|duplicate", re.IGNORECASE)
_CUSTOM_FIELD = re.compile(r"custom.?field.*(does not exist|unknown|not exist)|unknown field name", re.IGNORECASE)
_LONGEST = 500


class ClaimLost(InventoryRefused):
    """Somebody else has what was to be created: next candidate.

    `indexes` are the lost objects' places in the request; None when NetBox did not say (HTTP 500 with IntegrityError, 409, 412).
    """

    def __init__(self, message: str, indexes: frozenset[int] | None = None) -> None:
        """Keep which objects of the request were lost."""
        super().__init__(message)
        self.indexes = indexes


class PoolEmpty(InventoryRefused):
    """A pool has not as much left as was asked for (HTTP 409 of available-*). Nothing was given."""


class UnknownReference(InventoryIncomplete):
    """A filter names an object that is not there (any more): NetBox refuses such a filter with 400 "Select a valid choice"."""


class NotFound(InventoryRefused):
    """The object in the path is not there (any more)."""


def refusal(response: requests.Response, *, secret: str) -> InventoryError:
    """Return the error that a response of 4xx or 5xx stands for. `secret` is the token: it never gets into the message."""
    body = _json(response)
    said = words(body) or response.text[:200].strip() or response.reason or "no explanation"
    text = f"NetBox answered {response.status_code} to {_request(response)}: {said}".replace(secret, "***")[:_LONGEST]
    status = response.status_code
    if status in (401, 403):
        return InventoryDenied(text)
    if status in (409, 412) or (status == 500 and "IntegrityError" in response.text):
        return ClaimLost(text)
    if status == 400 and _CUSTOM_FIELD.search(said):
        return InventoryIncomplete(text, remedy="Create the custom field for this type of object (`turnup inventory seed` does so).")
    if status == 400 and _not_unique(body):
        return ClaimLost(text, _refused(body))
    if status == 400 and "valid choice" in said and response.request.method == "GET":
        return UnknownReference(text)
    if status == 404:
        return NotFound(text, remedy="Run `turnup inventory audit`; if everything is not found, TURNUP_NETBOX__URL is wrong.")
    if status == 429 or status >= 500:
        return InventoryUnreachable(text)
    return InventoryRefused(text)


def words(body: Any) -> str:
    """Return what the body of a refusal says as one line. NetBox has four shapes of it: detail, fields, list of fields, error."""
    return "; ".join(dict.fromkeys(_sentences(body)))


def _sentences(body: Any, name: str = "") -> Iterator[str]:
    if isinstance(body, dict):
        for key, value in body.items():
            yield from _sentences(value, "" if key in ("detail", "error", "errors", "__all__", "non_field_errors", "index") else key)
    elif isinstance(body, list):
        for value in body:
            yield from _sentences(value, name)
    elif isinstance(body, str):
        yield f"{name}: {' '.join(body.split())}" if name else " ".join(body.split())


def _not_unique(body: Any) -> bool:
    """Whether everything that was refused was refused for being there already; anything else is a real error."""
    refused = [each for each in _entries(body) or [body] if each]
    return bool(refused) and all(_UNIQUE.search(words(each)) for each in refused)


def _refused(body: Any) -> frozenset[int] | None:
    """Return the places of the refused objects in the request, None when the body does not say."""
    if isinstance(body, dict) and isinstance(body.get("errors"), list):
        return frozenset(each["index"] for each in body["errors"])
    return frozenset(index for index, each in enumerate(body) if each) if isinstance(body, list) else None


def _entries(body: Any) -> list[Any] | None:
    """The errors of a list: aligned with the request up to 4.6, `{"detail", "errors": [{"index", "errors"}]}` from 4.7 on."""
    if isinstance(body, dict) and isinstance(body.get("errors"), list):
        return [each.get("errors") for each in body["errors"]]
    return body if isinstance(body, list) else None


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except requests.exceptions.JSONDecodeError:
        return None


def _request(response: requests.Response) -> str:
    request = response.request
    return f"{request.method} {(request.path_url or '').split('?')[0]}"
