"""What stand-ins are made to do for a while: refuse, hang, drop, be slow, be full. All of it passes, or is a reason to hold an order."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.chaos.world import INJECTED, World


@dataclass(frozen=True)
class Fault:
    """One fault of `lab.faults`. `reason`: part of the message for which an order may then be held; empty: none may."""

    name: str
    on: str
    do: str
    when: str = "before"
    times: int = 2
    seconds: float = 1.0
    status: int | None = None
    error: dict[str, str] | None = None
    reason: str = ""


_HTTP = ("DHCP-EAST-01", "ACS-01", "cloudwifi", "logistics", "netbox")
_NETCONF = ("OLT-EAST-07", "ASW-EAST-07")
_NETCONF_RPCS = ("lock", "edit-config", "validate", "commit", "get", "unlock")
_BNG = "BNG-EAST-01"

PASSING = (
    *(Fault(name, "*", do, when) for name in _HTTP for do in ("drop", "slow", "hang") for when in ("before", "after")),
    *(Fault(name, "POST *", "refuse", status=503) for name in ("cloudwifi", "logistics", "netbox")),
    *(Fault(name, "PUT *", "refuse", status=503) for name in ("ACS-01", "cloudwifi")),
    *(
        Fault(name, rpc, do, when, 1)
        for name in _NETCONF
        for rpc in _NETCONF_RPCS
        for do in ("drop", "slow")
        for when in ("before", "after")
    ),
    *(Fault(name, "commit", "hang", when, 1) for name in _NETCONF for when in ("before", "after")),
    *(Fault(name, "connect", "drop") for name in (*_NETCONF, _BNG)),
    *(Fault(_BNG, "*", do, when, 1) for do in ("drop", "slow") for when in ("before", "after")),
)
"""After these every order ends completed."""

HOLDING = (
    *(Fault(name, "edit-config", "refuse", times=1, error={"error-message": INJECTED}, reason=INJECTED) for name in _NETCONF),
    Fault("netbox", "POST /api/ipam/prefixes/*", "exhaust", times=1, reason="resource exhaustion"),
    Fault("logistics", "POST *", "exhaust", times=1, reason="out of stock"),
)
"""These may hold an order: a person must answer."""


class Faults:
    """Makes stand-ins fail, one fault after the other."""

    def __init__(self, world: World, random: Random) -> None:
        self._world, self._random = world, random
        self.injected: list[Fault] = []

    def inject(self, fault: Fault | None = None) -> None:
        """Inject this one, or one at random."""
        chosen = fault or self._random.choice(PASSING)
        self._world.remote(chosen.name).fail(
            chosen.on, chosen.do, when=chosen.when, times=chosen.times, seconds=chosen.seconds, status=chosen.status, error=chosen.error
        )
        self.injected.append(chosen)

    @property
    def reasons(self) -> set[str]:
        """For which reasons an order may be held now."""
        return {fault.reason for fault in self.injected if fault.reason}
