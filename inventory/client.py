"""NetBox's REST API as we use it: rows in, rows out, everything that can go wrong as one of four errors of `engine.errors`.

pynetbox builds the requests (tokens of version 1 and 2, bodies, its errors); its lazy records are left aside, since reading an attribute
that an answer lacks makes them send another request. Versions 4.4 to 4.6 are known; later ones are tried.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pynetbox
import requests
from pynetbox.core.query import AllocationError, ContentError, Request, RequestError
from urllib3.exceptions import ReadTimeoutError

from engine.errors import InventoryError, InventoryIncomplete, InventoryRefused, InventoryUnreachable
from inventory.fields import CustomFields, JsonObject
from inventory.filters import FILTERS, SHOW
from inventory.refusal import PoolEmpty, refusal
from inventory.session import OnCall, Patience, Redirected, Session, WithHeaders

OLDEST = (4, 4)
"""NetBox before this is refused."""
PAGE = 1000
"""Objects per read: NetBox's default MAX_PAGE_SIZE. Asking for more, or for 0 (all), gives no more than that."""
BULK = 100
"""Objects per write: bulk requests are validated one by one, and 500 prefixes took a real NetBox a minute."""
KEYS = 80
"""Values of one filter per read: gunicorn takes a request line of 4,094 bytes."""

FilterValue = str | int | Sequence[str] | Sequence[int]
Filters = Mapping[str, FilterValue]
_T = TypeVar("_T")


def chunks(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Cut a sequence into pieces of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


class NetBox:
    """One NetBox and one token. Paths are those of lists below /api/, without slashes around them: `dcim/interfaces`.

    Raises, from every method: InventoryUnreachable (no connection, no answer in time, 5xx, 429), InventoryDenied (401, 403),
    InventoryIncomplete (a custom field is missing), InventoryRefused (any other refusal, in NetBox's own words).
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        patience: Patience | None = None,
        ca_file: Path | None = None,
        insecure: bool = False,
        on_call: OnCall | None = None,
    ) -> None:
        """Prepare for the NetBox at `url` (without /api); nothing is sent yet."""
        self.url = url.rstrip("/")
        self._token = token
        self._session = Session(patience or Patience(), ca_file=ca_file, insecure=insecure, on_call=on_call)
        self._api = pynetbox.api(self.url, token=token)
        self._api.http_session = self._session

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor version of NetBox, as the last answer told; asks for it when there was none yet."""
        if self._session.api_version is None:
            with self._errors():
                self._request("status").get_version()
        if self._session.api_version is None:
            raise InventoryRefused(f"What answers at {self.url} is not NetBox: it does not tell its API version")
        return self._session.api_version

    def read(self, path: str, filters: Filters | None = None, *, limit: int | None = None, offset: int = 0) -> list[JsonObject]:
        """Return the objects that match all of `filters` (any of the values of one), ordered by id unless `ordering` says otherwise.

        All of them, page by page, or at most `limit` from `offset` on in one request. Raises ValueError for a filter that is not in
        FILTERS, and InventoryIncomplete for one by a custom field that NetBox does not have: it would return everything.
        """
        asked = {"ordering": "id", **(filters or {})}
        _check(path, asked)
        rows: list[JsonObject] = []
        while True:
            request = self._request(path, filters=asked, limit=min(limit or PAGE, PAGE), offset=offset + len(rows))
            with self._errors():
                page = list(request.get())
            rows.extend(page)
            # not pynetbox' own paging: it follows `next`, which leads past a proxy to wherever the server thinks it is, token included
            if limit is not None or not page or offset + len(rows) >= request.count:
                break
        _check_custom_fields(path, asked, rows)
        return rows

    def free(self, path: str, *, limit: int = PAGE) -> list[JsonObject]:
        """Return what `<pool>/available-*` shows as free: at most `limit` of it, all of it where NetBox knows no limit."""
        with self._errors():
            return list(self._request(path).get(add_params={"limit": limit}))

    def create(self, path: str, bodies: Sequence[JsonObject]) -> list[JsonObject]:
        """Create all of these objects in one request, or none. Raises ClaimLost when one of them is there already."""
        with self._errors():
            return self._several(self._request(path).post(list(bodies)), path, len(bodies))

    def take(self, path: str, bodies: Sequence[JsonObject]) -> list[JsonObject]:
        """Take as many as there are `bodies` from `<pool>/available-*` in one request, or none.

        Raises PoolEmpty when there are not so many, ClaimLost when what a body names (a VLAN's name) is there already.
        """
        try:
            with self._errors():
                return self._several(self._request(path).post(list(bodies)), path, len(bodies))
        except AllocationError as error:
            raise PoolEmpty(refusal(error.req, secret=self._token).message) from None

    def update(self, path: str, bodies: Sequence[JsonObject], *, seen: Sequence[str | None] = ()) -> list[JsonObject]:
        """Change objects (each body has its id), 100 per request, each request all or none.

        `seen`: the `last_updated` of the objects when they were read; on NetBox 4.6 ClaimLost is raised when one was changed since
        (4.4 has no such check and ignores it). Raises InventoryIncomplete when NetBox no longer has one of them: the others are changed.
        """
        rows: list[JsonObject] = []
        for part, moments in zip(chunks(bodies, BULK), chunks(seen or [None] * len(bodies), BULK), strict=True):
            tags = ", ".join(f'W/"{moment.replace("Z", "+00:00")}"' for moment in moments if moment)
            session = WithHeaders(self._session, {"If-Match": tags}) if tags else self._session
            with self._errors():
                rows.extend(self._request(path, session=session).patch(list(part)))
        # an id that NetBox does not know is skipped in silence, with 200
        missing = sorted({body["id"] for body in bodies} - {row["id"] for row in rows})
        if missing:
            raise InventoryIncomplete(
                f"NetBox no longer has {path} with id {', '.join(map(str, missing))}", remedy="Run `turnup inventory audit`."
            )
        return rows

    def delete(self, path: str, objects: Mapping[int, str]) -> None:
        """Delete objects: id -> line for the change log. What is gone already is no error (NetBox skips it in silence)."""
        for part in chunks(list(objects.items()), BULK):
            with self._errors():
                self._request(path).delete([{"id": key, "changelog_message": text} for key, text in part])

    def _request(self, path: str, *, session: Any = None, **options: Any) -> Request:
        return Request(base=f"{self._api.base_url}/{path}/", http_session=session or self._session, token=self._token, **options)

    def _several(self, answer: Any, path: str, asked: int) -> list[JsonObject]:
        if not isinstance(answer, list) or len(answer) != asked:
            raise InventoryRefused(f"NetBox was asked to create {asked} in {path} and answered something else")
        return answer

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except AllocationError as error:  # pynetbox' name for every 409 to a POST; `take` tells an empty pool from the rest
            if "/available-" in error.base:
                raise
            raise refusal(error.req, secret=self._token) from None
        except RequestError as error:
            raise refusal(error.req, secret=self._token) from None
        except (ContentError, requests.exceptions.JSONDecodeError):
            raise InventoryRefused(
                f"What answers at {self.url} is not NetBox's API: no JSON",
                remedy="Check TURNUP_NETBOX__URL: without /api, with any path before it.",
            ) from None
        except requests.RequestException as error:
            raise self._unreachable(error) from None
        self._refuse_old()

    def _unreachable(self, error: requests.RequestException) -> InventoryError:
        if isinstance(error, Redirected):
            text = f"NetBox at {self.url} redirects to {error}"
            return InventoryRefused(text, remedy="Set TURNUP_NETBOX__URL to the address that answers itself.")
        if isinstance(error, requests.exceptions.SSLError):
            return InventoryRefused(
                f"The certificate of NetBox at {self.url} is not trusted: {_brief(error)}", remedy="Set TURNUP_NETBOX__CA_FILE."
            )
        if isinstance(error, ValueError):  # MissingSchema, InvalidSchema, InvalidURL
            return InventoryRefused(f"{self.url!r} is not a URL of NetBox: {error}", remedy="Correct TURNUP_NETBOX__URL.")
        # requests calls a read timeout that was to be retried a connection error
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(error, requests.Timeout) or isinstance(reason, ReadTimeoutError):
            return InventoryUnreachable(f"NetBox at {self.url} did not answer in time")
        return InventoryUnreachable(f"No connection to NetBox at {self.url}: {_brief(reason or error)}")

    def _refuse_old(self) -> None:
        version = self._session.api_version
        if version is not None and version < OLDEST:
            raise InventoryRefused(
                f"NetBox at {self.url} is {version[0]}.{version[1]}", remedy=f"NetBox {OLDEST[0]}.{OLDEST[1]} or later is needed."
            )


def _check(path: str, filters: Filters) -> None:
    unknown = [name for name in filters if not name.startswith("cf_") and name not in FILTERS.get(path, frozenset()) | SHOW]
    unknown += [name for name in filters if name.startswith("cf_") and name.removeprefix("cf_") not in CustomFields.model_fields]
    if unknown:
        raise ValueError(f"{path} has no filter {', '.join(unknown)}: NetBox would ignore it and return everything")


def _check_custom_fields(path: str, filters: Filters, rows: Sequence[JsonObject]) -> None:
    for name in (name for name in filters if name.startswith("cf_")):
        wanted = filters[name]
        values = {str(value) for value in ([wanted] if isinstance(wanted, str | int) else wanted)}
        field = name.removeprefix("cf_")
        if any(str(getattr(CustomFields.model_validate(row.get("custom_fields") or {}), field)) not in values for row in rows):
            raise InventoryIncomplete(
                f"NetBox has no custom field {field!r} for {path}, or one that is compared loosely",
                remedy="Create it with filter logic `exact` (`turnup inventory seed` does so).",
            )


def _brief(reason: object) -> str:
    return str(reason).rpartition(": ")[2] or type(reason).__name__
