"""What becomes of allocations: reserved -> active, or given back. Off the critical path of an order, in bulk, and looked at before.

Objects are addressed by the ids that were kept, and an id means something else in another NetBox or after a restore. So every object
is read first and left alone unless it bears the mark of the allocation: nothing of anybody else's is ever changed or deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.errors import InventoryIncomplete, InventoryUnreachable
from engine.ports import Allocation
from inventory.client import KEYS, NetBox, chunks
from inventory.fields import CLAIM, UNMARKED, AllocState, JsonObject, marked, message
from inventory.refusal import ClaimLost
from inventory.rows import Device, Interface, Row, parse

DEVICES = "dcim.devices"
INTERFACES = "dcim.interfaces"
ORDER = ("ipam.prefixes", "ipam.ip-addresses", "ipam.vlans", DEVICES, INTERFACES)
"""Models in the order in which they are given back: the reverse of that in which they are taken. An ONT is put back to stock before
its claim goes, so that nobody takes it in between."""
ATTEMPTS = 3
"""How often is read and written again when somebody else changed an object in between."""

Refs = Mapping[int, Allocation]
"""Ids of objects of one model, and what they belong to."""


@dataclass(frozen=True)
class Held:
    """An object of an allocation as it is in NetBox."""

    allocation: Allocation
    row: Row


def path(model: str) -> str:
    """Return the path of a model's list: `ipam.ip-addresses` -> `ipam/ip-addresses`."""
    return model.replace(".", "/", 1)


class Lifecycle:
    """Changes what allocations stand for in NetBox."""

    def __init__(self, client: NetBox) -> None:
        """Write with `client`."""
        self._client = client

    def activate(self, allocations: Sequence[Allocation]) -> None:
        """Mark as in use; what is so already is left as it is.

        Raises InventoryIncomplete when something is not there any more or is somebody else's; the others are done nevertheless.
        """
        by_model = _by_model(allocations)
        there: set[tuple[str, int]] = set()
        claims = self._write(INTERFACES, by_model.get(INTERFACES, {}), _in_use, _activation)
        owned = _claimed_devices(claims)
        onts = self._write(DEVICES, {key: held for key, held in by_model.get(DEVICES, {}).items() if key in owned}, _in_use, _shipment)
        there |= {(INTERFACES, held.row.id) for held in claims} | {(DEVICES, held.row.id) for held in onts}
        for model in by_model.keys() - {INTERFACES, DEVICES}:
            there |= {(model, held.row.id) for held in self._write(model, by_model[model], _in_use, _use)}
        missing = {str(held.mark) for model, refs in by_model.items() for key, held in refs.items() if (model, key) not in there}
        if missing:
            names = ", ".join(sorted(missing))
            raise InventoryIncomplete(f"NetBox no longer has what was given to {names}", remedy="Run `turnup inventory audit`.")

    def label(self, onts: Sequence[Allocation]) -> None:
        """Show on ONTs that were claimed that they are no longer stock: status planned, and whose they are."""
        by_model = _by_model(onts)
        owned = _claimed_devices(self.held(INTERFACES, by_model.get(INTERFACES, {})))
        self._write(DEVICES, {key: held for key, held in by_model.get(DEVICES, {}).items() if key in owned}, _labelled, _plan)

    def release(self, allocations: Sequence[Allocation]) -> list[Interface]:
        """Give back; what is gone is gone, and what is somebody else's by now is left alone. Returns the claims that were deleted."""
        by_model = _by_model(allocations)
        claims = self.held(INTERFACES, by_model.get(INTERFACES, {}))
        owned = _claimed_devices(claims)
        for model in ORDER:
            refs = by_model.get(model, {})
            if model == DEVICES:
                self._write(model, {key: held for key, held in refs.items() if key in owned}, _in_stock, _restock)
            else:
                held = claims if model == INTERFACES else self.held(model, refs)
                self._client.delete(path(model), {each.row.id: message("released", each.allocation.mark) for each in held})
        return [each.row for each in claims if isinstance(each.row, Interface)]

    def quarantine(self, allocations: Sequence[Allocation], until: datetime) -> None:
        """Show that nobody uses them any more, and that nobody gets them before `until`; what is gone is gone."""
        by_model = _by_model(allocations)

        def body(allocation: Allocation) -> JsonObject:
            fields = marked(allocation.mark, allocation.service, AllocState.QUARANTINE)
            text = message(f"in quarantine until {until:%Y-%m-%d %H:%M}", allocation.mark)
            return {"custom_fields": {**fields, "reserved_until": until.isoformat(timespec="seconds")}, "changelog_message": text}

        claims = self._write(INTERFACES, by_model.get(INTERFACES, {}), _in_quarantine, body)
        owned = _claimed_devices(claims)
        self._write(DEVICES, {key: held for key, held in by_model.get(DEVICES, {}).items() if key in owned}, _in_quarantine, body)
        for model in by_model.keys() - {INTERFACES, DEVICES}:
            self._write(model, by_model[model], _in_quarantine, body)

    def give_back(self, allocations: Sequence[Allocation]) -> None:
        """Give back what the caller has just created itself, without a look; its ONTs are not labelled yet."""
        by_model = _by_model(allocations)
        for model in (model for model in ORDER if model != DEVICES):
            refs = by_model.get(model, {})
            self._client.delete(path(model), {key: message("not kept", allocation.mark) for key, allocation in refs.items()})

    def held(self, model: str, refs: Refs) -> list[Held]:
        """Return those of the objects that bear the mark of their allocation, and devices that bear none: those are labelled late."""
        kind: type[Row] = Device if model == DEVICES else Interface if model == INTERFACES else Row
        found = []
        for part in chunks(sorted(refs), KEYS):
            for row in self._client.read(path(model), {"id": part, "exclude": "config_context"}):
                parsed = parse(kind, row)
                mark = parsed.custom_fields.order_item
                if mark == str(refs[parsed.id].mark) or (model == DEVICES and not mark):
                    found.append(Held(refs[parsed.id], parsed))
        return found

    def _write(self, model: str, refs: Refs, done: Callable[[Row], bool], body: Callable[[Allocation], JsonObject]) -> list[Held]:
        """Change what is not `done`, and return what is there. Read and written again when it was changed in between (NetBox 4.6)."""
        for attempt in range(ATTEMPTS):
            held = self.held(model, refs)
            todo = [each for each in held if not done(each.row)]
            try:
                seen = [each.row.last_updated for each in todo]
                self._client.update(path(model), [{"id": each.row.id, **body(each.allocation)} for each in todo], seen=seen)
            except ClaimLost as changed:
                if attempt == ATTEMPTS - 1:
                    raise InventoryUnreachable(f"Somebody else keeps changing what is to be written: {changed.message}") from None
            else:
                break
        return held


def _by_model(allocations: Sequence[Allocation]) -> dict[str, dict[int, Allocation]]:
    found: dict[str, dict[int, Allocation]] = {}
    for allocation in allocations:
        for ref in allocation.objects:
            found.setdefault(ref.model, {})[ref.id] = allocation
    return found


def _claimed_devices(claims: Sequence[Held]) -> set[int]:
    """The ONTs whose claim is ours."""
    return {each.row.device.id for each in claims if isinstance(each.row, Interface) and each.row.name == CLAIM}


def _in_use(row: Row) -> bool:
    return row.custom_fields.alloc_state == AllocState.ACTIVE.value and (not isinstance(row, Device) or row.status == "active")


def _in_quarantine(row: Row) -> bool:
    return row.custom_fields.alloc_state == AllocState.QUARANTINE.value


def _in_stock(row: Row) -> bool:
    return isinstance(row, Device) and row.status == "inventory" and row.custom_fields.order_item is None


def _labelled(row: Row) -> bool:
    return row.custom_fields.order_item is not None


def _plan(allocation: Allocation) -> JsonObject:
    fields = marked(allocation.mark, allocation.service, AllocState.RESERVED)
    return {"status": "planned", "custom_fields": fields, "changelog_message": message("planned", allocation.mark)}


def _activation(allocation: Allocation) -> JsonObject:
    fields = marked(allocation.mark, allocation.service, AllocState.ACTIVE)
    return {"custom_fields": fields, "changelog_message": message("active", allocation.mark)}


def _use(allocation: Allocation) -> JsonObject:
    return {**_activation(allocation), "status": "active"}


def _shipment(allocation: Allocation) -> JsonObject:
    fields = marked(allocation.mark, allocation.service, AllocState.ACTIVE)
    return {
        "status": "active",
        "custom_fields": {**fields, "shipped": True},
        "changelog_message": message("shipped, active", allocation.mark),
    }


def _restock(allocation: Allocation) -> JsonObject:
    fields = {**UNMARKED, "shipped": False, "reserved_until": None}
    return {"status": "inventory", "custom_fields": fields, "changelog_message": message("back to stock from", allocation.mark)}
