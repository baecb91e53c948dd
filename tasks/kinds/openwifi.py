"""The cloud WiFi controller: OpenWiFi's provisioning service (owprov), `inventory` (openapi 2.5.0)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
from nornir.core.inventory import Host

from engine.errors import TargetRefused
from tasks.connections.http import HttpTarget, http_of
from tasks.kinds.bodies import Body
from tasks.kinds.documents import DocumentKind, DocumentStore
from tasks.transaction import Deadline

_INVENTORY = "inventory"


class _OpenWifi(DocumentStore):
    def __init__(self, http: HttpTarget, deadline: Deadline) -> None:
        super().__init__(http.name, deadline)
        self._http = http

    def read(self, kind: str, key: str) -> Body | None:
        answer = self._ask("GET", kind, key)
        found: Body | None = answer.json() if answer.is_success else None
        return found

    def create(self, kind: str, key: str, body: Body) -> None:
        self._ask("POST", kind, key, body)

    def replace(self, kind: str, key: str, body: Body) -> None:
        self._ask("PUT", kind, key, body)

    def delete(self, kind: str, key: str) -> None:
        self._ask("DELETE", kind, key)

    def learned(self, kind: str, held: Body) -> Mapping[str, str]:  # noqa: ARG002
        """`id`: the number that the platform gave the device (CW-89012), or owprov's UUID where it gives none."""
        return {"id": str(held.get("deviceId") or held["id"])}

    def _ask(self, method: str, kind: str, key: str, body: Body | None = None) -> httpx.Response:
        if kind != _INVENTORY:
            raise TargetRefused(f"{self.target} holds no documents of kind {kind}, only {_INVENTORY}", target=self.target)
        return self._http.request(
            method,
            f"{self._http.access.url(target=self.target)}/inventory/{key}",
            seconds=min(self._http.access.timeout, self.deadline.require(self.target, f"{method} {kind}/{key}")),
            expected={404} if method in {"GET", "DELETE"} else (),
            json=body,
        )


@contextmanager
def _opened(host: Host, deadline: Deadline) -> Iterator[DocumentStore]:
    yield _OpenWifi(http_of(host), deadline)


OPENWIFI = DocumentKind(_opened)
