"""Models by which users shape NetBox: tags, custom fields and links, config contexts, event rules, journal."""

from lab.netbox.model import NAMED, Model, Unique

CUSTOMISATION = (
    Model(
        "extras.tag", "extras/tags", defaults={"color": "9e9e9e", "weight": 1000}, unique=NAMED, order=("weight", "name"), search=("slug",)
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
