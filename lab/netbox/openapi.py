"""NetBox' own OpenAPI document, compiled to what the engine needs: fields of responses and requests, choices, references, filters.

The documents are data (see `schema/README.md`): nothing here knows a field of any model.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

VERSIONS = {"4.6": "4.6.8", "4.4": "4.4.10"}
"""The versions that can be played: minor release -> the release whose document is kept."""

_FOLDER = Path(__file__).parent / "schema"
_REF = "#/components/schemas/"


class Kind(StrEnum):
    """How the value of a field is kept and shown."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    """Kept as its value, shown as `{"value": ..., "label": ...}`."""
    REFERENCE = "reference"
    """Kept as the id of another object, shown as that object in brief."""
    MANY = "many"
    """Kept as a list of ids."""
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a response or request component."""

    name: str
    kind: Kind
    target: str | None = None
    """The component that a reference is shown as."""
    choices: Mapping[Any, str] | None = None
    """Legal values and their labels."""
    nullable: bool = False
    blank: bool = False
    """Whether the empty string is a legal value of a choice."""
    required: bool = False
    read_only: bool = False
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None


Component = Mapping[str, Field]
"""The fields of a component, in the order of the document."""


@dataclass(frozen=True)
class Endpoint:
    """What the document says of one list path."""

    component: str
    """The component that answers."""
    request: str | None
    """The component that a POST takes; None when it takes none."""
    filters: frozenset[str]
    """The query parameters of the list. NetBox ignores all others."""


class OpenApi:
    """The document of one version. Components are compiled when they are first asked for."""

    def __init__(self, version: str) -> None:
        """Read the document of `version` ("4.6" or "4.4"). Raises KeyError for a version that is not kept."""
        self.minor = version
        self.release = VERSIONS[version]
        self._compiled: dict[str, Component] = {}
        document = self.document()
        self._schemas: dict[str, Any] = document["components"]["schemas"]
        self.endpoints = dict(_endpoints(document["paths"]))
        self.paths = frozenset(document["paths"])
        """All paths of the document, also those that are not played."""

    def document(self) -> dict[str, Any]:
        """Return the document with its supplement (1.4 MB of JSON: read anew each time rather than kept in memory)."""
        source = gzip.decompress((_FOLDER / f"openapi-v{self.release}-subset.json.gz").read_bytes())
        document: dict[str, Any] = json.loads(source)
        supplement = json.loads((_FOLDER / "supplement.json").read_text())
        schemas = document["components"]["schemas"]
        schemas |= {name: _derived(schemas, rule) for name, rule in supplement["components"].items()}
        for path, rule in supplement["paths"].items():
            document["paths"] |= _more_paths(document["paths"], path, rule)
        return document

    def has(self, name: str) -> bool:
        """Whether the document has a component of that name."""
        return name in self._schemas or name in self._compiled

    def component(self, name: str) -> Component:
        """Return the fields of a component. Raises KeyError when there is none of that name."""
        if name not in self._compiled:
            self._compiled[name] = _compile(self._schemas, self._schemas[name])
        return self._compiled[name]

    def forget_source(self) -> None:
        """Free what was not compiled: after this only components that were asked for before are known."""
        self._schemas = {}

    @cached_property
    def major_minor(self) -> tuple[int, int]:
        """The version as numbers, to compare."""
        major, minor = self.minor.split(".")
        return int(major), int(minor)


def _endpoints(paths: Mapping[str, Any]) -> Iterator[tuple[str, Endpoint]]:
    """Give the lists of objects: paths that have objects below them, by id."""
    for path, methods in paths.items():
        detail = paths.get(f"{path}{{id}}/")
        if "{" in path or detail is None or "$ref" not in _answer(detail["get"]):
            continue
        request = methods["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0] if "post" in methods else None
        filters = frozenset(parameter["name"] for parameter in methods["get"].get("parameters", ()))
        yield path.removeprefix("/api/").strip("/"), Endpoint(_name(_answer(detail["get"])), _name(request) if request else None, filters)


def _answer(method: Mapping[str, Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = method["responses"]["200"]["content"]["application/json"]["schema"]
    return schema


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).removeprefix(_REF)


def _more_paths(paths: Mapping[str, Any], path: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    """Build the list and object paths of a model of the supplement, with filters of the list that it resembles and some of its own."""
    known = paths[rule["filters_of"]]["get"]["parameters"]
    taken = [parameter for parameter in known if parameter["name"].partition("__")[0] in rule["filters"]]
    own = [{"in": "query", "name": name, "schema": {"type": "array", "items": {"type": "integer"}}} for name in rule["more_filters"]]
    answer = {"200": {"content": {"application/json": {"schema": {"$ref": _REF + rule["component"]}}}}}
    body = {"content": {"application/json": {"schema": {"oneOf": [{"$ref": _REF + rule["request"]}]}}}}
    return {
        path: {"get": {"parameters": [*taken, *own], "responses": answer}, "post": {"requestBody": body, "responses": answer}},
        f"{path}{{id}}/": {"get": {"responses": answer}},
    }


def _derived(schemas: Mapping[str, Any], rule: Mapping[str, Any]) -> dict[str, Any]:
    """Build a component of the supplement: some properties of another one, and some of its own."""
    base = schemas[rule["from"]]
    properties = {name: base["properties"][name] for name in rule["take"] if name in base["properties"]}
    required = [name for name in base.get("required", ()) if name in properties]
    return {"properties": {**properties, **rule.get("add", {})}, "required": required}


def _compile(schemas: Mapping[str, Any], schema: Mapping[str, Any]) -> Component:
    required = set(schema.get("required", ()))
    return {name: _field(schemas, name, spec, name in required) for name, spec in schema.get("properties", {}).items()}


def _field(schemas: Mapping[str, Any], name: str, spec: Mapping[str, Any], required: bool) -> Field:
    """Compile one property. `allOf` wraps a nullable reference, `oneOf` is a reference by id or attributes, or a text or its absence."""
    common: dict[str, Any] = {"nullable": bool(spec.get("nullable")), "required": required, "read_only": bool(spec.get("readOnly"))}
    for part in (*spec.get("oneOf", ()), *spec.get("allOf", ()), spec):
        target = _target(schemas, part)
        if target:
            nullable = common["nullable"] or bool(part.get("nullable"))
            return Field(name, Kind.REFERENCE, target=target, **{**common, "nullable": nullable})
    if "oneOf" in spec:
        return Field(name, Kind.TEXT, blank=True, **common, **_limits(spec["oneOf"][0]))
    if spec.get("type") == "array":
        target = _target(schemas, spec["items"])
        many = target is not None or spec["items"].get("type") == "integer"
        return Field(name, Kind.MANY if many else Kind.JSON, target=target, **common)
    if spec.get("type") == "object" and {"value", "label"} <= spec.get("properties", {}).keys():
        values, labels = (spec["properties"][part]["enum"] for part in ("value", "label"))
        named = [value for value in values if value not in ("", None)]
        return Field(name, Kind.CHOICE, choices=dict(zip(named, labels, strict=True)), blank="" in values, **common)
    kind = {"string": Kind.TEXT, "integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN}.get(
        spec.get("type", ""), Kind.JSON
    )
    choices = {value: str(value) for value in spec["enum"] if value not in ("", None)} if "enum" in spec else None
    return Field(name, kind, choices=choices, blank="" in spec.get("enum", ()), **common, **_limits(spec))


def _target(schemas: Mapping[str, Any], spec: Mapping[str, Any]) -> str | None:
    """Return the component that `spec` refers to when that is an object of its own, else None (a range of integers is not)."""
    inner = spec["allOf"][0] if "allOf" in spec else spec
    if "$ref" not in inner:
        return None
    name = _name(inner)
    base = name.removesuffix("Request")
    is_object = "id" in schemas.get(base, {}).get("properties", {})
    return base if is_object else None


def _limits(spec: Mapping[str, Any]) -> dict[str, Any]:
    lengths = {"min_length": spec.get("minLength"), "max_length": spec.get("maxLength"), "pattern": spec.get("pattern")}
    return {**lengths, "minimum": spec.get("minimum"), "maximum": spec.get("maximum")}
