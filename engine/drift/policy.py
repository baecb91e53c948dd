"""What is done about a change that somebody else made to our configuration of a target."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class DriftPolicy(StrEnum):
    """By target, by platform, or for all (`*`)."""

    REFUSE = "refuse"
    """What would change it further is not sent: its step is held (DRIFT_FOUND)."""
    OVERWRITE = "overwrite"
    """It is put right with the change that is sent."""
    ADOPT = "adopt"
    """What the change does not touch stays as somebody made it, and counts as applied until an order changes it."""
    REPORT = "report"
    """Nobody looks before a push, and `repair` leaves it to a person: `check` tells of it."""


DEFAULT: Mapping[str, DriftPolicy] = MappingProxyType({"logistics": DriftPolicy.REPORT, "*": DriftPolicy.REFUSE})
"""A parcel that the carrier does not know any more is not to be sent again."""


def policy_of(said: Mapping[str, DriftPolicy], target: str, platform: str) -> DriftPolicy:
    """The policy of a target. Names are compared without case and with `_` for `-`, as environment variables spell them."""
    found = {_folded(name): policy for name, policy in {**DEFAULT, **said}.items()}
    return next(found[name] for name in (_folded(target), _folded(platform), "*") if name in found)


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")
