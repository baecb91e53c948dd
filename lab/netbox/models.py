"""The models that are played: one entry each, with what NetBox' OpenAPI document does not say.

Fields, choices, nullability and references come from the document (`lab.netbox.openapi`); here are defaults, uniqueness, ordering, what
deleting does, and which relations filters go through. Taken from NetBox' documentation of each model and from its answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Unique:
    """A set of columns that no two objects share (a null never collides, as in SQL)."""

    columns: tuple[str, ...]
    where: str | None = None
    """SQL condition under which the constraint holds."""
    key: str | None = None
    """Under which key the 400 stands; default: the field, or `non_field_errors` for several."""
    message: str | None = None
    """Text of the 400, formatted with the object's columns; default: Django REST framework's."""
    constraint: str | None = None
    """Name of the constraint in the database, as the 500 shows it."""
    in_database: bool = True
    """False: only Python checks it, so requests that race get past (prefixes; custom fields marked unique)."""
    locked: bool = False
    """Checked in Python under an advisory lock: no race gets past, though the database has no constraint (IP addresses)."""


@dataclass(frozen=True)
class Model:
    """One model. `label` is NetBox' name of it (`dcim.interface`), `path` where its list is below /api/."""

    label: str
    path: str
    display: str = "{name}"
    """Its `display`, formatted with its columns."""
    order: tuple[str, ...] = ("name",)
    """Default ordering; `name` sorts naturally (P2 before P12)."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    unique: tuple[Unique, ...] = ()
    cascade: frozenset[str] = frozenset()
    """References whose target takes this object with it when it is deleted."""
    protect: frozenset[str] = frozenset()
    """References whose target cannot be deleted while this object is there. All that are not nullable are protected anyway."""
    via: Mapping[str, str] = field(default_factory=dict)
    """Filters that follow references: `site` of an interface is `device.site`. Each gives `<name>` and `<name>_id`."""
    natural: str | None = None
    """The column by which filters on this model name it; default: slug, else name."""
    search: tuple[str, ...] = ()
    """Columns that `q` looks into, besides name and description."""
    counts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Computed counts: field -> (label of the counted model, its column)."""
    changes: bool = True
    """Whether object changes are recorded."""
    read_only: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    """Further columns that the engine keeps, with their SQL types."""
    unkept: frozenset[str] = frozenset()
    """Fields that requests may name but that follow from other objects."""
    sequential: bool = False
    """Whether a list is created one by one: the first error is the answer, and each sees those before it (devices)."""
    tree: bool = False
    """Whether a filter by one of these includes its descendants."""


_SLUG = (Unique(("name",)), Unique(("slug",)))
_OF_DEVICE = {
    "site": "device.site",
    "location": "device.location",
    "device_role": "device.role",
    "device_type": "device.device_type",
    "tenant": "device.tenant",
}
_COMPONENT = frozenset({"device"})
_TEMPLATE = frozenset({"device_type", "module_type"})
_OF_TYPE = tuple(
    Unique((kind, "name"), message=f"The fields {kind}, name must make a unique set.") for kind in ("device_type", "module_type")
)

ORGANISATION = (
    Model(
        "dcim.site",
        "dcim/sites",
        defaults={"status": "active"},
        unique=_SLUG,
        protect=frozenset({"tenant"}),
        search=("slug", "facility", "physical_address"),
        counts={"device_count": ("dcim.device", "site"), "vlan_count": ("ipam.vlan", "site")},
    ),
    Model(
        "dcim.location",
        "dcim/locations",
        defaults={"status": "active"},
        unique=(
            Unique(
                ("site", "name"),
                where="parent IS NULL",
                key="__all__",
                message="A location with this name already exists within the specified site.",
            ),
            Unique(("site", "parent", "name")),
            Unique(
                ("site", "slug"),
                where="parent IS NULL",
                key="__all__",
                message="A location with this slug already exists within the specified site.",
            ),
            Unique(("site", "parent", "slug")),
        ),
        cascade=frozenset({"site", "parent"}),
        search=("slug", "facility"),
        counts={"device_count": ("dcim.device", "location")},
        tree=True,
    ),
    Model("tenancy.tenant", "tenancy/tenants", unique=_SLUG, search=("slug",), counts={"device_count": ("dcim.device", "tenant")}),
    Model("tenancy.contact", "tenancy/contacts", search=("email", "phone", "address")),
)

DEVICES = (
    Model(
        "dcim.manufacturer",
        "dcim/manufacturers",
        unique=_SLUG,
        search=("slug",),
        counts={"devicetype_count": ("dcim.devicetype", "manufacturer"), "moduletype_count": ("dcim.moduletype", "manufacturer")},
    ),
    Model(
        "dcim.devicetype",
        "dcim/device-types",
        display="{model}",
        order=("manufacturer", "model"),
        defaults={"u_height": 1.0, "is_full_depth": True},
        unique=(Unique(("manufacturer", "model")), Unique(("manufacturer", "slug"))),
        search=("model", "slug", "part_number"),
        counts={
            "device_count": ("dcim.device", "device_type"),
            "interface_template_count": ("dcim.interfacetemplate", "device_type"),
            "module_bay_template_count": ("dcim.modulebaytemplate", "device_type"),
        },
    ),
    Model(
        "dcim.moduletype",
        "dcim/module-types",
        display="{model}",
        order=("manufacturer", "model"),
        unique=(Unique(("manufacturer", "model")),),
        natural="model",
        search=("model", "part_number"),
        counts={
            "module_count": ("dcim.module", "module_type"),
            "interface_template_count": ("dcim.interfacetemplate", "module_type"),
            "module_bay_template_count": ("dcim.modulebaytemplate", "module_type"),
        },
    ),
    Model("dcim.interfacetemplate", "dcim/interface-templates", defaults={"enabled": True}, unique=_OF_TYPE, cascade=_TEMPLATE),
    Model("dcim.modulebaytemplate", "dcim/module-bay-templates", defaults={"enabled": True}, unique=_OF_TYPE, cascade=_TEMPLATE),
    Model(
        "dcim.devicerole",
        "dcim/device-roles",
        defaults={"color": "9e9e9e", "vm_role": True},
        unique=_SLUG,
        cascade=frozenset({"parent"}),
        search=("slug",),
        counts={"device_count": ("dcim.device", "role")},
        tree=True,
    ),
    Model(
        "dcim.platform",
        "dcim/platforms",
        unique=_SLUG,
        protect=frozenset({"manufacturer"}),
        cascade=frozenset({"parent"}),
        search=("slug",),
        counts={"device_count": ("dcim.device", "platform")},
        tree=True,
    ),
    Model(
        "dcim.device",
        "dcim/devices",
        display="{name}",
        defaults={"status": "active"},
        unique=(
            Unique(("asset_tag",), message="device with this asset tag already exists."),
            Unique(
                ("name", "site"),
                where="tenant IS NULL",
                key="__all__",
                message="Device name must be unique per site.",
                constraint="dcim_device_unique_name_site",
            ),
            Unique(("name", "site", "tenant"), constraint="dcim_device_unique_name_site_tenant"),
        ),
        protect=frozenset({"tenant", "location", "config_template"}),
        sequential=True,
        via={"manufacturer": "device_type.manufacturer", "model": "device_type"},
        search=("serial", "asset_tag", "comments"),
        counts={"interface_count": ("dcim.interface", "device"), "module_bay_count": ("dcim.modulebay", "device")},
    ),
    Model(
        "dcim.modulebay",
        "dcim/module-bays",
        order=("device", "name"),
        defaults={"enabled": True},
        unkept=frozenset({"installed_module"}),
        unique=(Unique(("device", "module", "name")), Unique(("device", "name"), where="module IS NULL")),
        cascade=frozenset({"device", "module"}),
        via=_OF_DEVICE,
        search=("label", "position"),
    ),
    Model(
        "dcim.module",
        "dcim/modules",
        display="{module_bay[name]}: {module_type[model]}",
        order=("module_bay",),
        defaults={"status": "active"},
        unique=(
            Unique(("module_bay",), message="module with this module bay already exists."),
            Unique(("asset_tag",), message="module with this asset tag already exists."),
        ),
        cascade=frozenset({"device", "module_bay"}),
        via={"site": "device.site", "location": "device.location", "manufacturer": "module_type.manufacturer"},
        search=("serial", "asset_tag"),
    ),
    Model(
        "dcim.interface",
        "dcim/interfaces",
        order=("device", "name"),
        defaults={"enabled": True},
        unique=(Unique(("device", "name"), constraint="dcim_interface_unique_device_name"),),
        cascade=frozenset({"device", "module"}),
        protect=frozenset({"parent"}),
        via=_OF_DEVICE,
        search=("label",),
    ),
    Model(
        "dcim.inventoryitem",
        "dcim/inventory-items",
        order=("device", "name"),
        defaults={"status": "active"},
        cascade=frozenset({"device", "parent"}),
        via=_OF_DEVICE,
    ),
    Model(
        "dcim.cable",
        "dcim/cables",
        display="#{id}",
        order=("id",),
        defaults={"status": "connected"},
        columns={"_ends": "TEXT"},
        search=("label",),
    ),
)

IPAM = (
    Model(
        "ipam.vrf",
        "ipam/vrfs",
        defaults={"enforce_unique": True},
        unique=(Unique(("rd",)),),
        protect=frozenset({"tenant"}),
        natural="rd",
        search=("rd",),
    ),
    Model(
        "ipam.role",
        "ipam/roles",
        defaults={"weight": 1000},
        unique=_SLUG,
        order=("weight", "name"),
        counts={"prefix_count": ("ipam.prefix", "role"), "vlan_count": ("ipam.vlan", "role")},
    ),
    Model(
        "ipam.vlangroup",
        "ipam/vlan-groups",
        defaults={"vid_ranges": [[1, 4094]]},
        unique=(Unique(("scope_type", "scope_id", "name")), Unique(("scope_type", "scope_id", "slug"))),
        search=("slug",),
        counts={"vlan_count": ("ipam.vlan", "group")},
    ),
    Model(
        "ipam.vlan",
        "ipam/vlans",
        display="{name} ({vid})",
        order=("site", "group", "vid"),
        defaults={"status": "active"},
        unique=(
            Unique(("group", "vid"), constraint="ipam_vlan_unique_group_vid"),
            Unique(("group", "name"), constraint="ipam_vlan_unique_group_name"),
        ),
        protect=frozenset({"site", "group", "tenant"}),
        search=("vid",),
        counts={"prefix_count": ("ipam.prefix", "vlan")},
    ),
    Model(
        "ipam.prefix",
        "ipam/prefixes",
        display="{prefix}",
        order=("_vrf", "_start", "_mask"),
        defaults={"status": "active"},
        unique=(
            Unique(
                ("_vrf", "_start", "_mask"), key="prefix", message="Duplicate prefix found in global table: {prefix}", in_database=False
            ),
        ),
        protect=frozenset({"vrf", "tenant", "vlan"}),
        columns={"_vrf": "INTEGER", "_start": "BLOB", "_end": "BLOB", "_mask": "INTEGER"},
        search=("prefix",),
    ),
    Model(
        "ipam.iprange",
        "ipam/ip-ranges",
        display="{start_address}-{end_address}",
        order=("_vrf", "_start"),
        defaults={"status": "active"},
        protect=frozenset({"vrf", "tenant"}),
        columns={"_vrf": "INTEGER", "_start": "BLOB", "_end": "BLOB", "_mask": "INTEGER"},
        search=("start_address", "end_address"),
    ),
    Model(
        "ipam.ipaddress",
        "ipam/ip-addresses",
        display="{address}",
        order=("_start", "id"),
        defaults={"status": "active"},
        unique=(
            Unique(
                ("_vrf", "_start"),
                key="address",
                message="Duplicate IP address found in global table: {address}",
                in_database=False,
                locked=True,
            ),
        ),
        protect=frozenset({"vrf", "tenant"}),
        columns={"_vrf": "INTEGER", "_start": "BLOB", "_mask": "INTEGER"},
        natural="address",
        search=("address", "dns_name"),
    ),
)

EXTRAS = (
    Model(
        "extras.tag", "extras/tags", defaults={"color": "9e9e9e", "weight": 1000}, unique=_SLUG, order=("weight", "name"), search=("slug",)
    ),
    Model(
        "extras.customfieldchoiceset",
        "extras/custom-field-choice-sets",
        unique=(Unique(("name",)),),
    ),
    Model(
        "extras.customfield",
        "extras/custom-fields",
        display="{label}",
        order=("group_name", "weight", "name"),
        defaults={
            "type": "text",
            "filter_logic": "loose",
            "ui_visible": "always",
            "ui_editable": "yes",
            "weight": 100,
            "search_weight": 1000,
        },
        unique=(Unique(("name",)),),
        protect=frozenset({"choice_set"}),
        search=("label",),
    ),
    Model(
        "extras.customlink",
        "extras/custom-links",
        order=("group_name", "weight", "name"),
        defaults={"enabled": True, "weight": 100, "button_class": "default"},
        unique=(Unique(("name",)),),
    ),
    Model(
        "extras.webhook",
        "extras/webhooks",
        defaults={"http_method": "POST", "http_content_type": "application/json", "ssl_verification": True},
        unique=(Unique(("name",)),),
    ),
    Model("extras.eventrule", "extras/event-rules", defaults={"enabled": True, "action_type": "webhook"}, unique=(Unique(("name",)),)),
    Model(
        "extras.configcontext",
        "extras/config-contexts",
        order=("weight", "name"),
        defaults={"weight": 1000, "is_active": True},
        unique=(Unique(("name",)),),
    ),
    Model("extras.configtemplate", "extras/config-templates"),
    Model(
        "extras.journalentry",
        "extras/journal-entries",
        display="{created} ({kind})",
        order=("-created",),
        defaults={"kind": "info"},
        search=("comments",),
    ),
)

OTHER = (
    Model("vpn.l2vpn", "vpn/l2vpns", defaults={"status": "active"}, unique=_SLUG, order=("name", "identifier")),
    Model(
        "vpn.l2vpntermination",
        "vpn/l2vpn-terminations",
        display="#{id}",
        order=("l2vpn",),
        unique=(Unique(("assigned_object_type", "assigned_object_id"), constraint="vpn_l2vpntermination_assigned_object"),),
        cascade=frozenset({"l2vpn"}),
    ),
    Model(
        "users.user",
        "users/users",
        display="{username}",
        order=("username",),
        unique=(Unique(("username",)),),
        natural="username",
        changes=False,
        read_only=True,
    ),
    Model(
        "users.token",
        "users/tokens",
        display="#{id}",
        order=("-created",),
        defaults={"enabled": True, "write_enabled": True},
        cascade=frozenset({"user"}),
        unkept=frozenset({"token", "key"}),
        columns={"_digest": "TEXT", "_key": "TEXT"},
    ),
    Model(
        "core.objectchange",
        "core/object-changes",
        display="{object_repr}",
        order=("-time", "-id"),
        natural="id",
        changes=False,
        read_only=True,
        search=("user_name", "object_repr"),
    ),
    Model("core.job", "core/jobs", order=("-created",), changes=False, read_only=True),
)

MODELS = (*ORGANISATION, *DEVICES, *IPAM, *EXTRAS, *OTHER)
"""All that is played, in no particular order."""
