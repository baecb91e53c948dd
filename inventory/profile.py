"""Seeding profiles: what a NetBox shall hold, as data (inventory/profiles/*.yaml)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import SettingsInvalid

ALLOCATABLE = ("dcim.interface", "dcim.device", "ipam.vlan", "ipam.ipaddress", "ipam.prefix")
"""Types of objects that orders hold."""


_E = TypeVar("_E", bound="Entry")


class Entry(BaseModel):
    """Base: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tag(Entry):
    """A tag."""

    slug: str
    name: str
    color: str
    description: str = ""


class ChoiceSet(Entry):
    """The values of a select field."""

    name: str
    choices: tuple[tuple[str, str], ...]


class CustomField(Entry):
    """A custom field. `objects`: the types of objects that have it."""

    name: str
    type: Literal["text", "integer", "boolean", "select", "datetime"]
    label: str
    objects: Literal["allocatable"] | tuple[str, ...]
    choice_set: str | None = None
    description: str = ""

    @property
    def object_types(self) -> tuple[str, ...]:
        """The types of objects that have it, by name."""
        return ALLOCATABLE if self.objects == "allocatable" else tuple(self.objects)


class CustomLink(Entry):
    """A button on the pages of allocatable objects that leads to the order's page."""

    name: str
    text: str


class Named(Entry):
    """What is no more than a name and a slug."""

    slug: str
    name: str
    color: str | None = None


class DeviceType(Entry):
    """A device type with what its devices are born with. `height` in rack units."""

    slug: str
    model: str
    manufacturer: str
    height: int
    interfaces: Mapping[str, str] = Field(default_factory=dict)
    """Name -> type."""
    bays: tuple[str, ...] = ()
    """Module bays; the number in a name is its position."""


class ModuleType(Entry):
    """A line card. `name` is that of its ports, with `{module}` (NetBox puts the bay's position there) and `{port}`."""

    model: str
    manufacturer: str
    ports: int
    type: str
    name: str
    comments: str = ""


class Model(Entry):
    """inventory/profiles/model.yaml: what all profiles need."""

    tags: tuple[Tag, ...]
    choice_sets: tuple[ChoiceSet, ...]
    custom_fields: tuple[CustomField, ...]
    custom_links: tuple[CustomLink, ...]
    manufacturers: tuple[Named, ...]
    device_types: tuple[DeviceType, ...]
    module_types: tuple[ModuleType, ...]
    roles: tuple[Named, ...]
    platforms: tuple[Named, ...]
    prefix_roles: tuple[Named, ...]


class Site(Entry):
    """A site and its locations (slug -> name)."""

    slug: str
    name: str
    facility: str = ""
    address: str = ""
    locations: Mapping[str, str] = Field(default_factory=dict)


class Element(Entry):
    """A network element or server. `address` and `port` hold until its endpoint is known; `cards`: module bay -> module type."""

    name: str
    type: str
    role: str
    platform: str
    site: str
    address: str
    port: int
    cards: Mapping[str, str] = Field(default_factory=dict)


class VlanGroup(Entry):
    """A VLAN pool. `vids` and `used` are first and last."""

    slug: str
    name: str
    site: str
    vids: tuple[int, int]
    used: tuple[int, int] | None = None
    description: str = ""


class Pool(Entry):
    """A pool of IPv4 addresses or of IPv6 /64 prefixes. `used`: how many of the first are in use (besides the gateway)."""

    prefix: str
    name: str
    role: str
    subnet_id: int
    gateway: str | None = None
    used: int = 0

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """The prefix as a network."""
        return ipaddress.ip_network(self.prefix)


class Stock(Entry):
    """ONTs in stock, numbered from `first` on."""

    type: str
    site: str
    first: int
    count: int
    oui: str


class Profile(Entry):
    """What a NetBox shall hold besides the model."""

    onu_capacity: int = Field(ge=1)
    sites: tuple[Site, ...]
    elements: tuple[Element, ...]
    used_ports: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """OLT -> ranges of ports (`LC1/P1-16`) that carry customers already."""
    vlan_groups: tuple[VlanGroup, ...]
    pools: tuple[Pool, ...]
    stock: tuple[Stock, ...]

    def used(self, olt: str) -> frozenset[str]:
        """Return the names of the ports of an OLT that are in use."""
        return frozenset(name for text in self.used_ports.get(olt, ()) for name in _expand(text))


def profiles() -> tuple[str, ...]:
    """Return the names of the profiles that come with the program."""
    names = (Path(file.name) for file in files("inventory").joinpath("profiles").iterdir())
    return tuple(sorted(name.stem for name in names if name.suffix == ".yaml" and name.stem != "model"))


def load_profile(name: str) -> Profile:
    """Return a profile by name, or from a file when `name` ends in .yaml. Raises SettingsInvalid."""
    if not name.endswith(".yaml") and name not in profiles():
        raise SettingsInvalid(f"There is no seeding profile {name!r}", remedy=f"Use one of: {', '.join(profiles())}.")
    return _load(Profile, Path(name) if name.endswith(".yaml") else Path(str(files("inventory").joinpath(f"profiles/{name}.yaml"))))


def load_model() -> Model:
    """Return what all profiles need."""
    return _load(Model, Path(str(files("inventory").joinpath("profiles/model.yaml"))))


def _load(kind: type[_E], path: Path) -> _E:
    try:
        return kind.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError) as error:
        raise SettingsInvalid(f"{path} cannot be read: {error}") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise SettingsInvalid(f"{path}: {problems}") from None


def _expand(text: str) -> Iterator[str]:
    """Give the names that `LC1/P1-16` stands for."""
    match = re.fullmatch(r"(.*?)(\d+)-(\d+)", text)
    if match is None:
        return iter((text,))
    return (f"{match[1]}{number}" for number in range(int(match[2]), int(match[3]) + 1))
