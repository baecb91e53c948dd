"""Who is in the lab: the kinds of stand-ins, the ones of the embedded lab, and where they announce themselves.

Their credentials are in `lab.credentials`, the devices' SSH host keys in `lab.hostkeys`.
"""

import importlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from lab.standin import Endpoint, StandIn, read_endpoint

KINDS = {
    "olt": "lab.netconf.device:Olt",
    "switch": "lab.netconf.device:Switch",
    "junos": "lab.junos.device:Junos",
    "netbox": "lab.netbox.app:NetBox",
    "kea": "lab.kea.app:Kea",
    "radius": "lab.radius.app:Radius",
    "acs": "lab.acs.app:Acs",
    "cloudwifi": "lab.cloudwifi.app:CloudWifi",
    "logistics": "lab.logistics.app:Logistics",
}
"""Kind of stand-in -> "module:Class"."""


@dataclass(frozen=True)
class Listing:
    """One stand-in of the embedded lab. Its folder is `<lab>/<name>`."""

    kind: str
    name: str

    @property
    def logs_in(self) -> bool:
        """Whether it is a device with an SSH login of its own."""
        return self.kind in {"olt", "switch", "junos"}


EMBEDDED = (
    Listing("olt", "OLT-EAST-07"),
    Listing("switch", "ASW-EAST-07"),
    Listing("junos", "BNG-EAST-01"),
    Listing("netbox", "netbox"),
    Listing("kea", "DHCP-EAST-01"),
    Listing("radius", "RADIUS-EAST-01"),
    Listing("acs", "ACS-01"),
    Listing("cloudwifi", "cloudwifi"),
    Listing("logistics", "logistics"),
)
"""The stand-ins of the worked example."""

_REGION = tuple(
    Listing(kind, f"{name}-EAST-{number:02}") for number in range(1, 9) for kind, name in (("olt", "OLT"), ("switch", "ASW")) if number != 7
)

_NEIGHBOUR = (Listing("olt", "OLT-EAST-08"), Listing("switch", "ASW-EAST-08"))

PROFILES = {"example": EMBEDDED, "two-exchanges": (*EMBEDDED, *_NEIGHBOUR), "bench": EMBEDDED, "capacity": (*EMBEDDED, *_REGION)}
"""What a lab is prepared for, and who is in it: the worked example, the same with a neighbour to move to, benchmarks (64 ONUs a port),
10,000 lines on eight exchanges."""


def named(names: Collection[str], profile: str = "example") -> list[Listing]:
    """Return the stand-ins of these names. Raises ValueError when one is not in a lab of this profile."""
    members = PROFILES[profile]
    found = [listing for listing in members if listing.name in names]
    if unknown := set(names) - {listing.name for listing in found}:
        raise ValueError(f"not in the lab: {', '.join(sorted(unknown))}; there are: {', '.join(listing.name for listing in members)}")
    return found


def load(kind: str) -> type[StandIn]:
    """Return the class of a kind, importing its module; "module:Class" names one that is not listed.

    Raises ValueError for an unknown kind.
    """
    target = KINDS.get(kind, kind)
    module, colon, name = target.partition(":")
    if not colon:
        raise ValueError(f"no stand-in {kind!r}; there are: {', '.join(KINDS)}")
    found: type[StandIn] = getattr(importlib.import_module(module), name)
    return found


def endpoint_of(lab: Path, name: str) -> Endpoint | None:
    """Return where the stand-in `name` of the lab is reached, None when it is not ready to serve."""
    return read_endpoint(lab / name)


def endpoints(lab: Path) -> dict[str, Endpoint]:
    """Return the endpoints of all stand-ins of the lab that are ready to serve, by name."""
    found = (read_endpoint(path.parent) for path in sorted(lab.glob("*/endpoint.json")))
    return {endpoint.name: endpoint for endpoint in found if endpoint is not None}
