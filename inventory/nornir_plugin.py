"""NetBox as Nornir inventory: network elements and servers are hosts, customers' ONTs are not.

Registered as `turnup-netbox`. nornir-netbox is not used: it is unmaintained, has no timeout, no retry and no choice of the kind of token,
and makes NetBox compute the config context of every device (docs/decisions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory, ParentGroups

from engine.errors import InventoryIncomplete
from inventory.client import NetBox
from inventory.rows import Device, parse
from inventory.session import OnCall, Patience
from inventory.sites import FIELDS, ROLES


@dataclass(frozen=True)
class ExtraHost:
    """A system that is not equipment and so not in NetBox: the cloud controller, logistics. Comes from the settings."""

    name: str
    platform: str
    hostname: str | None = None
    port: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


class NetBoxInventory:
    """Nornir inventory plugin (`nornir.core.plugins.inventory.InventoryPlugin`).

    A host has name and platform of its device, the primary IP as hostname, the custom field `mgmt_port` as port, and in its data `site`
    (name) and `role` (slug). What NetBox does not say is None: one incomplete device does not keep the others from being hosts. Logins and
    URLs are laid over it afterwards: NetBox keeps no secrets.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        roles: Sequence[str] = ROLES,
        extra_hosts: Sequence[ExtraHost | Mapping[str, Any]] = (),
        patience: Patience | None = None,
        ca_file: Path | str | None = None,
        insecure: bool = False,
        on_call: OnCall | None = None,
    ) -> None:
        """Take the options of `inventory.options`; `extra_hosts` may be mappings there, as YAML has no other."""
        self._client = NetBox(url, token, patience=patience, ca_file=Path(ca_file) if ca_file else None, insecure=insecure, on_call=on_call)
        self._roles = roles
        self._extra = [extra if isinstance(extra, ExtraHost) else ExtraHost(**extra) for extra in extra_hosts]

    def load(self) -> Inventory:
        """Read all hosts: one request per 1,000 devices. Raises InventoryError."""
        filters = {"role": self._roles, "status": "active", "fields": FIELDS}
        try:
            devices = [parse(Device, row) for row in self._client.read("dcim/devices", filters)]
        finally:
            self._client.close()
        defaults = Defaults()
        hosts = Hosts()
        named = [device for device in devices if device.name]  # NetBox takes devices without a name; nobody can mean one of those
        for host in (*map(self._host, named), *map(self._extra_host, self._extra)):
            if host.name in hosts:
                raise InventoryIncomplete(f"Two targets are named {host.name!r}", remedy="Names of elements and systems must be unique.")
            host.defaults = defaults
            hosts[host.name] = host
        return Inventory(hosts=hosts, groups=Groups(), defaults=defaults)

    @staticmethod
    def _host(device: Device) -> Host:
        return Host(
            name=device.name or "",
            hostname=device.primary_ip.address.partition("/")[0] if device.primary_ip else None,
            port=device.custom_fields.mgmt_port,
            platform=device.platform.slug if device.platform else None,
            groups=ParentGroups(),
            data={"site": device.site.name, "role": device.role.slug if device.role else None},
        )

    @staticmethod
    def _extra_host(extra: ExtraHost) -> Host:
        return Host(
            name=extra.name, hostname=extra.hostname, port=extra.port, platform=extra.platform, groups=ParentGroups(), data=dict(extra.data)
        )
