"""NetBox's objects as they answer, reduced to what we use. Parsed where they enter, so that no other module knows NetBox's spelling.

Field names are those of NetBox's REST API 4.4 and 4.6.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from engine.errors import InventoryRefused
from inventory.fields import CustomFields, JsonObject


def _value(choice: Any) -> Any:
    """A choice is {"value", "label"} in answers."""
    return choice["value"] if isinstance(choice, dict) else choice


def _slugs(tags: Any) -> Any:
    return [tag["slug"] if isinstance(tag, dict) else tag for tag in tags or ()]


Choice = Annotated[str, BeforeValidator(_value)]
Tags = Annotated[frozenset[str], BeforeValidator(_slugs)]


class Plain(BaseModel):
    """Base: what we do not know is ignored, nothing changes after parsing."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Brief(Plain):
    """Another object, as it is shown within an object."""

    id: int
    name: str | None = None
    slug: str | None = None


class Row(Plain):
    """What all objects have."""

    id: int
    display: str = ""
    last_updated: str | None = None
    custom_fields: CustomFields = CustomFields()
    tags: Tags = frozenset()


class Interface(Row):
    """dcim.interface: a PON port, or a claim below one."""

    name: str
    type: Choice
    device: Brief
    parent: Brief | None = None
    enabled: bool = True
    mark_connected: bool = False


class DeviceType(Plain):
    """The type of a device, in brief."""

    id: int
    model: str
    slug: str


class Address(Plain):
    """An IP address, in brief."""

    id: int
    address: str


class Device(Row):
    """dcim.device: a network element, a server, an ONT."""

    name: str | None = None
    device_type: DeviceType
    site: Brief
    status: Choice
    role: Brief | None = None
    platform: Brief | None = None
    serial: str = ""
    asset_tag: str | None = None
    primary_ip: Address | None = None
    interface_count: int | None = None


class Site(Row):
    """dcim.site."""

    name: str
    slug: str
    region: Brief | None = None
    group: Brief | None = None


class Change(Plain):
    """core.objectchange: a line of NetBox's change log. Objects are as they are kept: references are ids."""

    changed_object_type: str
    action: Choice
    message: str = ""
    prechange_data: JsonObject | None = None
    postchange_data: JsonObject | None = None

    @property
    def data(self) -> JsonObject:
        """The object as it is now, or as it was when it was deleted."""
        return self.postchange_data or self.prechange_data or {}


class VlanGroup(Row):
    """ipam.vlangroup."""

    name: str


class Prefix(Row):
    """ipam.prefix: a pool, or a prefix given to a customer."""

    prefix: str
    status: Choice
    description: str = ""

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """The prefix as a network."""
        return ipaddress.ip_network(self.prefix)


_R = TypeVar("_R", bound=Plain)


def parse(kind: type[_R], row: JsonObject) -> _R:
    """Return a row of an answer as `kind`. Raises InventoryRefused when it is not what NetBox's API documents."""
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False))
        raise InventoryRefused(
            f"NetBox answered an object that is no {kind.__name__}: {problems}",
            remedy="Check TURNUP_NETBOX__URL and the version of NetBox (4.4 or later).",
        ) from None


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Return a sort key by which LC3/P2 comes before LC3/P12."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name))
