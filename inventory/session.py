"""The HTTP session under pynetbox: deadlines, retries of what is safe to repeat, no redirects, and a count of what is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry


@dataclass(frozen=True)
class Call:
    """One request that was sent to NetBox and what came of it."""

    method: str
    path: str
    """Path and query."""
    status: int | None
    """None: no answer came."""
    seconds: float


OnCall = Callable[[Call], None]


@dataclass(frozen=True)
class Patience:
    """How long NetBox may take, in seconds, and how often a read is asked again."""

    connect: float = 5.0
    read: float = 30.0
    """Until the next byte of an answer."""
    retries: int = 2
    """Repetitions of a GET that got no answer, 502, 503 or 504. A write is repeated only when its connection was never made."""


class Redirected(requests.RequestException):
    """NetBox answered with a redirect. Its message is where to."""


class Session(requests.Session):
    """A session for one NetBox. Safe to use from several threads: it keeps no cookies and changes no state of its own."""

    def __init__(self, patience: Patience, *, ca_file: Path | None = None, insecure: bool = False, on_call: OnCall | None = None) -> None:
        """Set deadlines, retries and TLS; `on_call` is told of each request once its answer is there."""
        super().__init__()
        self.api_version: tuple[int, int] | None = None
        """Of NetBox, as its last answer said."""
        self._timeout = (patience.connect, patience.read)
        self._on_call = on_call
        self.verify = str(ca_file) if ca_file is not None else not insecure
        # with trust_env requests takes credentials from ~/.netrc in place of our token, and sends loopback traffic to a proxy
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # allowed_methods does not bound `connect`: a connection that was never made carried no request, so any method may try again
        retry = Retry(
            total=None,
            connect=patience.retries,
            read=patience.retries,
            status=patience.retries,
            other=0,
            redirect=False,
            allowed_methods=frozenset({"GET"}),
            status_forcelist=(502, 503, 504),
            backoff_factor=0.2,
            raise_on_status=False,
            respect_retry_after_header=False,  # a deadline of somebody else's choosing
        )
        adapter = HTTPAdapter(max_retries=retry, pool_maxsize=32)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send one request. requests has no deadline unless one is given, and turns a redirected POST into a GET that answers 200."""
        kwargs.setdefault("timeout", self._timeout)
        kwargs["allow_redirects"] = False
        started, status = time.monotonic(), None
        try:
            response = super().request(method, url, *args, **kwargs)
            status, url = response.status_code, response.url
            self.api_version = _version(response.headers.get("API-Version", "")) or self.api_version
        finally:
            if self._on_call is not None:
                self._on_call(Call(_text(method).upper(), _path(_text(url)), status, time.monotonic() - started))
        if 300 <= response.status_code < 400:  # pynetbox takes everything below 400 for success
            raise Redirected(response.headers.get("Location", "elsewhere"))
        return response


class WithHeaders:
    """A session that adds headers to each request: pynetbox has no way to send If-Match."""

    def __init__(self, session: requests.Session, headers: dict[str, str]) -> None:
        """Lay `headers` over those that pynetbox sets."""
        self._session = session
        self._headers = headers

    def patch(self, url: str, *, headers: dict[str, str], **kwargs: Any) -> requests.Response:
        """Send a PATCH with the further headers."""
        return self._session.patch(url, headers={**headers, **self._headers}, **kwargs)


def _version(header: str) -> tuple[int, int] | None:
    major, _, minor = header.partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
