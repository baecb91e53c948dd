"""A client of one Kea control socket that takes back what it added."""

from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Daemon:
    """One control socket, and what to take back after a test."""

    url: str
    login: tuple[str, str]
    added: list[dict[str, Any]] = field(default_factory=list)

    def post(self, content: object, login: tuple[str, str] | None = None) -> httpx.Response:
        return httpx.post(self.url, json=content, auth=login or self.login, trust_env=False)

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a command, its arguments with hyphens for underscores, and return the one answer."""
        sent = {name.replace("_", "-"): value for name, value in arguments.items()}
        answer = self.post({"command": command, "arguments": sent})
        assert answer.status_code == 200
        (only,) = answer.json()
        return dict(only)

    def add(self, **reservation: Any) -> dict[str, Any]:
        sent = {name.replace("_", "-"): value for name, value in reservation.items()}
        answer = self.ask("reservation-add", reservation=sent, operation_target="memory")
        if answer["result"] == 0:
            self.added.append(sent)
        return answer

    def clean(self) -> None:
        for host in self.added:
            kind = next(kind for kind in ("hw-address", "duid") if kind in host)
            self.ask("reservation-del", subnet_id=host["subnet-id"], identifier_type=kind, identifier=host[kind], operation_target="memory")
