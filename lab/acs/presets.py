"""Presets: which provisions a device gets, with which arguments (GenieACS' documentation, "Presets")."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.acs.query import BadQuery, matches
from lab.acs.scripts import Setting, evaluate, parse
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


def _checked(preset: object) -> dict[str, Any]:
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


class Presets:
    """The presets and provisions: on disk, and read once, for every session looks at all of them."""

    def __init__(self, documents: Documents) -> None:
        """Use the documents of the stand-in."""
        self._documents = documents
        self._presets = {name: (preset, _precondition(preset)) for name, preset in documents.all("preset")}
        self._scripts = {name: parse(provision["script"]) for name, provision in documents.all("provision")}

    def put(self, name: str, preset: object) -> None:
        """Keep a preset. Raises BadPreset."""
        checked = {**_checked(preset), "_id": name}
        self._presets[name] = (checked, _precondition(checked))
        self._documents.put("preset", name, checked)

    def delete(self, name: str) -> None:
        """Forget a preset, if there is one."""
        self._presets.pop(name, None)
        self._documents.delete("preset", name)

    def put_provision(self, name: str, script: str) -> None:
        """Keep a provision. Raises ScriptError."""
        self._scripts[name] = parse(script)
        self._documents.put("provision", name, {"_id": name, "script": script})

    def delete_provision(self, name: str) -> None:
        """Forget a provision, if there is one."""
        self._scripts.pop(name, None)
        self._documents.delete("provision", name)

    def wanted(self, device: Mapping[str, Any], events: Collection[str]) -> Wanted:
        """Return what all presets that concern a device ask for, now that it informs with `events`.

        `device` is as the northbound interface shows it.
        """
        settings: dict[str, str | int | float | bool] = {}
        refresh: set[str] = set()
        view = {**device, "DeviceID": _device_id(device)}
        concerned = [preset for preset, precondition in self._presets.values() if matches(view, precondition) and _is_for(preset, events)]
        for preset in sorted(concerned, key=lambda preset: preset.get("weight", 0)):
            for configuration in preset.get("configurations", []):
                for setting in self._settings(configuration, refresh):
                    settings[setting.path] = setting.value
        tags = {path.removeprefix("Tags."): bool(value) for path, value in settings.items() if path.startswith("Tags.")}
        return Wanted(frozenset(refresh), {path: value for path, value in settings.items() if not path.startswith("Tags.")}, tags)

    def _settings(self, configuration: Mapping[str, Any], refresh: set[str]) -> Sequence[Setting]:
        name = configuration["name"] if "name" in configuration else configuration.get("tag", "")
        if configuration["type"] == "value":
            return [Setting(name, configuration["value"])]
        if configuration["type"] in ("add_tag", "delete_tag"):
            return [Setting(f"Tags.{name}", configuration["type"] == "add_tag")]
        declarations = self._scripts.get(name, [])  # GenieACS passes over one that is missing
        refresh.update(declaration.path for declaration in declarations if declaration.refresh and not declaration.path.startswith("Tags."))
        return evaluate(declarations, configuration.get("args", []))


def _is_for(preset: Mapping[str, Any], events: Collection[str]) -> bool:
    return all((event in events) is bool(due) for event, due in preset.get("events", {}).items())


def _precondition(preset: Mapping[str, Any]) -> object:
    text = preset.get("precondition") or "{}"
    return json.loads(text) if isinstance(text, str) else text


def _device_id(device: Mapping[str, Any]) -> dict[str, str]:
    """Return what preconditions call DeviceID."""
    return {"ID": device["_id"], **{name.removeprefix("_"): value for name, value in device["_deviceId"].items()}}
