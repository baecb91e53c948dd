"""Models of equipment: catalogue of types, devices, modules, interfaces."""

from lab.netbox.model import NAMED, Model, Unique

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

DEVICES = (
    Model(
        "dcim.manufacturer",
        "dcim/manufacturers",
        unique=NAMED,
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
        unique=NAMED,
        cascade=frozenset({"parent"}),
        search=("slug",),
        counts={"device_count": ("dcim.device", "role")},
        tree=True,
    ),
    Model(
        "dcim.platform",
        "dcim/platforms",
        unique=NAMED,
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
)
