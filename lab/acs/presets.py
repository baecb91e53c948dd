"""Presets: which provisions a device gets, with which arguments (GenieACS' documentation, "Presets")."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.acs.query import BadQuery, matches
from lab.acs.scripts import Declaration, Setting, evaluate, parse
from lab.documents import Documents

_CONFIGURATIONS = ("provision", "value", "add_tag", "delete_tag")


class BadPreset(ValueError):
    """A preset that the stand-in does not understand."""


@dataclass(frozen=True)
class Wanted:
    """What a device's presets ask for: parameters to fetch anew, and what parameters and tags shall be, the last word counting."""

    refresh: frozenset[str]
    settings: Mapping[str, str | int | float | bool]
    tags: Mapping[str, bool]


def check(preset: object) -> dict[str, Any]:
    """Return a preset that is understood. Raises BadPreset."""
    if not isinstance(preset, dict):
        raise BadPreset("a preset is an object")
    for configuration in preset.get("configurations", []):
        if not isinstance(configuration, dict) or configuration.get("type") not in _CONFIGURATIONS:
            raise BadPreset(f"a configuration is one of {', '.join(_CONFIGURATIONS)}")
    try:
        matches({}, _precondition(preset))
    except (BadQuery, ValueError) as error:
        raise BadPreset(f"precondition: {error}") from error
    return preset


def wanted(documents: Documents, device: Mapping[str, Any], events: Collection[str]) -> Wanted:
    """Return what all presets that concern a device (as the northbound interface shows it) ask for, now that it informs with `events`."""
    settings: dict[str, str | int | float | bool] = {}
    refresh: set[str] = set()
    view = {**device, "DeviceID": _device_id(device)}
    concerned = [preset for _, preset in documents.all("preset") if _concerns(preset, view, events)]
    for preset in sorted(concerned, key=lambda preset: preset.get("weight", 0)):
        for configuration in preset.get("configurations", []):
            for setting in _settings(documents, configuration, refresh):
                settings[setting.path] = setting.value
    tags = {path.removeprefix("Tags."): bool(value) for path, value in settings.items() if path.startswith("Tags.")}
    return Wanted(frozenset(refresh), {path: value for path, value in settings.items() if not path.startswith("Tags.")}, tags)


def _settings(documents: Documents, configuration: Mapping[str, Any], refresh: set[str]) -> Sequence[Setting]:
    name = configuration["name"] if "name" in configuration else configuration.get("tag", "")
    if configuration["type"] == "value":
        return [Setting(name, configuration["value"])]
    if configuration["type"] in ("add_tag", "delete_tag"):
        return [Setting(f"Tags.{name}", configuration["type"] == "add_tag")]
    provision = documents.get("provision", name)
    declarations: list[Declaration] = parse(provision["script"]) if provision else []  # GenieACS passes over one that is missing
    refresh.update(declaration.path for declaration in declarations if declaration.refresh and not declaration.path.startswith("Tags."))
    return evaluate(declarations, configuration.get("args", []))


def _concerns(preset: Mapping[str, Any], view: Mapping[str, Any], events: Collection[str]) -> bool:
    if any((event in events) is not bool(due) for event, due in preset.get("events", {}).items()):
        return False
    return matches(view, _precondition(preset))


def _precondition(preset: Mapping[str, Any]) -> object:
    text = preset.get("precondition") or "{}"
    return json.loads(text) if isinstance(text, str) else text


def _device_id(device: Mapping[str, Any]) -> dict[str, str]:
    """Return what preconditions call DeviceID."""
    return {"ID": device["_id"], **{name.removeprefix("_"): value for name, value in device["_deviceId"].items()}}
