"""Models of addressing: VRFs, prefixes, ranges, addresses, VLANs, and L2VPNs."""

from lab.netbox.model import NAMED, Model, Unique

ADDRESSING = (
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
        unique=NAMED,
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
    Model("vpn.l2vpn", "vpn/l2vpns", defaults={"status": "active"}, unique=NAMED, order=("name", "identifier")),
    Model(
        "vpn.l2vpntermination",
        "vpn/l2vpn-terminations",
        display="#{id}",
        order=("l2vpn",),
        unique=(Unique(("assigned_object_type", "assigned_object_id"), constraint="vpn_l2vpntermination_assigned_object"),),
        cascade=frozenset({"l2vpn"}),
    ),
)
