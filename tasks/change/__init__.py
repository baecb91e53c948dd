"""Wanted against applied configuration: the change that is sent, and its exact reverse.

One module per notation (`xml`, `set_lines`, `documents`) behind one interface (`format.Format`); what they have in common, the
rule of what is created, deleted and changed when several services share a device, is `difference`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.errors import TargetUnknown
from tasks.change.documents import Documents
from tasks.change.format import Format
from tasks.change.set_lines import SetLines
from tasks.change.xml import Xml

__all__ = ["FORMATS", "Format", "for_platform"]

_XML, _SET, _DOCUMENTS = Xml(), SetLines(), Documents()

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "bbf-olt": _XML,
        "bbf-switch": _XML,
        "junos": _SET,
        "kea": _DOCUMENTS,
        "freeradius": _DOCUMENTS,
        "genieacs": _DOCUMENTS,
        "openwifi": _DOCUMENTS,
        "logistics": _DOCUMENTS,
    }
)
"""Platform (the folder of its templates) -> notation of its configuration."""


def for_platform(platform: str) -> Format:
    """The notation of a platform. Raises TargetUnknown."""
    try:
        return FORMATS[platform]
    except KeyError:
        raise TargetUnknown(
            f"no configuration format is known for platform {platform!r}; known are {', '.join(sorted(FORMATS))}",
            remedy="Correct the device's platform in NetBox (or the settings), or add the platform to tasks/change.",
        ) from None
