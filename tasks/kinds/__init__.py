"""Kinds of targets: how a change gets to each platform, and what its targets can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.errors import TargetUnknown
from tasks.kinds.base import Kind
from tasks.kinds.freeradius import FREERADIUS
from tasks.kinds.genieacs import GENIEACS
from tasks.kinds.junos import JUNOS
from tasks.kinds.kea import KEA
from tasks.kinds.logistics import LOGISTICS
from tasks.kinds.netconf import NETCONF
from tasks.kinds.openwifi import OPENWIFI

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "bbf-olt": NETCONF,
        "bbf-switch": NETCONF,
        "junos": JUNOS,
        "kea": KEA,
        "freeradius": FREERADIUS,
        "genieacs": GENIEACS,
        "openwifi": OPENWIFI,
        "logistics": LOGISTICS,
    }
)
"""Platform (the folder of its templates) -> kind."""


def for_platform(platform: str) -> Kind:
    """Return the kind of a platform. Raises TargetUnknown."""
    try:
        return KINDS[platform]
    except KeyError:
        raise TargetUnknown(
            f"nothing is known of how to reach platform {platform!r}; known are {', '.join(sorted(KINDS))}",
            remedy="Correct the device's platform in NetBox (or the settings), or add a module to tasks/kinds.",
        ) from None
