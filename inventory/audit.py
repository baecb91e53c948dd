"""Audit: resources in NetBox without an order, and orders without their resources. Only reads.

What bears the tag `imported` serves customers that were not provisioned by us and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from engine.ports import Allocation, ItemState
from inventory.client import Filters, NetBox
from inventory.fields import CLAIM, IMPORTED, AllocState
from inventory.lifecycle import DEVICES, INTERFACES, path
from inventory.rows import Device, Interface, Row, parse

_HELD: Filters = {"cf_alloc_state": [state.value for state in AllocState if state is not AllocState.FREE]}
LISTS: Mapping[str, tuple[type[Row], Filters]] = {
    # claims are looked at with or without marks: one without occupies its port all the same
    INTERFACES: (Interface, {"type": "virtual"}),
    DEVICES: (Device, {**_HELD, "role": "ont", "exclude": "config_context"}),
    "ipam.vlans": (Row, _HELD),
    "ipam.ip-addresses": (Row, _HELD),
    "ipam.prefixes": (Row, _HELD),
}
"""Models that orders hold objects of, and how those are found."""


@dataclass(frozen=True)
class Known:
    """An allocation that the order layer knows, and in which state it should be."""

    allocation: Allocation
    state: ItemState


Kind = Literal["orphan", "doubled", "missing", "foreign", "state"]


class Finding(BaseModel):
    """One thing that does not fit.

    `orphan`: nobody knows of it; `doubled`: bears the mark of an allocation that has another object; `missing`: an order has it, NetBox
    does not; `foreign`: an order has it, NetBox says it is somebody else's; `state`: they disagree on whether it is in use.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    model: str
    id: int
    name: str
    mark: str
    """Order, item and name of the reservation, as far as known."""
    message: str
    url: str
    """Its page in NetBox."""


class AuditReport(BaseModel):
    """What an audit saw."""

    model_config = ConfigDict(frozen=True)

    findings: tuple[Finding, ...]
    looked_at: dict[str, int]
    """Objects read, by model; those tagged as imported are not among them."""

    @property
    def clean(self) -> bool:
        """Whether everything fits."""
        return not self.findings


def audit(client: NetBox, known: Sequence[Known]) -> AuditReport:
    """Compare NetBox with what the orders hold: five lists, 1,000 objects a request. Raises InventoryError.

    What is reserved or released while it runs may show up as a finding: look twice before anything is done about one.
    """
    there = {model: _read(client, model) for model in LISTS}
    findings = tuple(_Comparison(client.url, known).findings(there))
    return AuditReport(findings=findings, looked_at={model: len(rows) for model, rows in there.items()})


class _Comparison:
    """The two sides: objects in NetBox, and those that orders hold."""

    def __init__(self, url: str, known: Sequence[Known]) -> None:
        self._url = url
        self._held = {(ref.model, ref.id): one for one in known for ref in one.allocation.objects}
        self._marks = {(ref.model, str(one.allocation.mark)) for one in known for ref in one.allocation.objects}

    def findings(self, there: Mapping[str, Mapping[int, Row]]) -> Iterator[Finding]:
        for model, rows in there.items():
            yield from (self._without_order(model, row) for row in rows.values() if (model, row.id) not in self._held)
        for (model, key), one in self._held.items():
            found = self._of_order(model, key, there.get(model, {}).get(key), one)
            if found is not None:
                yield found

    def _without_order(self, model: str, row: Row) -> Finding:
        mark = row.custom_fields.order_item or row.custom_fields.order_id or ""
        if (model, mark) in self._marks:
            return self._finding("doubled", model, row, mark, "bears the mark of an allocation that has another object")
        text = f"is marked for {mark}, which no order holds" if mark else "is taken, nobody knows by whom"
        return self._finding("orphan", model, row, mark, text)

    def _of_order(self, model: str, key: int, row: Row | None, one: Known) -> Finding | None:
        mark, owner = str(one.allocation.mark), row.custom_fields.order_item if row is not None else None
        if row is None:
            if model == DEVICES and one.state == "reserved":  # labelled late: until then its claim says whose it is
                return None
            gone = Row(id=key, display=", ".join(f"{name}={value}" for name, value in one.allocation.attributes.items()))
            return self._finding("missing", model, gone, mark, "an order holds it, NetBox does not have it or shows it as free")
        if owner != mark:
            return self._finding("foreign", model, row, mark, f"an order holds it, NetBox says it belongs to {owner or 'nobody'}")
        if row.custom_fields.alloc_state != one.state:
            return self._finding("state", model, row, mark, f"is {one.state} for its order and {row.custom_fields.alloc_state} in NetBox")
        return None

    def _finding(self, kind: Kind, model: str, row: Row, mark: str, text: str) -> Finding:
        name = f"{row.device.name} {row.name}" if isinstance(row, Interface) else row.display
        return Finding(kind=kind, model=model, id=row.id, name=name, mark=mark, message=text, url=f"{self._url}/{path(model)}/{row.id}/")


def _read(client: NetBox, model: str) -> dict[int, Row]:
    kind, filters = LISTS[model]
    rows = (parse(kind, row) for row in client.read(path(model), {**filters, "tag__n": IMPORTED}))
    return {row.id: row for row in rows if IMPORTED not in row.tags and (_is_claim(row) if isinstance(row, Interface) else _is_ours(row))}


def _is_ours(row: Row) -> bool:
    """Whether an order has to do with it: people put things into quarantine as well."""
    return row.custom_fields.alloc_state != AllocState.QUARANTINE.value or row.custom_fields.order_item is not None


def _is_claim(row: Interface) -> bool:
    """Whether it occupies something. Other virtual interfaces (loopbacks, subinterfaces of uplinks) are not our business."""
    below = row.parent is not None and row.name.startswith(f"{row.parent.name}/")
    return below or row.name == CLAIM or row.custom_fields.order_item is not None
