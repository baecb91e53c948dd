"""Filling the embedded lab's NetBox: once, and again when its devices have moved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from inventory.client import NetBox
from inventory.profile import load_profile
from inventory.seed import seed
from inventory.upsert import Counts, Progress
from turnup.embedded import NETBOX, profile_of
from turnup.settings import Settings

if TYPE_CHECKING:
    from lab.control import Lab


def seed_lab(settings: Settings, lab: Lab) -> None:
    """See to it that the lab's NetBox has the lab's profile with the addresses that its devices have now. Raises InventoryError."""
    if settings.netbox.url is not None:
        return  # somebody's own NetBox is only filled when they say so: `turnup inventory seed`
    profile = profile_of(settings)
    memory = settings.lab_folder / "seeded.json"
    wanted = json.dumps({"profile": profile, "endpoints": endpoints(lab)}, sort_keys=True)
    if not memory.exists() or memory.read_text("utf-8") != wanted:
        client = NetBox(lab.endpoints[NETBOX].url or "", lab.credentials.netbox_token)
        try:
            seed_netbox(client, profile, lab)
        finally:
            client.close()
        memory.write_text(wanted, "utf-8")


def seed_netbox(client: NetBox, profile: str, lab: Lab | None, progress: Progress | None = None) -> Counts:
    """Bring NetBox to what a profile says; what orders hold is not touched. Raises InventoryError, SettingsInvalid."""
    return seed(client, load_profile(profile), endpoints(lab) if lab else {}, progress=progress)


def endpoints(lab: Lab) -> dict[str, tuple[str, int]]:
    """Where the devices and servers of the lab listen."""
    return {name: (endpoint.host, endpoint.port) for name, endpoint in lab.endpoints.items()}
