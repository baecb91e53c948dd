"""What the kinds of pools have in common: names of pools, and what becomes of needs that require others."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from engine.errors import InventoryIncomplete
from engine.ports import Allocation, Mark, Need, Shortage

Results = MutableMapping[Mark, Allocation | Shortage]
"""What became of each need so far."""

KEYS = {"olt-port": "site", "stock": "model", "vlan": "group", "ipv4": "prefix", "ipv6-prefix": "prefix"}
"""Kind of resource -> the key of `Need.pool` that names its pool."""

_REMEDY = "Correct the reservation in the catalogue."


def pool_of(need: Need) -> str:
    """Return the name of the pool that a need asks. Raises InventoryIncomplete when the catalogue does not name one."""
    key = KEYS.get(need.kind)
    if key is None:
        raise InventoryIncomplete(f"no kind of resource {need.kind!r}; there are {', '.join(KEYS)}", remedy=_REMEDY)
    name = need.pool.get(key)
    if not name:
        raise InventoryIncomplete(
            f"{need.mark}: a reservation of kind {need.kind} names its pool by {key!r}", remedy="Correct the catalogue."
        )
    return name


def label(need: Need) -> str:
    """Return what is waited for when this need's pool is empty: `olt-port:EAST-07`, `stock:HG8245H@WH-MELB`."""
    site = need.pool.get("site") if need.kind == "stock" else None
    return f"{need.kind}:{pool_of(need)}" + (f"@{site}" if site else "")


def obstacle(need: Need, results: Mapping[Mark, Allocation | Shortage]) -> Shortage | None:
    """Return the shortage that a need gets because one that it requires was not met, None when nothing is in its way.

    A required mark that is not in `results` was granted before, or its turn is yet to come.
    """
    for mark in sorted(need.requires):
        short = results.get(mark)
        if isinstance(short, Shortage):
            return Shortage(need.mark, False, short.pool, f"not taken without {mark.name}: {short.message}")
    return None
