"""The embedded lab as this program uses it: brought up when something needs it, and its NetBox filled once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from engine.errors import SettingsInvalid
from lab import control
from lab.control import Lab, LabError
from lab.registry import PROFILES
from lab.supervisor import Wish
from turnup.errors import LabNotReady
from turnup.settings import Settings

NETBOX = "netbox"
EXAMPLE = "example"


def bring_up(settings: Settings) -> Lab:
    """Start what is missing of the lab; without its NetBox when the settings name another. Raises LabNotReady, SettingsInvalid."""
    settings.make_home()
    wish, profile = settings.lab, profile_of(settings)
    # None: all of them, whatever the profile
    names = None if settings.netbox.url is None else [one.name for one in PROFILES.get(profile, ()) if one.name != NETBOX]
    with _translated():
        return control.up(settings.lab_folder, time_scale=wish.time_scale, pace=wish.pace, profile=profile, names=names)


def profile_of(settings: Settings) -> str:
    """The profile of the settings, else the one that the lab was made with, else the worked example's."""
    if settings.lab.profile is not None:
        return settings.lab.profile
    try:
        return Wish.read(settings.lab_folder).profile
    except FileNotFoundError:
        return EXAMPLE


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
