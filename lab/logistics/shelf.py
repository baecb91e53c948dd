"""What is on the warehouse's books: every shipping order, on disk."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lab.documents import Documents
from lab.logistics.model import Parcel, ShippingOrder, Status

_FIRST = 1


class Conflict(ValueError):
    """What the warehouse cannot do as things stand; `code` is TMF630's error code, `reason` says why in general."""

    def __init__(self, code: str, reason: str, message: str) -> None:
        """Take the words of the answer."""
        super().__init__(message)
        self.code = code
        self.reason = reason


class Shelf:
    """The parcels by id."""

    def __init__(self, documents: Documents) -> None:
        """Use the documents of the stand-in."""
        self._documents = documents

    def __iter__(self) -> Iterator[Parcel]:
        """Give every parcel."""
        return (Parcel.model_validate(document) for _, document in self._documents.all("parcel"))

    def get(self, parcel_id: str) -> Parcel | None:
        """Return one parcel."""
        document = self._documents.get("parcel", parcel_id)
        return Parcel.model_validate(document) if document else None

    def by_external_id(self, external_id: str) -> Parcel | None:
        """Return the parcel of who ordered it under this id."""
        holder = self._documents.get("external", external_id)
        return self.get(holder["parcel"]) if holder else None

    def by_tracking_code(self, code: str) -> Parcel | None:
        """Return the parcel with this code."""
        return self.get(f"SHO-{code.removeprefix('LP')}")

    def accept(self, given: dict[str, Any], now: datetime) -> Parcel:
        """Take an order in. Raises Conflict for an external id that is taken, or a router that is in another parcel already."""
        order = ShippingOrder.model_validate(given)
        serial = order.parcel.product.productSerialNumber
        for name, key in (("external", order.externalId), ("serial", serial)):
            holder = self._documents.get(name, key) if key else None
            other = self.get(holder["parcel"]) if holder else None
            if other is not None and other.status is not Status.CANCELLED:
                what = f"externalId {key!r}" if name == "external" else f"router {serial}"
                raise Conflict("duplicate", "Conflict", f"{what} is in shipping order {other.id} already")
        due = order.due(now)
        number = f"{self._documents.next_number('parcel', _FIRST):06}"
        history = [(Status.ACKNOWLEDGED, now)]
        parcel = Parcel(
            id=f"SHO-{number}", tracking_code=f"LP{number}", order=given, callback=order.callback, ordered=now, due=due, history=history
        )
        with self._documents.transaction():
            self.keep(parcel)
            self._documents.put("serial", serial, {"parcel": parcel.id})
            if order.externalId:
                self._documents.put("external", order.externalId, {"parcel": parcel.id})
        return parcel

    def move(self, parcel: Parcel, status: Status, at: datetime) -> None:
        """Note that a parcel has a new status since `at`."""
        parcel.status = status
        parcel.history.append((status, at))
        self.keep(parcel)

    def keep(self, parcel: Parcel) -> None:
        """Write a parcel."""
        self._documents.put("parcel", parcel.id, parcel.model_dump(mode="json"))
