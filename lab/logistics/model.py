"""Shipping orders as they come in (TMF700 v4.0), and what the warehouse and the carrier make of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator


class Status(StrEnum):
    """What became of a shipping order (free text in TMF700)."""

    ACKNOWLEDGED = "acknowledged"
    SHIPPED = "shipped"
    IN_TRANSIT = "inTransit"
    DELIVERED = "delivered"
    RECALLED = "recalled"
    """It was on the road, and the carrier has turned round."""
    RETURNED = "returned"
    """It is in the warehouse again: after a recall, or because the customer sent it back."""
    CANCELLED = "cancelled"


TRACKER_STATUS = {
    Status.ACKNOWLEDGED: "unknown",
    Status.SHIPPED: "pre_transit",
    Status.IN_TRANSIT: "in_transit",
    Status.DELIVERED: "delivered",
    Status.RECALLED: "return_to_sender",
    Status.RETURNED: "return_to_sender",
    Status.CANCELLED: "cancelled",
}
"""The carrier's word for each (EasyPost's Tracker.status)."""
RETURN_TRACKER_STATUS = {**TRACKER_STATUS, Status.ACKNOWLEDGED: "pre_transit", Status.RETURNED: "delivered"}
"""Of a return: the label is what there is first, and it is delivered to the warehouse."""

DEFAULT_HOURS: Mapping[str, float | None] = {
    "hoursUntilShipped": 0.5,
    "hoursUntilInTransit": 2.0,
    "hoursUntilDelivered": 36.0,
    "hoursUntilPluggedIn": 0.5,
    "hoursUntilHandedIn": 12.0,
    "hoursUntilReturned": 24.0,
}
"""Lab hours from the order to each state; from delivery until the router is plugged in; from the recall, or from when the customer
handed it in, until it is returned. None: never.

A shippingOrderCharacteristic of the name changes one.
"""
NEVER = datetime.max.replace(tzinfo=UTC)
"""When something is due that does not happen: a parcel that is lost, a customer who keeps the router."""
_MOST_HOURS = 10_000


class _Tmf(BaseModel):
    """A TMF type: what we do not know is kept."""

    model_config = ConfigDict(extra="allow")


class Characteristic(_Tmf):
    """A name and a value."""

    name: str
    value: JsonValue


class Product(_Tmf):
    """The thing in the parcel, and how the warehouse sets it up before it leaves: its characteristics."""

    productSerialNumber: Annotated[str, Field(min_length=1)]  # noqa: N815 TMF's spelling, here and below
    productCharacteristic: Sequence[Characteristic] = ()  # noqa: N815

    def characteristic(self, name: str) -> str | None:
        """Return a characteristic's value as text."""
        return next((str(one.value) for one in self.productCharacteristic if one.name == name), None)


class ShipmentItem(_Tmf):
    """One kind of thing in a parcel."""

    sku: str = ""
    product: Product


class Shipment(_Tmf):
    """A parcel."""

    shipmentItem: Annotated[Sequence[ShipmentItem], Field(min_length=1)]  # noqa: N815


class ShippingOrderItem(_Tmf):
    """A line of the order: what TMF700 requires, and the parcel, without which there would be nothing to ship.

    `action` is carried out on the product: `add` brings it to the customer, `delete` takes it away from there. TMF700 has no other
    word for a return.
    """

    id: str
    action: Literal["add", "delete"]
    placeFrom: Mapping[str, JsonValue] | None = None  # noqa: N815
    shipment: Shipment


class ShippingOrder(_Tmf):
    """What POST /shippingOrder takes. One router goes in a parcel, and one parcel in an order: the warehouse ships no other."""

    externalId: Annotated[str, Field(min_length=1)] | None = None  # noqa: N815
    placeFrom: Mapping[str, JsonValue] | None = None  # noqa: N815
    shippingOrderItem: Annotated[Sequence[ShippingOrderItem], Field(min_length=1, max_length=1)]  # noqa: N815
    shippingOrderCharacteristic: Sequence[Characteristic] = ()  # noqa: N815

    @model_validator(mode="after")
    def _says_where_it_is_fetched(self) -> Self:
        if self.is_return and not (self.placeFrom or self.shippingOrderItem[0].placeFrom):
            raise ValueError("a return says where it comes from: placeFrom")
        return self

    @property
    def is_return(self) -> bool:
        """Whether it brings something back from a customer."""
        return self.shippingOrderItem[0].action == "delete"

    @property
    def parcel(self) -> ShipmentItem:
        """What is shipped."""
        return self.shippingOrderItem[0].shipment.shipmentItem[0]

    @property
    def callback(self) -> str | None:
        """Where the carrier's webhooks go: the characteristic `callbackUrl`."""
        return next((str(one.value) for one in self.shippingOrderCharacteristic if one.name == "callbackUrl"), None)

    def hours(self, usual: Mapping[str, float | None]) -> dict[str, float | None]:
        """Return the hours of this order, which are the `usual` ones where it says nothing. Raises ValueError."""
        return {**usual, **checked_hours({one.name: one.value for one in self.shippingOrderCharacteristic if one.name in DEFAULT_HOURS})}

    def due(self, ordered: datetime, hours: Mapping[str, float | None]) -> dict[str, datetime]:
        """Return when what happens (lab time), by status; `pluggedIn` comes last."""
        if self.is_return:
            handed_in = later(ordered, hours["hoursUntilHandedIn"])
            return {Status.IN_TRANSIT: handed_in, Status.RETURNED: later(handed_in, hours["hoursUntilReturned"])}
        delivered = later(ordered, hours["hoursUntilDelivered"])
        return {
            Status.SHIPPED: min(delivered, later(ordered, hours["hoursUntilShipped"])),
            Status.IN_TRANSIT: min(delivered, later(ordered, hours["hoursUntilInTransit"])),
            Status.DELIVERED: delivered,
            "pluggedIn": later(delivered, hours["hoursUntilPluggedIn"]),
        }


def checked_hours(given: Mapping[str, Any]) -> dict[str, float | None]:
    """Return hours as numbers; None: never. Raises ValueError for an unknown name, and for what is no number of hours."""
    if unknown := sorted(set(given) - set(DEFAULT_HOURS)):
        raise ValueError(f"{', '.join(unknown)}: there are only {', '.join(DEFAULT_HOURS)}")
    hours = {name: None if value is None else float(str(value)) for name, value in given.items()}
    if wrong := [name for name, number in hours.items() if number is not None and not 0 <= number <= _MOST_HOURS]:
        raise ValueError(f"{', '.join(wrong)}: 0 to {_MOST_HOURS} hours")
    return hours


def later(moment: datetime, hours: float | None) -> datetime:
    """Return the time so many hours later; never comes what never comes, or comes after it."""
    return NEVER if hours is None or moment == NEVER else moment + timedelta(hours=hours)


class Parcel(BaseModel):
    """An order and what became of it: what the stand-in keeps."""

    id: str
    tracking_code: str
    order: dict[str, Any]
    callback: str | None
    ordered: datetime
    due: dict[str, datetime]
    hours_until_returned: float | None = DEFAULT_HOURS["hoursUntilReturned"]
    """Of a recall, whose beginning nobody knows before."""
    status: Status = Status.ACKNOWLEDGED
    history: list[tuple[Status, datetime]]
    plugged_in: datetime | None = None
    pulled_out: datetime | None = None
    """When the customer pulled the router out to hand it in: with another order, the return."""

    @property
    def model(self) -> ShippingOrder:
        """The order, typed."""
        return ShippingOrder.model_validate(self.order)

    @property
    def is_return(self) -> bool:
        """Whether it goes from the customer to the warehouse."""
        return bool(self.order["shippingOrderItem"][0]["action"] == "delete")

    @property
    def is_void(self) -> bool:
        """Whether it was taken back, so that its external id may be used again: the customer never had it, or never handed it in."""
        return self.status in (Status.CANCELLED, Status.RECALLED) or (self.status is Status.RETURNED and not self.is_return)

    @property
    def is_at_its_end(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status in (Status.CANCELLED, Status.RETURNED) or bool(self.plugged_in or self.pulled_out)

    @property
    def way(self) -> tuple[Status, ...]:
        """The states that it still goes through, if nobody intervenes."""
        if self.status is Status.RECALLED:
            return (Status.RETURNED,)
        whole = (Status.IN_TRANSIT, Status.RETURNED) if self.is_return else (Status.SHIPPED, Status.IN_TRANSIT, Status.DELIVERED)
        passed = {status for status, _ in self.history}
        return tuple(status for status in whole if status not in passed)

    def is_due(self, now: datetime) -> bool:
        """Whether the carrier should have moved it by now."""
        waits_for_the_customer = self.is_return and self.status is Status.ACKNOWLEDGED
        return bool(self.way) and not waits_for_the_customer and self.due[self.way[0]] <= now

    @property
    def hurries(self) -> bool:
        """Whether the clock runs fast for it: it is on the road, or a customer has its label, and something will happen to it."""
        moving = {Status.IN_TRANSIT, Status.ACKNOWLEDGED if self.is_return else Status.SHIPPED, Status.RECALLED}
        return self.status in moving and self.due[self.way[0]] < NEVER

    def shown(self, base: str) -> dict[str, Any]:
        """Return it as TMF700 has it; `base` is the URL of the API."""
        (item,) = self.order["shippingOrderItem"]
        tracking = {"@type": "ShipmentTrackingRef", "id": self.tracking_code, "href": f"{base}/tracker/{self.tracking_code}"}
        at_last = Status.RETURNED if self.is_return else Status.DELIVERED
        delivered = next((at for status, at in self.history if status is at_last), None)
        shipment = {
            **item["shipment"],
            "state": self.status,
            "shipmentTracking": tracking,
            **({"expectedDeliveryDate": self.due[at_last].isoformat()} if self.due[at_last] < NEVER else {}),
            **({"deliveryDate": delivered.isoformat()} if delivered else {}),
        }
        return {
            "@type": "ShippingOrder",
            **self.order,
            "id": self.id,
            "href": f"{base}/shippingOrder/{self.id}",
            "creationDate": self.ordered.isoformat(),
            "lastUpdateDate": self.history[-1][1].isoformat(),
            "status": self.status,
            "shippingOrderItem": [{**item, "status": self.status, "shipment": shipment}],
        }

    def tracker(self) -> dict[str, Any]:
        """Return it as the carrier has it (EasyPost's Tracker)."""
        words = RETURN_TRACKER_STATUS if self.is_return else TRACKER_STATUS
        due = self.due[Status.RETURNED if self.is_return else Status.DELIVERED]
        details = [
            {"object": "TrackingDetail", "status": words[status], "message": status, "datetime": at.isoformat()}
            for status, at in self.history
        ]
        return {
            "object": "Tracker",
            "id": f"trk_{self.tracking_code}",
            "tracking_code": self.tracking_code,
            "status": words[self.status],
            "carrier": "LabPost",
            "est_delivery_date": due.isoformat() if due < NEVER else None,
            "updated_at": self.history[-1][1].isoformat(),
            "tracking_details": details,
        }
