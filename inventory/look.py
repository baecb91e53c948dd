"""The one read before a claim: are the candidates still free? Ports of OLTs and ONTs in stock are looked at together.

Both are devices with interfaces, a claim is an interface below or beside them, and the list of interfaces can be filtered by device, by
status of the device and by name. So one request says of each candidate whether it is enabled, unmarked, unclaimed and
its device still in service (an OLT) or in stock (an ONT).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.ports import Allocation, Need
from inventory.client import KEYS, FilterValue, NetBox, chunks
from inventory.fields import AllocState, JsonObject, marked, message
from inventory.rows import Interface, parse

NAMES = 60
"""Names per read: the request line has an end (`inventory.client.KEYS`), and names are longer than ids."""
STATUSES = ("active", "inventory")
FIELDS = "id,name,type,device,parent,enabled,mark_connected,tags,custom_fields"


@dataclass(frozen=True)
class View:
    """Interfaces to look at: those of these devices, all or those named by `names` and what is below them (`<name>/...`)."""

    devices: frozenset[int]
    names: frozenset[str] | None


@dataclass(frozen=True)
class Candidate:
    """A place that may be free: it is taken by creating an interface of this name on this device, which can happen only once."""

    device: int
    name: str
    parent: int | None = None

    def claim(self, need: Need) -> JsonObject:
        """Return the interface whose creation is the claim."""
        return {
            "device": self.device,
            "name": self.name,
            "type": "virtual",
            "parent": self.parent,
            "description": f"{need.service} {need.mark.order}".strip(),
            "custom_fields": marked(need.mark, need.service, AllocState.RESERVED),
            "changelog_message": message("claimed", need.mark),
        }


Fetch = Callable[[], Callable[[], None]]
"""A read of another kind: it is called without the lock, what it returns is called with it and takes in what was read."""


class Search(Protocol):
    """The way of one call to candidates that were looked at in this call. Methods are called under the lock of the shelf's owner."""

    def fetch(self, count: int, taken: frozenset[Candidate]) -> Fetch | None:
        """What else must be known before candidates can be looked at; asked until it is None."""

    def view(self, count: int, taken: frozenset[Candidate]) -> View | None:
        """What to look at next in order to have `count` candidates besides the `taken`; None: `candidates` has what there is."""

    def see(self, view: View, rows: Sequence[Interface]) -> None:
        """Take in what was seen in a view of this search (and perhaps of others)."""

    def candidates(self, count: int, taken: frozenset[Candidate]) -> list[Candidate]:
        """At most `count` free places, best first."""


class Shelf(Protocol):
    """What we know of one pool of ports or ONTs. Shared by all threads; it is a hint, the claim decides."""

    def search(self) -> Search:
        """Begin a search."""

    def took(self, candidate: Candidate, claim: int | None, /) -> None:
        """The candidate is taken: by us with this interface, or by somebody else (None)."""

    def freed(self, candidate: Candidate, claim: int, /) -> None:
        """A claim was deleted."""

    def forget(self) -> None:
        """Know nothing any more."""

    def allocation(self, need: Need, candidate: Candidate, claim: int | None) -> Allocation:
        """The candidate as what the order layer gets; without a claim: as what it may expect."""

    def shortage(self) -> str:
        """Why there is nothing, for people."""


def look(client: NetBox, views: Sequence[View]) -> list[Interface]:
    """Return the interfaces of all views, with as few requests as the length of a request line allows: one, as a rule."""
    rows: dict[int, Interface] = {}
    for whole in (True, False):
        for devices, names in _reads([view for view in views if (view.names is None) is whole]):
            filters: dict[str, FilterValue] = {"device_id": devices, "device_status": STATUSES, "fields": FIELDS}
            if names is not None:
                # not name__isw: LC1/P1 would bring what is below LC1/P10 to P16 as well, hundreds of rows on a full OLT
                filters["name__regex"] = f"^({'|'.join(map(re.escape, names))})(/|$)"
            rows.update((row["id"], parse(Interface, row)) for row in client.read("dcim/interfaces", filters))
    return list(rows.values())


def _reads(views: Sequence[View]) -> list[tuple[Sequence[int], Sequence[str] | None]]:
    devices = sorted(set[int]().union(*(view.devices for view in views)))
    if not devices:  # a filter without values is no filter: everything would come back
        return []
    if any(view.names is None for view in views):
        return [(part, None) for part in chunks(devices, KEYS)]
    names = sorted(set[str]().union(*(view.names or () for view in views)))
    if len(views) > 1 and (len(devices) > KEYS or len(names) > NAMES):
        return [read for view in views for read in _reads([view])]
    return [(part, some) for part in chunks(devices, KEYS) for some in chunks(names, NAMES)]
