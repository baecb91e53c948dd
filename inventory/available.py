"""What NetBox itself gives out without races: the next free VLAN, address or prefix of a pool (`available-*`).

A batch asks for as many as it needs in one POST, all or none. A pool may consist of several sources (prefixes with the same description);
they are used in order. NetBox holds one lock per kind of resource, over all pools, while it gives: few large requests, not many small ones.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from engine.errors import InventoryIncomplete
from engine.ports import Allocation, Need, Shortage
from inventory.client import BULK, NetBox, chunks
from inventory.fields import AllocState, JsonObject, marked, message
from inventory.needs import Results, label, obstacle, pool_of
from inventory.refusal import ClaimLost, NotFound, PoolEmpty

BLIND = 3
"""How often a request that collided with somebody's own choice of a VLAN or address is sent again."""


class AskedBefore(Exception):
    """What is to be created bears our mark already: an earlier attempt took it."""

    def __init__(self, refused: ClaimLost) -> None:
        """Keep NetBox's own words."""
        super().__init__(str(refused))
        self.refused = refused


@dataclass(frozen=True)
class Source:
    """Where resources come from: `path` is that of its `available-*` list; `key` its object's id."""

    path: str
    key: int


class Kind(Protocol):
    """One kind of resource that NetBox gives out."""

    name: str

    def sources(self, pool: str, *, afresh: bool = False) -> Sequence[Source]:
        """The sources of a pool, in order. Raises InventoryIncomplete when NetBox has no such pool."""

    def body(self, need: Need) -> JsonObject:
        """What the kind wants said besides the marks."""

    def allocation(self, need: Need, row: JsonObject) -> Allocation:
        """The allocation that an object of this kind stands for. `row` has no id when it is only expected."""

    def shown(self, need: Need, free: Sequence[JsonObject], count: int) -> list[JsonObject]:
        """The first `count` of what a source shows as free, as objects like need's."""


class Available:
    """The pools of one kind. Safe to use from several threads."""

    def __init__(self, client: NetBox, kind: Kind) -> None:
        """Give out `kind`."""
        self._client = client
        self._kind = kind
        self._full: set[str] = set()
        self._lock = threading.Lock()

    def resolve(self, needs: Sequence[Need]) -> None:
        """Make sure that the pools exist. Raises InventoryIncomplete."""
        for pool in sorted({pool_of(need) for need in needs}):
            self._kind.sources(pool)

    def take(self, needs: Sequence[Need], results: Results) -> None:
        """Take what the needs ask for; every need gets a result, one whose required ones are short is not taken.

        Raises AskedBefore, InventoryError; `results` then has what was granted before.
        """
        for pool, part in self._pools(needs, results):
            tried: set[str] = set()
            rest = self._from_pool(pool, part, results, tried, afresh=False)
            if rest:  # before it is said that nothing is left: is there a new source?
                rest = self._from_pool(pool, rest, results, tried, afresh=True)
            results.update({need.mark: _shortage(need) for need in rest})

    def expected(self, needs: Sequence[Need], results: Results) -> None:
        """Say what `take` would most likely give. Only reads."""
        for pool, part in self._pools(needs, results):
            rest = list(part)
            for source in self._kind.sources(pool):
                if rest:
                    free = self._kind.shown(rest[0], self._client.free(source.path, limit=len(rest)), len(rest))
                    results.update({need.mark: self._kind.allocation(need, row) for need, row in zip(rest, free, strict=False)})
                    rest = rest[len(free) :]
            results.update({need.mark: _shortage(need) for need in rest})

    def freed(self) -> None:
        """Something was released: no source is known to be full."""
        with self._lock:
            self._full.clear()

    def _pools(self, needs: Sequence[Need], results: Results) -> list[tuple[str, list[Need]]]:
        open_ = []
        for need in (need for need in needs if need.mark not in results):
            found = obstacle(need, results)
            if found is None:
                open_.append(need)
            else:
                results[need.mark] = found
        return [(pool, list(part)) for pool, part in groupby(sorted(open_, key=pool_of), key=pool_of)]

    def _from_pool(self, pool: str, needs: Sequence[Need], results: Results, tried: set[str], *, afresh: bool) -> list[Need]:
        """Take from the sources of a pool that were not `tried`, those that were full last time last; return what was not met."""
        rest = list(needs)
        sources = [source for source in self._kind.sources(pool, afresh=afresh) if source.path not in tried]
        for source in sorted(sources, key=lambda source: source.path in self._full):
            for part in chunks(rest, BULK):
                granted = self._from_source(source, part, results)
                rest = rest[granted:]
                if granted < len(part):
                    break
            if not rest:
                break
            tried.add(source.path)
        return rest

    def _from_source(self, source: Source, needs: Sequence[Need], results: Results) -> int:
        """Take for as many of the needs as the source has, in their order, and return how many that were.

        NetBox gives all or none: when there is not enough, half is asked for.
        """
        try:
            rows = self._post(source, needs)
        except PoolEmpty:
            if len(needs) == 1:
                with self._lock:
                    self._full.add(source.path)
                return 0
            half = (len(needs) + 1) // 2
            granted = self._from_source(source, needs[:half], results)
            return granted + (self._from_source(source, needs[half:], results) if granted == half else 0)
        except NotFound:  # deleted; the pool is read afresh
            return 0
        results.update({need.mark: self._kind.allocation(need, row) for need, row in zip(needs, rows, strict=True)})
        if any((row.get("custom_fields") or {}).get("order_item") is None for row in rows):
            raise InventoryIncomplete(f"NetBox has no custom field 'order_item' for what {self._kind.name} gives")
        return len(needs)

    def _post(self, source: Source, needs: Sequence[Need]) -> list[JsonObject]:
        bodies = [body_of(need) | self._kind.body(need) for need in needs]
        for attempt in range(BLIND):
            try:
                return self._client.take(source.path, bodies)
            except ClaimLost as lost:
                if lost.indexes is not None:  # said by validation: our own mark (a VLAN's name) is there
                    raise AskedBefore(lost) from None
                if attempt == BLIND - 1:
                    raise
        raise AssertionError("unreachable")


def body_of(need: Need) -> JsonObject:
    """Return what is said of everything that NetBox gives: whose it is."""
    return {
        "status": "reserved",
        "description": f"{need.service} {need.mark.order}".strip(),
        "custom_fields": marked(need.mark, need.service, AllocState.RESERVED),
        "changelog_message": message("reserved", need.mark),
    }


def _shortage(need: Need) -> Shortage:
    return Shortage(need.mark, True, label(need), f"nothing is left in the pool {pool_of(need)}")
