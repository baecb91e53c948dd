"""Ports of OLTs: what is free at an exchange, as far as we know.

A claim is the virtual interface `<port>/<ONU id>` below its PON port. A port is free when it is enabled, unmarked (not `mark_connected`,
`alloc_state` empty or `free`, no quarantine tag) and has fewer interfaces below it than its custom field `onu_capacity` says (1 when it
says nothing).
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from engine.ports import Allocation, Need, ObjectRef
from inventory.fields import QUARANTINE_TAG, AllocState
from inventory.look import Candidate, Fetch, View
from inventory.needs import label
from inventory.rows import Interface, natural
from inventory.sites import Sites

KIND = "olt-port"
PON_TYPES = frozenset({"bpon", "epon", "10g-epon", "gpon", "xg-pon", "xgs-pon", "ng-pon2", "25gs-pon", "50g-pon"})
"""NetBox's interface types of passive optical networks (dcim/choices.py)."""
SPARE = 4
"""Candidates looked at beyond what is needed: who loses a claim has the next one at hand."""


@dataclass
class _Port:
    row: Interface
    claims: dict[int, str] = field(default_factory=dict)
    """Interfaces below it: id -> name. Ids below zero (min() is taken for the next) stand for those of others, whose ids we do not know."""

    @property
    def capacity(self) -> int:
        fields = self.row.custom_fields
        free = self.row.enabled and not self.row.mark_connected and QUARANTINE_TAG not in self.row.tags
        unmarked = fields.alloc_state in (None, "", AllocState.FREE.value)
        return (fields.onu_capacity or 1) if free and unmarked else 0

    @property
    def room(self) -> int:
        return max(0, self.capacity - len(self.claims))

    def places(self, taken: frozenset[Candidate]) -> Iterator[Candidate]:
        used = set(self.claims.values())
        names = (f"{self.row.name}/{onu}" for onu in range(1, self.capacity + 1))
        places = (Candidate(self.row.device.id, name, self.row.id) for name in names if name not in used)
        busy = sum(candidate.parent == self.row.id for candidate in taken)
        return islice((place for place in places if place not in taken), max(0, self.room - busy))


class Exchange:
    """The PON ports of one exchange."""

    def __init__(self, name: str, sites: Sites) -> None:
        """Know nothing yet."""
        self.name = name
        self.sites = sites
        self.olts: dict[int, str] = {}
        self.known = False
        self.generation = 0
        """Counts how often everything was forgotten."""
        self._names: dict[int, str] = {}
        self._ports: dict[int, _Port] = {}

    def search(self) -> PortSearch:
        """Begin a search."""
        return PortSearch(self)

    def took(self, candidate: Candidate, claim: int | None) -> None:
        """A place is taken."""
        port = self._ports.get(candidate.parent or 0)
        if port is not None:
            port.claims[claim if claim is not None else min(port.claims, default=0) - 1] = candidate.name

    def freed(self, candidate: Candidate, claim: int) -> None:
        """A claim was deleted."""
        for port in self._ports.values():
            if port.row.device.id == candidate.device:
                port.claims = {key: name for key, name in port.claims.items() if key != claim and name != candidate.name}

    def forget(self) -> None:
        """Know nothing any more."""
        self._ports, self.known = {}, False
        self.generation += 1

    def shortage(self) -> str:
        """Say how many ports there are and what became of them."""
        if not self.olts:
            return f"no OLT of {self.name} is active in NetBox"
        ports = len(self._ports)
        closed = sum(port.capacity == 0 for port in self._ports.values())
        return f"no free port on the OLTs of {self.name} ({ports} ports: {closed} in use or closed, {ports - closed} full)"

    def allocation(self, need: Need, candidate: Candidate, claim: int | None) -> Allocation:
        """Return the port and ONU id as what the order layer gets."""
        return port_allocation(need, self._names[candidate.device], candidate.name, claim)

    def places(self, count: int, taken: frozenset[Candidate]) -> list[Candidate]:
        """Return at most `count` places. The OLT with the most room comes first, its ports in natural order, ONU ids from 1."""
        queues = []
        for olt, name in self.olts.items():
            ports = sorted((port for port in self._ports.values() if port.row.device.id == olt), key=lambda port: natural(port.row.name))
            room = sum(port.room for port in ports) - sum(candidate.device == olt for candidate in taken)
            queues.append((-room, natural(name), olt, (place for port in ports for place in port.places(taken))))
        heapq.heapify(queues)
        found: list[Candidate] = []
        while queues and len(found) < count:
            room, name_key, olt, places = heapq.heappop(queues)
            place = next(places, None)
            if place is not None:
                found.append(place)
                heapq.heappush(queues, (room + 1, name_key, olt, places))
        return found

    def names(self, places: Sequence[Candidate]) -> frozenset[str]:
        """Return the names of the ports that these places are on."""
        return frozenset(self._ports[place.parent or 0].row.name for place in places)

    def has(self, olts: dict[int, str]) -> None:
        """Take in which OLTs there are."""
        self.olts = olts
        self._names |= olts
        self._ports = {key: port for key, port in self._ports.items() if port.row.device.id in olts}

    def see(self, view: View, rows: Sequence[Interface]) -> None:
        """Take in what a view shows: of these ports everything is known then."""
        own = [row for row in rows if row.device.id in self.olts]
        ports = {row.id: _Port(row) for row in own if row.type in PON_TYPES and row.parent is None}
        for row in own:
            if row.parent is not None and row.parent.id in ports:
                ports[row.parent.id].claims[row.id] = row.name
        if view.names is None:
            self._ports, self.known = ports, True
            return
        for key, port in ports.items():
            before = self._ports.get(key, port)
            # what is below a port under a name of another shape is not in a view by names
            port.claims |= {one: name for one, name in before.claims.items() if one > 0 and not name.startswith(f"{port.row.name}/")}
        rest = {key: port for key, port in self._ports.items() if port.row.name not in view.names or port.row.device.id not in view.devices}
        self._ports = rest | ports


class PortSearch:
    """One call's search for places at an exchange: the whole exchange when it is not known or seems full, else only the candidates."""

    def __init__(self, exchange: Exchange) -> None:
        """Begin."""
        self._exchange = exchange
        self._begin()

    def _begin(self) -> None:
        self._generation = self._exchange.generation
        self._located = False
        self._afresh = False
        self._whole = False
        self._looked: frozenset[str] = frozenset()

    def fetch(self, count: int, taken: frozenset[Candidate]) -> Fetch | None:
        """See `inventory.look.Search`: which OLTs there are, and again before it is said that nothing is left."""
        if self._generation != self._exchange.generation:
            self._begin()
        if not self._located:
            self._located = True
            return self._locate(afresh=False)
        if self._exchange.known and not self._afresh and len(self._exchange.places(count, taken)) < count:
            self._afresh = True
            return self._locate(afresh=True)
        return None

    def view(self, count: int, taken: frozenset[Candidate]) -> View | None:
        """See `inventory.look.Search`: the whole exchange when it is not known or seems full, else the candidates."""
        exchange = self._exchange
        places = exchange.places(count, taken)
        if len(places) < count and not self._whole:
            self._whole = self._afresh = True
            return View(frozenset(exchange.olts), None)
        if self._whole or exchange.names(places) <= self._looked:
            return None
        names = exchange.names(exchange.places(count + SPARE, taken))
        self._looked |= names
        return View(frozenset(exchange.olts), names)

    def see(self, view: View, rows: Sequence[Interface]) -> None:
        """See `inventory.look.Search`."""
        self._exchange.see(view, rows)

    def candidates(self, count: int, taken: frozenset[Candidate]) -> list[Candidate]:
        """See `inventory.look.Search`."""
        return self._exchange.places(count, taken)

    def _locate(self, *, afresh: bool) -> Fetch:
        def fetch() -> Callable[[], None]:
            olts = dict(self._exchange.sites.get(self._exchange.name, afresh=afresh).olts)
            return lambda: self._exchange.has(olts)

        return fetch


def port_allocation(need: Need, olt: str, claim_name: str, claim: int | None) -> Allocation:
    """Return the allocation that the claim `LC3/P12/1` on an OLT stands for.

    Slot and port are the last two numbers of the port's name, whatever the vendor calls it (`LC3/P12`, `gpon-0/3/12`).
    """
    name, _, onu = claim_name.rpartition("/")
    numbers = re.findall(r"\d+", name)
    slug = ".".join(numbers) or name
    attributes: dict[str, str | int] = {
        "device": olt,
        "name": name,
        "slot": int(numbers[-2]) if len(numbers) > 1 else 0,
        "port": int(numbers[-1]) if numbers else 0,
        "onu": int(onu) if onu.isdigit() else 1,
        "slug": slug,
        "onu_slug": f"{slug}.{onu}",
    }
    objects = () if claim is None else (ObjectRef("dcim.interfaces", claim),)
    return Allocation(need.mark, need.kind, need.service, attributes, objects, label(need))
