"""Create-to-claim: OLT ports and ONTs are taken by creating an interface whose name is unique on its device. NetBox decides, not our reads.

All claims of a batch go into one bulk POST, all or none. A lost race costs that one request: who lost goes to the next candidate.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby

from engine.errors import InventoryIncomplete, InventoryUnreachable
from engine.ports import Mark, Need, Shortage
from inventory import ports, stock
from inventory.client import BULK, NetBox, chunks
from inventory.look import Candidate, Fetch, Search, Shelf, View, look
from inventory.needs import Results, label, obstacle, pool_of
from inventory.refusal import ClaimLost, UnknownReference
from inventory.rows import Interface, parse
from inventory.sites import Sites

PATH = "dcim/interfaces"
KINDS = (ports.KIND, stock.KIND)
BLIND = 5
"""How often a bulk claim may be lost without a word on which of its claims was, before it is given up."""

Chosen = list[tuple[Need, Candidate]]


class Claims:
    """Ports and ONTs of one NetBox. Safe to use from several threads: what one has in hand is no candidate for the others."""

    def __init__(self, client: NetBox, sites: Sites) -> None:
        """Know nothing yet."""
        self._client = client
        self._sites = sites
        self._shelves: dict[str, Shelf] = {}
        self._hand: dict[Candidate, str] = {}
        """What somebody is claiming at this moment, and from which pool."""
        self._lock = threading.Condition()

    def take(self, needs: Sequence[Need], results: Results) -> None:
        """Claim what the needs ask for; every need gets a result. A need whose required ones in `results` are short is not claimed.

        Raises InventoryError; `results` then has what was granted before.
        """
        for part in chunks(needs, BULK):
            self._take(part, results)

    def expected(self, needs: Sequence[Need], results: Results) -> None:
        """Say what `take` would most likely give. Only reads."""
        with self._chosen(self._searches(needs), needs, results) as chosen:
            for need, candidate in chosen:
                results[need.mark] = self._shelf(need).allocation(need, candidate, None)

    def forget(self) -> None:
        """Know nothing any more: the next call reads everything anew."""
        with self._lock:
            for shelf in self._shelves.values():
                shelf.forget()
        self._sites.forget()

    def freed(self, rows: Sequence[Interface]) -> None:
        """Claims were deleted: their places are on offer again."""
        with self._lock:
            for row in rows:
                for shelf in self._shelves.values():
                    shelf.freed(Candidate(row.device.id, row.name, row.parent.id if row.parent else None), row.id)

    def _take(self, needs: Sequence[Need], results: Results) -> None:
        searches = self._searches(needs)
        blind = 0
        while True:
            with self._chosen(searches, needs, results) as chosen:
                if not chosen:
                    return
                try:
                    rows = self._client.create(PATH, [candidate.claim(need) for need, candidate in chosen])
                except ClaimLost as lost:
                    blind = blind + 1 if lost.indexes is None else 0
                    if blind > BLIND:
                        raise
                    self._lost(chosen, lost)
                    searches = searches if lost.indexes is not None else self._searches(needs)  # look again: who was it?
                    continue
                self._granted(chosen, [parse(Interface, row) for row in rows], results)
                return

    def _granted(self, chosen: Chosen, rows: Sequence[Interface], results: Results) -> None:
        made = {(row.device.id, row.name): row for row in rows}
        with self._lock:
            for need, candidate in chosen:
                claim = made[candidate.device, candidate.name]
                shelf = self._shelf(need)
                shelf.took(candidate, claim.id)
                results[need.mark] = shelf.allocation(need, candidate, claim.id)
        unmarked = next((row for row in rows if row.custom_fields.order_item is None), None)
        if unmarked is not None:  # 4.4 drops a custom field that it does not have without a word
            raise InventoryIncomplete("NetBox has no custom field 'order_item' for interfaces")

    def _lost(self, chosen: Chosen, lost: ClaimLost) -> None:
        with self._lock:
            for index in lost.indexes or ():
                need, candidate = chosen[index]
                self._shelf(need).took(candidate, None)

    @contextmanager
    def _chosen(self, searches: Mapping[str, Search], needs: Sequence[Need], results: Results) -> Iterator[Chosen]:
        """Candidates for all needs that can have one, in hand as long as the block runs; the others get their shortage."""
        chosen = self._choose(searches, [need for need in needs if need.mark not in results], results)
        try:
            yield chosen
        finally:
            with self._lock:
                for _, candidate in chosen:
                    del self._hand[candidate]
                self._lock.notify_all()

    def _choose(self, searches: Mapping[str, Search], needs: Sequence[Need], results: Results) -> Chosen:
        while True:
            wanted = Counter(label(need) for need in needs if obstacle(need, results) is None)
            asked = [(searches[pool], count) for pool, count in wanted.items()]
            views: list[tuple[Search, View]] = []
            with self._lock:
                taken = frozenset(self._hand)
                fetches = [fetch for search, count in asked if (fetch := search.fetch(count, taken)) is not None]
                if not fetches:
                    views = [(search, view) for search, count in asked if (view := search.view(count, taken)) is not None]
                if not fetches and not views:
                    chosen, short = self._assign(searches, needs, results)
                    if {found.pool for found in short.values()} & set(self._hand.values()):
                        self._lock.wait()  # the last ones are in somebody's hand, who may not get them
                        continue
                    results.update(short)
                    self._hand.update((candidate, label(need)) for need, candidate in chosen)
                    return chosen
            self._read(fetches, views)

    def _read(self, fetches: Sequence[Fetch], views: Sequence[tuple[Search, View]]) -> None:
        """Read what searches ask for: the views all together."""
        found = [fetch() for fetch in fetches]
        try:
            rows = look(self._client, [view for _, view in views])
        except UnknownReference as error:  # a device that was deleted since it was listed
            self.forget()
            raise InventoryUnreachable(f"Elements changed in NetBox meanwhile; the next attempt reads anew. {error.message}") from None
        with self._lock:
            for take_in in found:
                take_in()
            for search, view in views:
                search.see(view, rows)

    def _assign(self, searches: Mapping[str, Search], needs: Sequence[Need], results: Results) -> tuple[Chosen, dict[Mark, Shortage]]:
        """Give out candidates in the order of the needs. What only an unmet need would have used is there for the others."""
        open_ = list(needs)
        without: dict[Mark, Shortage] = {}
        while True:
            chosen, short = self._deal(searches, open_)
            blocked = {need.mark: found for need in open_ if (found := obstacle(need, {**results, **without, **short})) is not None}
            if not blocked.keys() - short.keys():
                return chosen, without | short
            without |= blocked
            open_ = [need for need in open_ if need.mark not in blocked]

    def _deal(self, searches: Mapping[str, Search], needs: Sequence[Need]) -> tuple[Chosen, dict[Mark, Shortage]]:
        chosen: Chosen = []
        short: dict[Mark, Shortage] = {}
        taken = frozenset(self._hand)
        for pool, some in groupby(sorted(needs, key=label), key=label):
            asking = list(some)
            candidates = searches[pool].candidates(len(asking), taken)
            chosen += zip(asking, candidates, strict=False)
            reason = self._shelf(asking[0]).shortage()
            short |= {need.mark: Shortage(need.mark, True, pool, reason) for need in asking[len(candidates) :]}
        return chosen, short

    def _searches(self, needs: Sequence[Need]) -> dict[str, Search]:
        with self._lock:
            return {label(need): self._shelf(need).search() for need in needs}

    def _shelf(self, need: Need) -> Shelf:
        name = label(need)
        if name not in self._shelves:
            if need.kind == ports.KIND:
                self._shelves[name] = ports.Exchange(pool_of(need), self._sites)
            else:
                self._shelves[name] = stock.Warehouse(self._client, self._sites, pool_of(need), need.pool.get("site"))
        return self._shelves[name]
