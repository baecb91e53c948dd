"""The control endpoint of a running stand-in, from the outside: for tests, benchmarks and the stand-ins that set each other in motion."""

import contextlib
from typing import Any

import httpx

from lab.faults import Do, Fault, When
from lab.process import wait_gone
from lab.standin import Endpoint


class Remote:
    """Makes one stand-in fail, heals it, kills it, looks at what it holds."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Take the stand-in at `endpoint`."""
        self._endpoint = endpoint

    def fail(
        self,
        on: str,
        do: Do | str,
        *,
        when: When | str = When.BEFORE,
        times: int | None = 1,
        seconds: float = 2.0,
        status: int | None = None,
        error: dict[str, Any] | None = None,
    ) -> int:
        """Add a fault (`lab.faults.Fault`) and return its number."""
        fault = Fault(on=on, do=Do(do), when=When(when), times=times, seconds=seconds, status=status, error=error)
        answer = self._ask("POST", "/faults", fault.model_dump(mode="json"))
        number: int = answer.json()["number"]
        return number

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that still wait."""
        waiting: list[dict[str, Any]] = self._ask("GET", "/faults").json()
        return waiting

    def heal(self) -> None:
        """Forget all faults."""
        self._ask("DELETE", "/faults")

    def state(self) -> Any:
        """Return all that the stand-in holds."""
        return self._ask("GET", "/state").json()

    def post(self, path: str, body: Any = None) -> Any:
        """Call a control of this stand-in's own, for instance `/plug-in`; returns its answer."""
        answer = self._ask("POST", path, body)
        return answer.json() if answer.content else None

    def kill(self, patience: float = 5.0) -> None:
        """End its process as `kill -9` does and wait until it is gone."""
        with contextlib.suppress(httpx.TransportError):  # it cannot answer
            self._ask("POST", "/kill", {})
        if not wait_gone(self._endpoint.pid, patience):
            raise TimeoutError(f"{self._endpoint.name} lives on")

    def _ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        # a proxy of the environment has no business on the loopback; plain HTTP needs no authorities, which take 25 ms to load
        with httpx.Client(trust_env=False, verify=False, timeout=10) as client:  # noqa: S501
            answer = client.request(method, self._endpoint.control + path, json=body)
        return answer.raise_for_status()
