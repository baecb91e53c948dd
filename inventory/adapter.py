"""NetBox as the order layer's inventory (`engine.ports.Inventory`).

A lone order costs five requests: one look at port and ONT, one bulk POST that claims both, and one POST each for VLAN, IPv4 and IPv6.
A batch costs the same, whatever its size (100 claims or pool objects per POST). What this rests on: docs/decisions, "create-to-claim".
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock

from engine.errors import InventoryError, InventoryUnreachable
from engine.ports import Allocation, Mark, Need, Shortage, Site
from inventory import claims as claiming
from inventory import stock
from inventory.addresses import Addresses, DelegatedPrefixes, PrefixPools
from inventory.available import AskedBefore, Available
from inventory.changes import Changes
from inventory.claims import Claims
from inventory.client import NetBox
from inventory.exact import Exact
from inventory.found import Finder
from inventory.lifecycle import Lifecycle
from inventory.needs import Results, label, obstacle
from inventory.session import OnCall, Patience
from inventory.sites import Sites
from inventory.vlans import Vlans

REMEMBERED = 100_000
"""Marks that this process has asked for; the oldest are forgotten."""


class NetBoxResources:
    """The resource inventory on NetBox 4.4 or later. Safe to use from several threads, lanes and processes at once."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        patience: Patience | None = None,
        ca_file: Path | None = None,
        insecure: bool = False,
        on_call: OnCall | None = None,
    ) -> None:
        """Prepare; nothing is sent before the first call. `on_call` is told of every request (metrics, tests)."""
        self.client = NetBox(url, token, patience=patience, ca_file=ca_file, insecure=insecure, on_call=on_call)
        self._sites = Sites(self.client)
        self._claims = Claims(self.client, self._sites)
        self._prefixes = PrefixPools(self.client)
        kinds = (Vlans(self.client), Addresses(self._prefixes), DelegatedPrefixes(self._prefixes))
        self._pools = {kind.name: Available(self.client, kind) for kind in kinds}
        self._exact = Exact(self.client, self._sites, {kind.name: kind for kind in kinds})
        self._finder = Finder(self.client, kinds)
        self._lifecycle = Lifecycle(self.client)
        self._changes = Changes(self.client, self._sites)
        self._asked: OrderedDict[Mark, None] = OrderedDict()
        self._unlabelled: dict[Mark, Allocation] = {}
        """ONTs that were claimed and still look like stock."""
        self._lock = Lock()
        self._labelling = Lock()

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def site(self, name: str) -> Site:
        """Facts of an exchange, at most a minute old. Raises InventoryIncomplete when there is no such site."""
        return self._sites.get(name).facts

    def reserve(self, needs: Sequence[Need], *, again: bool = False) -> Mapping[Mark, Allocation | Shortage]:
        """Take what is asked for; see `engine.ports.Inventory`.

        A first attempt pays for no look-up. It is made when `again` is said, when this process asked for one of the marks before, and when
        NetBox refuses a VLAN because its name, the mark, is there: then an attempt that nobody remembers took something, and what this call
        took is given back first.

        Raises InventoryIncomplete before anything is taken when a pool is not there. When NetBox stops answering on the way, what was
        taken stays and is found by its mark next time; after any other error it is given back.
        """
        for need in needs:
            label(need)  # refuses kinds and pools that are not, before anything is taken
        if not self._remember(needs) and not again:
            try:
                return self._reserve(needs, {})
            except AskedBefore:
                pass
        results: Results = {}
        self._recover(needs, results)
        try:
            return self._reserve(needs, results)
        except AskedBefore as error:  # a VLAN of this name that does not bear our mark
            raise error.refused from None

    def expected(self, needs: Sequence[Need]) -> Mapping[Mark, Allocation | Shortage]:
        """What `reserve` would most likely give now. Only reads."""
        results: Results = {}
        self._resolve(needs)
        self._claims.expected(_claimable(needs), results)
        for kind, pool in self._pools.items():
            pool.expected([need for need in needs if need.kind == kind], results)
        self._settle(needs, results)
        return {need.mark: results[need.mark] for need in needs}

    def pool(self, need: Need) -> str:
        """Return what is waited for when there is nothing left for this need; see `engine.ports.Inventory`."""
        return label(need)

    def changes(self, after: int | None, pools: Collection[str]) -> tuple[int, set[str]]:
        """Read on in NetBox's change log; see `engine.ports.Inventory`."""
        return self._changes.look(after, pools)

    def release(self, allocations: Sequence[Allocation], *, until: datetime | None = None) -> None:
        """Give back, in reverse order of creation, or put into quarantine; see `engine.ports.Inventory`."""
        with self._labelling:  # or an ONT would be labelled after it was put back to stock
            with self._lock:
                for allocation in allocations:
                    self._asked.pop(allocation.mark, None)
                    self._unlabelled.pop(allocation.mark, None)
            if until is not None:
                self._lifecycle.quarantine(allocations, until)
                return
            freed = self._lifecycle.release(allocations)
        self._claims.freed(freed)
        for pool in self._pools.values():
            pool.freed()

    def activate(self, allocations: Sequence[Allocation]) -> None:
        """Mark as in use; see `engine.ports.Inventory`. Raises InventoryIncomplete when something is there no longer.

        What reserving left for later is done here too: ONTs that were claimed get their status `planned`.
        """
        self._lifecycle.activate(allocations)
        with self._labelling:
            done = {allocation.mark for allocation in allocations}
            with self._lock:
                onts, self._unlabelled = {mark: ont for mark, ont in self._unlabelled.items() if mark not in done}, {}
            try:
                self._lifecycle.label(list(onts.values()))
            except InventoryError:  # it only looks better: next time
                with self._lock:
                    self._unlabelled |= onts

    def _reserve(self, needs: Sequence[Need], results: Results) -> Mapping[Mark, Allocation | Shortage]:
        known = dict(results)
        try:
            self._resolve([need for need in needs if need.mark not in results])
            self._exact.take(needs, results)
            self._claims.take(_claimable(needs), results)
            for kind, pool in self._pools.items():
                pool.take([need for need in needs if need.kind == kind], results)
            self._give_back(self._settle(needs, results), known)
        except InventoryUnreachable:
            raise  # what was taken stays: giving it back would wait for the same NetBox
        except (InventoryError, AskedBefore):
            self._give_back([found for mark, found in results.items() if isinstance(found, Allocation) and mark not in known], known)
            raise
        with self._lock:
            for mark, found in results.items():
                if isinstance(found, Shortage):
                    self._asked.pop(mark, None)  # known to have nothing: when it is asked for again, there is nothing to look up
                elif found.kind == stock.KIND:
                    self._unlabelled[mark] = found
        return {need.mark: results[need.mark] for need in needs}

    def _resolve(self, needs: Sequence[Need]) -> None:
        """Make sure that the pools exist before anything is taken from one of them."""
        self._prefixes.resolve([need for need in needs if need.kind in ("ipv4", "ipv6-prefix")])
        for kind, pool in self._pools.items():
            pool.resolve([need for need in needs if need.kind == kind])

    def _recover(self, needs: Sequence[Need], results: Results) -> None:
        """Find what earlier attempts took. What they took twice is given back."""
        found = self._finder.find(needs)
        results.update(found.allocations)
        self._lifecycle.release(found.doubled)

    def _give_back(self, allocations: Sequence[Allocation], known: Results) -> None:
        """Give back what this call took, and what it found (`known`). It happens seldom: candidates are read anew after it."""
        if allocations:
            self._lifecycle.give_back([allocation for allocation in allocations if allocation.mark not in known])
            self.release([allocation for allocation in allocations if allocation.mark in known])
            self._claims.forget()

    def _remember(self, needs: Sequence[Need]) -> bool:
        """Note the marks; return whether one of them was asked for before in this process."""
        with self._lock:
            known = any(need.mark in self._asked for need in needs)
            self._asked.update(dict.fromkeys(need.mark for need in needs))
            while len(self._asked) > REMEMBERED:
                self._asked.popitem(last=False)
        return known

    def _settle(self, needs: Sequence[Need], results: Results) -> list[Allocation]:
        """Turn what was granted without what it requires into shortages; return it, to be given back."""
        back: list[Allocation] = []
        while True:
            granted = [(need, found) for need in needs if isinstance(found := results[need.mark], Allocation)]
            unmet = [(need, found, short) for need, found in granted if (short := obstacle(need, results)) is not None]
            if not unmet:
                return back
            back += [found for _, found, _ in unmet]
            results.update({need.mark: short for need, _, short in unmet})


def _claimable(needs: Sequence[Need]) -> list[Need]:
    return [need for need in needs if need.kind in claiming.KINDS]
