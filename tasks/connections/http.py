"""Nornir connection plugin `http`: a keep-alive httpx client per target, with typed errors and retries of what may be repeated."""

from __future__ import annotations

import json
import ssl
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

import httpx
import stamina
import stamina.instrumentation
from nornir.core.configuration import Config
from nornir.core.inventory import Host

from engine.errors import (
    HostKeyUnknown,
    TargetDenied,
    TargetError,
    TargetLocked,
    TargetLost,
    TargetRefused,
    TargetTimeout,
    TargetUnreachable,
    TurnupError,
)
from tasks.access import Access

CONNECTION_NAME = "http"

_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
"""RFC 9110 section 9.2.2."""
MEANINGS: Mapping[int, type[TargetError]] = MappingProxyType(
    {
        # credentials, also of a proxy
        **dict.fromkeys((401, 403, 407), TargetDenied),
        # it, or what stands before it, cannot answer now
        **dict.fromkeys((408, 425, 429, 502, 503, 504), TargetUnreachable),
        423: TargetLocked,
    }
)
"""Status (RFC 9110, 8470, 6585, 4918) -> what it is to us. All others from 400 on are refusals, 500 too: the same request would break
it again, and a system that answers is not left alone as one that does not."""
_ATTEMPTS = 3
_MOST_WORDS = 300

# stamina's own choice is structlog when it is installed, which prints to stdout unless somebody configures it: no place for a log line
stamina.instrumentation.set_on_retry_hooks([stamina.instrumentation.LoggingOnRetryHook])


class HttpTarget:
    """One HTTP system. Its errors are those of `engine.errors`; credentials and bodies are in none of them."""

    def __init__(self, name: str, access: Access) -> None:
        self.name = name
        self.access = access
        self._client = httpx.Client(
            auth=httpx.BasicAuth(access.username, access.password or "") if access.username else None,
            headers={"X-API-KEY": access.api_key} if access.api_key else None,
            verify=_trust(access),
            trust_env=False,  # a proxy of the environment is for the internet, not for the operator's own systems
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        seconds: float | None = None,
        may_repeat: bool | None = None,
        expected: Collection[int] = (),
        **content: Any,
    ) -> httpx.Response:
        """Send a request and return the answer: a success, or a status of `expected`.

        `seconds` bounds each wait (default: the access's own). `may_repeat` says that doing it twice is as good as once (default: by
        the method); it is then tried again when the connection breaks or the system says that it is not available.
        `content` is httpx's: `json`, `content`, `headers`, `params`.
        Raises TargetUnreachable, TargetDenied, HostKeyUnknown, TargetRefused, TargetTimeout, TargetLost.
        """
        again = may_repeat if may_repeat is not None else method in _IDEMPOTENT
        timeout = seconds if seconds is not None else self.access.timeout
        for attempt in stamina.retry_context(
            on=(TargetUnreachable, TargetLost), attempts=_ATTEMPTS if again else 1, timeout=timeout, wait_initial=0.05, wait_jitter=0.05
        ):
            with attempt:
                return self._once(method, url, timeout, expected, content)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _once(self, method: str, url: str, timeout: float, expected: Collection[int], content: Mapping[str, Any]) -> httpx.Response:
        try:
            answer = self._client.request(method, url, timeout=timeout, **content)
        except httpx.TransportError as error:
            raise self._error(error, timeout) from error
        if answer.is_success or answer.status_code in expected:
            return answer
        what = f"{method} {httpx.URL(url).path}: {answer.status_code} {answer.reason_phrase}"
        kind = MEANINGS.get(answer.status_code, TargetRefused)
        if kind is TargetDenied:
            raise TargetDenied(f"{self.name} refused the credentials: {what}", target=self.name)
        raise kind(f"{self.name}: {what}: {words_of(answer)}", target=self.name)

    def _error(self, error: httpx.TransportError, timeout: float) -> TargetError:
        match error:
            case httpx.ConnectError() if _is_certificate_error(error):
                return HostKeyUnknown(f"{self.name}: {error}", target=self.name)
            case httpx.ConnectError() | httpx.ConnectTimeout():
                return TargetUnreachable(f"{self.name} cannot be reached: {error}", target=self.name)
            case httpx.TimeoutException():
                return TargetTimeout(f"{self.name} did not answer within {timeout:g} s", target=self.name)
            case httpx.NetworkError() | httpx.RemoteProtocolError():
                return TargetLost(f"{self.name} closed the connection without an answer: {error}", target=self.name)
            case _:
                return TargetUnreachable(f"{self.name} cannot be asked: {error}", target=self.name)


class Http:
    """The plugin. `extras`: `access` (tasks.access.Access)."""

    def __init__(self) -> None:
        self._target: HttpTarget | None = None

    def open(
        self,
        hostname: str | None,
        username: str | None,
        password: str | None,
        port: int | None,
        platform: str | None,  # noqa: ARG002 - Nornir's signature
        extras: dict[str, Any] | None = None,
        configuration: Config | None = None,  # noqa: ARG002 - Nornir's signature
    ) -> None:
        """Make the client; it connects with the first request."""
        options = extras or {}
        access = options.get("access") or Access()
        access = replace(access, hostname=hostname, username=username, password=password, port=port)
        self._target = HttpTarget(str(options.get("target") or hostname), access)

    def close(self) -> None:
        """Close the connections."""
        if self._target is not None:
            self._target.close()

    @property
    def connection(self) -> HttpTarget:
        """The client."""
        if self._target is None:
            raise TurnupError("the http connection is not open")
        return self._target


def http_of(host: Host) -> HttpTarget:
    """Return the host's HTTP client, making it if need be."""
    if CONNECTION_NAME not in host.connections:
        parameters = host.get_connection_parameters(CONNECTION_NAME)
        plugin = Http()
        plugin.open(
            hostname=parameters.hostname,
            username=parameters.username,
            password=parameters.password,
            port=parameters.port,
            platform=parameters.platform,
            extras={"target": host.name, **(parameters.extras or {})},
        )
        host.connections[CONNECTION_NAME] = plugin
    found: HttpTarget = host.connections[CONNECTION_NAME].connection
    return found


def words_of(answer: httpx.Response) -> str:
    """Return what a system says about its refusal, shortened; its own words, so not what we sent."""
    try:
        body = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        body = None
    if isinstance(body, dict):
        for name in ("message", "ErrorDescription", "text", "detail", "reason", "error"):
            if isinstance(body.get(name), str):
                return str(body[name])[:_MOST_WORDS]
    return " ".join(answer.text.split())[:_MOST_WORDS] or "without a word"


def _trust(access: Access) -> ssl.SSLContext | bool:
    if access.insecure:
        return False
    return ssl.create_default_context(cafile=str(access.ca_file)) if access.ca_file else _public_authorities()


@cache
def _public_authorities() -> ssl.SSLContext:
    """As httpx would make it for each client: reading them takes longer than a dozen requests, also where the URL is http."""
    return httpx.create_ssl_context(trust_env=False)


def _is_certificate_error(error: BaseException) -> bool:
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return True
        found = found.__cause__ or found.__context__
    return False
