"""What is on the warehouse's books: every shipping order, on disk."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lab.documents import Documents
from lab.logistics.model import DEFAULT_HOURS, Parcel, ShippingOrder, Status, checked_hours

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
        return self._last("external", external_id)

    def by_tracking_code(self, code: str) -> Parcel | None:
        """Return the parcel with this code."""
        return self.get(f"SHO-{code.removeprefix('LP')}")

    def delivered(self, serial: str) -> Parcel | None:
        """Return the parcel that brings, or brought, a router to a customer: the last one."""
        return self._last("serial", serial)

    def hours(self) -> dict[str, float | None]:
        """Return the hours that orders have when they do not say themselves."""
        return {**DEFAULT_HOURS, **(self._documents.get("hours", "usual") or {})}

    def set_hours(self, given: dict[str, Any]) -> None:
        """Let orders have other hours from now on, when they do not say themselves. Raises ValueError."""
        self._documents.put("hours", "usual", {**self.hours(), **checked_hours(given)})

    def accept(self, given: dict[str, Any], now: datetime) -> Parcel:
        """Take an order in. Raises Conflict for an external id that is taken, or a router that is not where the order needs it."""
        order = ShippingOrder.model_validate(given)
        hours = order.hours(self.hours())
        serial = order.parcel.product.productSerialNumber
        self._refuse_taken(order.externalId)
        if order.is_return:
            self._refuse_not_at_the_customer(serial)
        else:
            self._refuse_not_in_stock(serial)
        number = f"{self._documents.next_number('parcel', _FIRST):06}"
        parcel = Parcel(
            id=f"SHO-{number}",
            tracking_code=f"LP{number}",
            order=given,
            callback=order.callback,
            ordered=now,
            due=order.due(now, hours),
            hours_until_returned=hours["hoursUntilReturned"],
            history=[(Status.ACKNOWLEDGED, now)],
        )
        with self._documents.transaction():
            self.keep(parcel)
            self._documents.put("return" if order.is_return else "serial", serial, {"parcel": parcel.id})
            if order.externalId:
                self._documents.put("external", order.externalId, {"parcel": parcel.id})
        return parcel

    def _refuse_taken(self, external_id: str | None) -> None:
        other = self.by_external_id(external_id) if external_id else None
        if other is not None and not other.is_void:
            raise Conflict("duplicate", "Conflict", f"externalId {external_id!r} is in shipping order {other.id} already")

    def _refuse_not_in_stock(self, serial: str) -> None:
        out, back = self.delivered(serial), self._last("return", serial)
        if out is None or out.status in (Status.CANCELLED, Status.RETURNED):
            return
        if back is not None and back.id > out.id and back.status is Status.RETURNED:
            return
        if out.status is Status.RECALLED:
            raise Conflict("notInStock", "Conflict", f"router {serial} is still on its way back with shipping order {out.id}")
        raise Conflict("duplicate", "Conflict", f"router {serial} is in shipping order {out.id} already")

    def _refuse_not_at_the_customer(self, serial: str) -> None:
        out, back = self.delivered(serial), self._last("return", serial)
        if out is not None and out.status is not Status.DELIVERED:
            raise Conflict("notDelivered", "Conflict", f"no customer has router {serial}: shipping order {out.id} is {out.status}")
        if back is not None and back.status is not Status.CANCELLED and (out is None or back.id > out.id):
            raise Conflict("duplicate", "Conflict", f"router {serial} is in shipping order {back.id} already")

    def _last(self, collection: str, key: str) -> Parcel | None:
        holder = self._documents.get(collection, key)
        return self.get(holder["parcel"]) if holder else None

    def move(self, parcel: Parcel, status: Status, at: datetime) -> None:
        """Note that a parcel has a new status since `at`."""
        parcel.status = status
        parcel.history.append((status, at))
        self.keep(parcel)

    def keep(self, parcel: Parcel) -> None:
        """Write a parcel."""
        self._documents.put("parcel", parcel.id, parcel.model_dump(mode="json"))
