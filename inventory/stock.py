"""ONTs in stock: what is free of one model, as far as we know.

An ONT is a device with role `ont` and status `inventory`, unmarked. It is claimed by the interface `claim` on it, which can be created only
once; its status follows later (`inventory.lifecycle`), so the list of stock alone does not say what is free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.errors import InventoryIncomplete
from engine.ports import Allocation, Need, ObjectRef
from inventory.client import NetBox
from inventory.fields import CLAIM, QUARANTINE_TAG, AllocState
from inventory.look import Candidate, Fetch, View
from inventory.needs import label
from inventory.refusal import UnknownReference
from inventory.rows import Device, Interface, Plain, natural, parse
from inventory.sites import Sites

KIND = "stock"
ROLE = "ont"
PAGE = 100
"""ONTs read at a time: enough for a batch, little next to a warehouse."""
SPARE = 4
FIELDS = "id,name,asset_tag,serial,status,device_type,site,tags,custom_fields,interface_count"


class _TypeId(Plain):
    id: int


class Warehouse:
    """The ONTs of one model in stock, everywhere or at one site."""

    def __init__(self, client: NetBox, sites: Sites, model: str, site: str | None) -> None:
        """Know nothing yet."""
        self.client = client
        self.sites = sites
        self.model = model
        self.site = site
        self.names: frozenset[str] = frozenset()
        """Names of the interfaces that ONTs of this model have of themselves."""
        self.generation = 0
        """Counts how often everything was forgotten."""
        self._type: dict[str, str | int] = {"device_type": model.lower()}
        self._devices: dict[int, Device] = {}
        self._offered: set[int] = set()
        self._claimed: set[int] = set()

    def search(self) -> StockSearch:
        """Begin a search."""
        return StockSearch(self)

    def took(self, candidate: Candidate, _claim: int | None, /) -> None:
        """An ONT is taken."""
        self._claimed.add(candidate.device)

    def freed(self, candidate: Candidate, _claim: int, /) -> None:
        """A claim was deleted: its ONT is on offer again, by what we knew or by what the next list says."""
        self._claimed.discard(candidate.device)
        if candidate.device not in self._offered:
            self._offered.clear()

    def forget(self) -> None:
        """Know nothing any more."""
        self._offered.clear()
        self._claimed.clear()
        self.generation += 1

    def shortage(self) -> str:
        """Say of what there is none."""
        return f"no free {self.model} in stock" + (f" at {self.site}" if self.site else "")

    def allocation(self, need: Need, candidate: Candidate, claim: int | None) -> Allocation:
        """Return the ONT as what the order layer gets."""
        return ont_allocation(need, self._devices[candidate.device], claim)

    def free(self, taken: frozenset[Candidate]) -> list[int]:
        """Return the ids of what is not known to be claimed, by asset tag."""
        busy = self._claimed | {candidate.device for candidate in taken}
        return sorted(self._offered - busy, key=lambda key: natural(asset_tag(self._devices[key])))

    def take_in(self, devices: Sequence[Device], *, first: bool, keep: frozenset[int]) -> None:
        """Take in a page of the list. With the first, claims are forgotten but for those on `keep`: others may have released them.

        What is no longer in the list stays on offer until a look finds it gone: another search may be in the middle of the list.
        """
        if first:
            self._claimed &= keep
        for device in devices:
            if device.custom_fields.alloc_state in (None, "", AllocState.FREE.value) and QUARANTINE_TAG not in device.tags:
                self._devices[device.id] = device
                self._offered.add(device.id)

    def see(self, view: View, rows: Sequence[Interface]) -> None:
        """Take in what a view shows: who is claimed, and who is no longer in stock (then nothing of it is shown)."""
        shown: dict[int, set[str]] = {}
        for row in rows:
            shown.setdefault(row.device.id, set()).add(row.name)
        for key in view.devices & self._offered:
            names = shown.get(key, set())
            self.names |= names - {CLAIM}
            if CLAIM in names:
                self._claimed.add(key)
            elif not names and self._devices[key].interface_count != 0:  # one without any interface is believed what the list says
                self._offered.discard(key)

    def page(self, offset: int) -> list[Device]:
        """Read a page of the list of stock from NetBox."""
        place = {"site_id": self.sites.id(self.site)} if self.site else {}
        filters = {"role": ROLE, "status": "inventory", "fields": FIELDS, "ordering": "asset_tag"} | place
        try:
            rows = self.client.read("dcim/devices", filters | self._type, limit=PAGE, offset=offset)
        except UnknownReference:
            # a device type whose slug is not its model in small letters: NetBox refuses a slug that it does not have
            if "device_type_id" in self._type:
                raise
            self._type = {"device_type_id": self._type_id()}
            rows = self.client.read("dcim/devices", filters | self._type, limit=PAGE, offset=offset)
        return [parse(Device, row) for row in rows]

    def _type_id(self) -> int:
        types = self.client.read("dcim/device-types", {"model": self.model})
        if not types:
            raise InventoryIncomplete(f"NetBox has no device type {self.model!r}")
        return parse(_TypeId, types[0]).id


class StockSearch:
    """One call's search for ONTs: the list page by page as long as what is known does not do, and a look at the candidates."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Begin."""
        self._warehouse = warehouse
        self._begin()

    def _begin(self) -> None:
        self._generation = self._warehouse.generation
        self._offset: int | None = 0
        """Where the next page of the list begins; None: this search has read it to its end."""
        self._looked: frozenset[int] = frozenset()

    def fetch(self, count: int, taken: frozenset[Candidate]) -> Fetch | None:
        """See `inventory.look.Search`: the next page of the list when what is known does not do."""
        if self._generation != self._warehouse.generation:
            self._begin()
        return self._next_page if self._offset is not None and len(self._warehouse.free(taken)) < count else None

    def view(self, count: int, taken: frozenset[Candidate]) -> View | None:
        """See `inventory.look.Search`: the candidates that this search has not looked at."""
        free = self._warehouse.free(taken)
        if self._looked.issuperset(free[:count]):
            return None
        unlooked = frozenset(free[: count + SPARE]) - self._looked
        self._looked |= unlooked
        names = self._warehouse.names
        return View(unlooked, names | {CLAIM} if names else None)

    def see(self, view: View, rows: Sequence[Interface]) -> None:
        """See `inventory.look.Search`."""
        self._warehouse.see(view, rows)

    def candidates(self, count: int, taken: frozenset[Candidate]) -> list[Candidate]:
        """See `inventory.look.Search`."""
        return [Candidate(key, CLAIM) for key in self._warehouse.free(taken)[:count]]

    def _next_page(self) -> Callable[[], None]:
        offset = self._offset or 0
        devices = self._warehouse.page(offset)
        self._offset = offset + PAGE if len(devices) == PAGE else None
        return lambda: self._warehouse.take_in(devices, first=offset == 0, keep=self._looked)


def asset_tag(device: Device) -> str:
    """Return what an ONT is known by: asset tags are unique in NetBox, serial numbers are not."""
    return device.asset_tag or device.serial or device.name or ""


def ont_allocation(need: Need, device: Device, claim: int | None) -> Allocation:
    """Return the allocation that the claim on an ONT stands for. `oui`: the manufacturer's (TR-069), six hex digits."""
    fields = device.custom_fields
    mac = (fields.mac_address or "").upper()
    attributes: dict[str, str | int] = {
        "model": device.device_type.model,
        "serial": device.serial or asset_tag(device),
        "pon_serial": fields.pon_serial or device.serial,
        "mac": mac,
        "asset_tag": asset_tag(device),
        "oui": fields.oui or mac.replace(":", "")[:6],
    }
    objects = () if claim is None else (ObjectRef("dcim.interfaces", claim), ObjectRef("dcim.devices", device.id))
    return Allocation(need.mark, need.kind, need.service, attributes, objects, label(need))
