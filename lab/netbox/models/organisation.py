"""Models of places and parties: sites, locations, tenants, contacts; users and their tokens; the change log."""

from lab.netbox.model import NAMED, Model, Unique

ORGANISATION = (
    Model(
        "dcim.site",
        "dcim/sites",
        defaults={"status": "active"},
        unique=NAMED,
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
    Model("tenancy.tenant", "tenancy/tenants", unique=NAMED, search=("slug",), counts={"device_count": ("dcim.device", "tenant")}),
    Model("tenancy.contact", "tenancy/contacts", search=("email", "phone", "address")),
)

ADMINISTRATION = (
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
        columns={"object_repr": "TEXT"},  # 4.4 has it and does not show it
        search=("user_name", "object_repr"),
    ),
)
