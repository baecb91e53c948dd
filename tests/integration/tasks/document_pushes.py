"""Transactions on systems that hold documents: what they are pushed, and what they hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pushes
from document_changes import change, parcel, preset, provision, put, radcheck, radreply, reservation4, reservation6, tag
from lab_targets import Target
from nornir.core.inventory import Host
from pushes import READBACK

from engine.ports import Change, Outcome
from tasks.kinds import for_platform

System = Callable[[str], Target]
Opened = Callable[[Host], Host]


def pushed(target: Target, host: Host, change_: Change, **other: Any) -> Outcome:
    return for_platform(target.platform).push(pushes.push_of(target.name, change_, READBACK, **other), host)


LINES = {
    "kea": lambda n: change(put(*reservation4(n)), put(*reservation6(n))),
    "radius": lambda n: change(put(*radcheck(f"SI-{n}", f"secret-{n}")), put(*radreply(f"SI-{n}", f"10.42.17.{n}"))),
    "acs": lambda n: change(put(*provision(f"residential-{n}")), put(*preset(f"HWT{n}", f"residential-{n}", f"SI-{n}"))),
    "cloudwifi": lambda n: change(put(*tag(n)), put(*tag(n + 100))),
    "logistics": lambda n: change(put(*parcel(f"RO-{n}/ROI-1", f"HWT-{n}")), put(*parcel(f"RO-{n}/ROI-2", f"HWT-{n}-2"))),
}
"""Two documents for a line, by kind of system; the number keeps the tests apart."""

WRITES = {
    "kea": ("reservation-add", "reservation-add"),
    "acs": ("PUT /provisions/*", "PUT /presets/*"),
    "cloudwifi": ("POST *", "POST *"),
    "logistics": ("POST *", "POST *"),
}
"""The operations that write the first and the second document."""


def held(target: Target) -> Any:
    """What the system holds, without what changes by itself."""
    state = target.remote.state()
    match target.endpoint.kind:
        case "logistics":
            return sorted(parcel["order"]["externalId"] for parcel in state["parcels"] if parcel["status"] != "cancelled")
        case "acs":
            return state["presets"], state["provisions"]
        case "kea":
            return {name: server["reservations"] for name, server in state.items()}
        case "radius":
            return {name: [{**row, "id": 0} for row in rows] for name, rows in state.items()}
        case _:
            return state
