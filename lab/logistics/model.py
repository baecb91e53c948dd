"""Shipping orders as they come in (TMF700 v4.0), and what the warehouse and the carrier make of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Status(StrEnum):
    """What became of a shipping order (free text in TMF700)."""

    ACKNOWLEDGED = "acknowledged"
    SHIPPED = "shipped"
    IN_TRANSIT = "inTransit"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


TRACKER_STATUS = {
    Status.ACKNOWLEDGED: "unknown",
    Status.SHIPPED: "pre_transit",
    Status.IN_TRANSIT: "in_transit",
    Status.DELIVERED: "delivered",
    Status.CANCELLED: "cancelled",
}
"""The carrier's word for each (EasyPost's Tracker.status)."""

DEFAULT_HOURS = {"hoursUntilShipped": 0.5, "hoursUntilInTransit": 2.0, "hoursUntilDelivered": 36.0, "hoursUntilPluggedIn": 0.5}
"""Lab hours from the order to each state, and from delivery until the router is plugged in.

A shippingOrderCharacteristic of the name changes one.
"""
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
    """A line of the order: what TMF700 requires, and the parcel, without which there would be nothing to ship."""

    id: str
    action: Literal["add"]
    shipment: Shipment


class ShippingOrder(_Tmf):
    """What POST /shippingOrder takes. One router goes in a parcel, and one parcel in an order: the warehouse ships no other."""

    externalId: Annotated[str, Field(min_length=1)] | None = None  # noqa: N815
    shippingOrderItem: Annotated[Sequence[ShippingOrderItem], Field(min_length=1, max_length=1)]  # noqa: N815
    shippingOrderCharacteristic: Sequence[Characteristic] = ()  # noqa: N815

    @property
    def parcel(self) -> ShipmentItem:
        """What is shipped."""
        return self.shippingOrderItem[0].shipment.shipmentItem[0]

    @property
    def callback(self) -> str | None:
        """Where the carrier's webhooks go: the characteristic `callbackUrl`."""
        return next((str(one.value) for one in self.shippingOrderCharacteristic if one.name == "callbackUrl"), None)

    def due(self, ordered: datetime) -> dict[str, datetime]:
        """Return when what happens (lab time), by status; `pluggedIn` comes last. Raises ValueError for hours that are no number."""
        given = {one.name: float(str(one.value)) for one in self.shippingOrderCharacteristic if one.name in DEFAULT_HOURS}
        if wrong := [name for name, number in given.items() if not 0 <= number <= _MOST_HOURS]:
            raise ValueError(f"{', '.join(wrong)}: 0 to {_MOST_HOURS} hours")
        hours = {name: timedelta(hours=number) for name, number in (DEFAULT_HOURS | given).items()}
        delivered = ordered + hours["hoursUntilDelivered"]
        return {
            Status.SHIPPED: min(delivered, ordered + hours["hoursUntilShipped"]),
            Status.IN_TRANSIT: min(delivered, ordered + hours["hoursUntilInTransit"]),
            Status.DELIVERED: delivered,
            "pluggedIn": delivered + hours["hoursUntilPluggedIn"],
        }


class Parcel(BaseModel):
    """An order and what became of it: what the stand-in keeps."""

    id: str
    tracking_code: str
    order: dict[str, Any]
    callback: str | None
    ordered: datetime
    due: dict[str, datetime]
    status: Status = Status.ACKNOWLEDGED
    history: list[tuple[Status, datetime]]
    plugged_in: datetime | None = None

    @property
    def model(self) -> ShippingOrder:
        """The order, typed."""
        return ShippingOrder.model_validate(self.order)

    @property
    def is_on_the_road(self) -> bool:
        """Whether the carrier has it."""
        return self.status in (Status.SHIPPED, Status.IN_TRANSIT)

    def shown(self, base: str) -> dict[str, Any]:
        """Return it as TMF700 has it; `base` is the URL of the API."""
        (item,) = self.order["shippingOrderItem"]
        tracking = {"@type": "ShipmentTrackingRef", "id": self.tracking_code, "href": f"{base}/tracker/{self.tracking_code}"}
        delivered = next((at for status, at in self.history if status is Status.DELIVERED), None)
        shipment = {
            **item["shipment"],
            "state": self.status,
            "shipmentTracking": tracking,
            "expectedDeliveryDate": self.due[Status.DELIVERED].isoformat(),
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
        details = [
            {"object": "TrackingDetail", "status": TRACKER_STATUS[status], "message": status, "datetime": at.isoformat()}
            for status, at in self.history
        ]
        return {
            "object": "Tracker",
            "id": f"trk_{self.tracking_code}",
            "tracking_code": self.tracking_code,
            "status": TRACKER_STATUS[self.status],
            "carrier": "LabPost",
            "est_delivery_date": self.due[Status.DELIVERED].isoformat(),
            "updated_at": self.history[-1][1].isoformat(),
            "tracking_details": details,
        }
