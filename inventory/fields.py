"""The custom fields that we keep in NetBox, and the values that mark an object as an order's.

NetBox's page of each object links back to the order by these. Custom fields are the only place for it that 4.4 and 4.6 share;
they are made by `inventory.seed` and described in docs/netbox.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from engine.ports import Mark

JsonObject = dict[str, Any]
"""A JSON object as NetBox sends or takes it; it is parsed (`inventory.rows`) where it enters."""


class AllocState(StrEnum):
    """Values of the custom field `alloc_state`."""

    FREE = "free"
    RESERVED = "reserved"
    ACTIVE = "active"
    RELEASING = "releasing"
    QUARANTINE = "quarantine"


IMPORTED = "imported"
"""Slug of the tag on what serves customers that were not provisioned by us: audit leaves it alone."""
QUARANTINE_TAG = "quarantine"
"""Slug of the tag on ports and ONTs that must not be given out."""
CLAIM = "claim"
"""Name of the interface whose existence on an ONT means that it is taken."""


def _plain(value: Any) -> Any:
    """Select fields are plain values up to NetBox 4.6 and {"value", "label"} from 4.7 on."""
    return value["value"] if isinstance(value, dict) and "value" in value else value


Text = Annotated[str | None, BeforeValidator(_plain)]
Number = Annotated[int | None, BeforeValidator(_plain)]
Flag = Annotated[bool | None, BeforeValidator(_plain)]


class CustomFields(BaseModel):
    """The custom fields of one object, as far as we know them. A field that the object's type does not have is None."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    alloc_state: Text = None
    order_id: Text = None
    order_item: Text = None
    service_id: Text = None
    onu_capacity: Number = None
    mgmt_port: Number = None
    dhcp_subnet_id: Number = None
    gateway: Text = None
    pon_serial: Text = None
    mac_address: Text = None
    oui: Text = None
    shipped: Flag = None
    reserved_until: Text = None


def marked(mark: Mark, service: str, state: AllocState) -> JsonObject:
    """Return the custom fields that say whose an object is."""
    return {"order_id": mark.order, "order_item": str(mark), "service_id": service or None, "alloc_state": state.value}


UNMARKED: Mapping[str, Any] = {"order_id": None, "order_item": None, "service_id": None, "alloc_state": AllocState.FREE.value}
"""Custom fields of an object that is nobody's any more."""


OURS = tuple(f"turnup: {what}" for what in ("reserved", "planned", "active", "shipped", "released", "back to stock", "in quarantine"))
"""How lines of the change log begin by which orders take, use and release something. What was taken and not kept is not among them."""


def message(what: str, mark: Mark) -> str:
    """Return the line for NetBox's change log (`changelog_message`, at most 200 characters)."""
    return f"turnup: {what} for {mark}"[:200]
