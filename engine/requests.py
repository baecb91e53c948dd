"""What is asked of us: an order as a playbook, a bulk row or an API says it. Validated, not yet looked up in the catalogue."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from engine.catalogue.models import Scalar
from engine.states import Level

_CONTROL = re.compile(r"[^\t\n\r -~\u00a0-\U0010ffff]")
"""All control characters (Unicode's category Cc) but tab and line ends."""


class Request(BaseModel):
    """Base: camelCase outside, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True, str_strip_whitespace=True)

    @field_validator("*")
    @classmethod
    def _text(cls, value: Any) -> Any:
        """Refuses what can stand in no XML, no table and no log."""
        for text in value.values() if isinstance(value, dict) else (value,):
            found = _CONTROL.search(text) if isinstance(text, str) else None
            if found:
                raise ValueError(f"U+{ord(found[0]):04X} is a control character: only text can stand here")
        return value


class Customer(Request):
    """Who orders. Only the id's number goes into ids of services and products."""

    id: str = Field(min_length=1, description="e.g. CUST-4821")
    name: str = Field(default="", description="as it stands on the parcel")
    account: str = Field(default="", description="account that is billed")

    @property
    def number(self) -> str:
        """The trailing number of the id (`CUST-4821` -> `4821`), or the id without what cannot stand in an id."""
        digits = re.search(r"(\d+)$", self.id)
        return digits[1] if digits else re.sub(r"[^A-Za-z0-9]+", "-", self.id)


class Address(Request):
    """Where. The exchange and distribution point are what address qualification said."""

    street: str = Field(default="", description="street and number, where the router is sent")
    city: str = Field(default="", description="city or suburb")
    state: str = Field(default="", description="state or region")
    postcode: str = Field(default="", description="text: in quotes, as it may begin with 0")
    exchange: str = Field(min_length=1, description="NetBox site of the exchange, e.g. EAST-07")
    distribution_point: str = Field(default="", description="last splitter before the house, e.g. DP-142")


class ItemRequest(Request):
    """One line of an order: an offering (product order) or a specification (service and resource order)."""

    offering: str | None = Field(default=None, description="product offering, e.g. PO-SF200H")
    specification: str | None = Field(default=None, description="CFS or RFS, for service and resource orders")
    action: Literal["add", "modify", "delete", "suspend", "resume"] = Field(
        default="add", description="what is asked for; all but `add` change, end, suspend or resume what is there"
    )
    product: str | None = Field(default=None, description="what a product order changes or ends, e.g. PI-BB-4821")
    service: str | None = Field(default=None, description="what a service order changes or ends, e.g. SI-INT-4821")
    characteristics: dict[str, Scalar] = Field(default_factory=dict, description="values that the customer chose, by name")

    @property
    def subject(self) -> str:
        """What is changed or ended: id of a product or service. Empty when something new is ordered."""
        return "" if self.action == "add" else self.product or self.service or ""

    def complain(self, level: Level) -> None:
        """Raises ValueError when the line does not fit its level and action."""
        product = level is Level.PRODUCT
        new, there = ("offering", "product") if product else ("specification", "service")
        if self.action == "add" and getattr(self, new) is None:
            raise ValueError(f"a {level} order needs `{new}` in each line")
        others = ("specification", "service") if product else ("offering", "product")
        if wrong := next((name for name in others if getattr(self, name) is not None), None):
            raise ValueError(f"a {level} order has `{new}`, not `{wrong}`")
        if self.action == "add" and getattr(self, there) is not None:
            raise ValueError(f"`{there}` names what is there already: `action: modify`, `delete`, `suspend` or `resume` goes with it")
        if self.action != "add" and level is Level.RESOURCE:
            raise ValueError("a resource order only adds; change the service or the product")
        if self.action != "add" and getattr(self, there) is None:
            raise ValueError(f"`action: {self.action}` needs `{there}`, the id of what is there")
        if self.action not in ("add", "modify") and self.characteristics:
            raise ValueError(f"`action: {self.action}` takes no characteristics")


def complain_of_dates(start: datetime | None, completion: datetime | None) -> None:
    """Raises ValueError when an order cannot have these dates."""
    for name, date in (("requestedStartDate", start), ("requestedCompletionDate", completion)):
        if date is not None and date.tzinfo is None:
            raise ValueError(f"{name} needs a time zone, e.g. 2024-03-12T09:00:00+11:00")
    if start is not None and completion is not None and completion < start:
        raise ValueError(f"requestedCompletionDate {completion.isoformat()} is before requestedStartDate {start.isoformat()}")


class OrderRequest(ItemRequest):
    """An order. One line may be written without `items`.

    The external id is the idempotency key: the same body again is the same order, another body is refused.
    """

    external_id: str = Field(min_length=1, max_length=100, description="the caller's own id of this order; idempotency key")
    level: Level = Field(default=Level.PRODUCT, description="of the order: what is sold, services, or resources")
    description: str = Field(default="", description="for people; shown in lists")
    customer: Customer | None = Field(default=None, description="who orders; an order that changes something may leave it out")
    address: Address | None = Field(default=None, description="where; another one than before moves the line")
    undoes: str | None = Field(default=None, description="the order that this one takes back; set by `turnup undo`")
    replace: tuple[str, ...] = Field(default=(), description="resources to exchange for others, e.g. [ont] when the router is broken")
    items: tuple[ItemRequest, ...] = Field(default=(), description="lines, when there are several; else the line's fields stand here")
    priority: int = Field(default=4, ge=0, le=4, description="TM Forum: 0 is the highest, 4 the lowest")
    requested_start_date: datetime | None = Field(default=None, description="not before this; with a time zone")
    requested_completion_date: datetime | None = Field(
        default=None, description="to be complete by then, else the order is shown as overdue; with a time zone"
    )

    @model_validator(mode="after")
    def _lines(self) -> Self:
        if self.items and (self.offering or self.specification or self.characteristics or self.product or self.service):
            raise ValueError("give either items, or one line with its characteristics, not both")
        for line in self.lines:
            line.complain(self.level)
        if len({line.action == "add" for line in self.lines}) > 1:
            raise ValueError("an order either adds, or changes what is there: not both")
        missing = [name for name in ("customer", "address") if getattr(self, name) is None] if self.adds else []
        if missing:
            raise ValueError("; ".join(f"`{name}` is missing" for name in missing))
        if self.adds and self.replace:
            raise ValueError("`replace` is for what is there already")
        return self

    @model_validator(mode="after")
    def _dates(self) -> Self:
        complain_of_dates(self.requested_start_date, self.requested_completion_date)
        return self

    @property
    def lines(self) -> tuple[ItemRequest, ...]:
        """The lines, also when the order was written as one."""
        return self.items or (ItemRequest(**{name: getattr(self, name) for name in ItemRequest.model_fields}),)

    @property
    def adds(self) -> bool:
        """Whether something new is ordered."""
        return all(line.action == "add" for line in self.lines)

    def body(self) -> dict[str, Any]:
        """The request as JSON data, as it came (without what was left out)."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
