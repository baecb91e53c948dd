"""The embedded lab as this program uses it: brought up when something needs it, and its NetBox filled once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from engine.errors import SettingsInvalid
from lab import control
from lab.control import Lab, LabError
from lab.registry import EMBEDDED
from turnup.errors import LabNotReady
from turnup.settings import Settings

NETBOX = "netbox"


def bring_up(settings: Settings) -> Lab:
    """Start what is missing of the lab; without its NetBox when the settings name another. Raises LabNotReady, SettingsInvalid."""
    names = [listing.name for listing in EMBEDDED if listing.name != NETBOX or settings.netbox.url is None]
    wish = settings.lab
    with _translated():
        return control.up(settings.lab_folder, time_scale=wish.time_scale, pace=wish.pace, profile=wish.profile, names=names)


def take_down(settings: Settings) -> None:
    """End the lab; its state and its time stay. Raises LabNotReady."""
    with _translated():
        control.down(settings.lab_folder)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except LabError as error:
        raise LabNotReady(str(error)) from error
    except ValueError as error:
        raise SettingsInvalid(str(error)) from error
