"""The part of seeding that all profiles share: custom fields, tags, links, types, roles, platforms."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

from inventory.fields import JsonObject
from inventory.profile import ALLOCATABLE, Model, Named, Tag
from inventory.upsert import Key, Upsert, Wanted


class Ids:
    """Ids of what was seeded, by kind and slug."""

    def __init__(self) -> None:
        """Know none."""
        self._ids: dict[tuple[str, str], int] = {}
        self.port_types: set[str] = set()
        """Types of the ports of line cards."""

    def learn(self, kind: str, rows: Mapping[Hashable, JsonObject]) -> None:
        """Take in what `Upsert.many` returned."""
        self._ids.update(((kind, str(key)), row["id"]) for key, row in rows.items())

    def __getitem__(self, key: tuple[str, str]) -> int:
        """Return the id. Raises KeyError: the profile names something that the model does not have."""
        return self._ids[key]


def seed_model(upsert: Upsert, model: Model, order_url: str) -> Ids:
    """Seed what all profiles need and return the ids of it. `order_url`: what comes before an order's id in links."""
    ids = Ids()
    upsert.many("extras/tags", [_by_slug(tag, color=tag.color, description=tag.description) for tag in model.tags])
    _custom_fields(upsert, model)
    _links(upsert, model, order_url)
    for kind, path, entries in (
        ("manufacturer", "dcim/manufacturers", model.manufacturers),
        ("role", "dcim/device-roles", model.roles),
        ("platform", "dcim/platforms", model.platforms),
        ("prefix_role", "ipam/roles", model.prefix_roles),
    ):
        ids.learn(kind, upsert.many(path, [_by_slug(one, **({"color": one.color} if one.color else {})) for one in entries]))
    _device_types(upsert, ids, model)
    _module_types(upsert, ids, model)
    return ids


def _by_slug(one: Named | Tag, **more: Any) -> Wanted:
    return Wanted(one.slug, {"slug": one.slug, "name": one.name, **more})


def _custom_fields(upsert: Upsert, model: Model) -> None:
    sets = [Wanted(one.name, {"name": one.name, "extra_choices": [list(choice) for choice in one.choices]}) for one in model.choice_sets]
    rows = upsert.many("extras/custom-field-choice-sets", sets, by="name")
    wanted = []
    for one in model.custom_fields:
        body: JsonObject = {
            "name": one.name,
            "type": one.type,
            "label": one.label,
            "group_name": "Provisioning",
            "object_types": sorted(one.object_types),
            "filter_logic": "exact",
            "ui_visible": "if-set",
            "description": one.description,
        }
        if one.choice_set:
            body["choice_set"] = rows[one.choice_set]["id"]
        wanted.append(Wanted(one.name, body))
    upsert.many("extras/custom-fields", wanted, by="name")


def _links(upsert: Upsert, model: Model, order_url: str) -> None:
    fixed: JsonObject = {"object_types": sorted(ALLOCATABLE), "enabled": True, "new_window": True, "button_class": "blue"}
    url = f"{order_url}{{{{ object.cf.order_id }}}}"
    wanted = [Wanted(link.name, {"name": link.name, "link_text": link.text, "link_url": url, **fixed}) for link in model.custom_links]
    upsert.many("extras/custom-links", wanted, by="name")


def _device_types(upsert: Upsert, ids: Ids, model: Model) -> None:
    wanted = []
    for one in model.device_types:
        manufacturer = ids["manufacturer", one.manufacturer]
        wanted.append(Wanted(one.slug, {"slug": one.slug, "model": one.model, "manufacturer": manufacturer, "u_height": one.height}))
    ids.learn("device_type", upsert.many("dcim/device-types", wanted))
    interfaces, bays = [], []
    for one in model.device_types:
        key = ids["device_type", one.slug]
        for name, type_ in one.interfaces.items():
            body = {"device_type": key, "name": name, "type": type_, "mgmt_only": name.startswith("mgmt")}
            interfaces.append(Wanted((key, name), body))
        for name in one.bays:
            position = "".join(re.findall(r"\d+", name))
            bays.append(Wanted((key, name), {"device_type": key, "name": name, "position": position}))
    within = {"device_type_id": [ids["device_type", one.slug] for one in model.device_types]}
    upsert.many("dcim/interface-templates", interfaces, within=within, key=_of("device_type"))
    upsert.many("dcim/module-bay-templates", bays, within=within, key=_of("device_type"))


def _module_types(upsert: Upsert, ids: Ids, model: Model) -> None:
    wanted = []
    for one in model.module_types:
        manufacturer = ids["manufacturer", one.manufacturer]
        wanted.append(Wanted(one.model, {"model": one.model, "manufacturer": manufacturer, "comments": one.comments}))
    ids.learn("module_type", upsert.many("dcim/module-types", wanted, by="model"))
    ids.port_types |= {one.type for one in model.module_types}
    ports = []
    for one in model.module_types:
        key = ids["module_type", one.model]
        names = [one.name.replace("{port}", str(port)) for port in range(1, one.ports + 1)]
        ports += [Wanted((key, name), {"module_type": key, "name": name, "type": one.type}) for name in names]
    within = {"module_type_id": [ids["module_type", one.model] for one in model.module_types]}
    upsert.many("dcim/interface-templates", ports, within=within, key=_of("module_type"))


def _of(parent: str) -> Key:
    return lambda row: (row[parent]["id"], row["name"])
