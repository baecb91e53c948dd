"""docs/netbox.md says what the profiles and the code say."""

import re
from pathlib import Path

from inventory.fields import IMPORTED, QUARANTINE_TAG, AllocState, CustomFields
from inventory.needs import KEYS
from inventory.profile import ALLOCATABLE, load_model
from inventory.sites import ROLES

PAGE = (Path(__file__).parents[3] / "docs" / "netbox.md").read_text()


def table(heading: str) -> list[list[str]]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")]


def test_the_table_of_custom_fields_is_the_seeded_model() -> None:
    shown = {row[0].strip("`"): (row[1], row[2]) for row in table("Custom fields")}
    seeded = {
        one.name: (one.type, "allocatable" if one.objects == "allocatable" else ", ".join(one.object_types))
        for one in load_model().custom_fields
    }
    assert shown == seeded
    assert CustomFields.model_fields.keys() <= seeded.keys()
    assert ", ".join(ALLOCATABLE) in PAGE
    assert ", ".join(state.value for state in AllocState) in PAGE


def test_the_table_of_reservations_is_what_can_be_reserved() -> None:
    shown = {row[0].strip("`"): re.findall(r"`(\w+)`:", row[1])[0] for row in table("What an order takes")}
    assert shown == KEYS


def test_roles_and_tags_are_named() -> None:
    assert all(f"`{role}`" in PAGE for role in ROLES)
    assert f"`{IMPORTED}`" in PAGE
    assert f"`{QUARANTINE_TAG}`" in PAGE
    assert {IMPORTED, QUARANTINE_TAG} <= {tag.slug for tag in load_model().tags}
