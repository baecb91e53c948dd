"""The Nornir object: hosts from NetBox and from the settings, with the access that settings or lab give."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nornir import InitNornir
from nornir.core import Nornir

from inventory.nornir_plugin import ExtraHost
from inventory.session import Patience
from tasks import access as reach
from turnup import reaching
from turnup.settings import Settings

if TYPE_CHECKING:
    from lab.control import Lab

CALLBACK = "callback"
"""Name of the URL that the carrier is given to tell of deliveries."""


def nornir(settings: Settings, netbox: tuple[str, str], lab: Lab | None) -> Nornir:
    """Nornir over all targets. Raises InventoryError when NetBox cannot be asked."""
    url, token = netbox
    options = {
        "url": url,
        "token": token,
        "ca_file": settings.netbox.ca_file,
        "insecure": settings.netbox.insecure,
        "patience": Patience(read=settings.netbox.timeout),
        "extra_hosts": [ExtraHost(name, host.platform, host.hostname, host.port) for name, host in settings.hosts.items()],
    }
    found = InitNornir(
        inventory={"plugin": "turnup-netbox", "options": options},
        runner={"plugin": "deadline"},
        logging={"enabled": False},  # else it writes nornir.log into the working directory
    )
    of_lab = reaching.of_lab(lab) if lab else {}
    reach.apply(found.inventory, reaching.of_settings(settings.targets, found.inventory.hosts.values(), of_lab))
    return found


def tell_callback(found: Nornir, url: str) -> None:
    """Let the carrier be told this URL with every shipment from now on."""
    for host in found.inventory.hosts.values():
        if host.platform == "logistics":
            known = reach.access_of(host)
            told = replace(known, urls={**known.urls, CALLBACK: url})
            reach.apply(found.filter(name=host.name).inventory, {host.name: told})
            host.close_connections()  # opened with what was known before
