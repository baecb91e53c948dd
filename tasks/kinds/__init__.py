"""Kinds of targets: how a change gets to each platform, and what its targets can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.errors import TargetUnknown
from tasks.kinds.base import Kind
from tasks.kinds.netconf import NetconfKind

_NETCONF = NetconfKind()

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "bbf-olt": _NETCONF,
        "bbf-switch": _NETCONF,
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
