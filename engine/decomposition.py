"""From one level's items to the next level's, by the catalogue's rules. One function, applied twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine import expressions
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import ProductSpecification, ResourceSpecification, Rule, Scalar, ServiceSpecification, Specification
from engine.errors import UnknownSpecification
from engine.model import Action
from engine.states import Level


@dataclass(frozen=True)
class Line:
    """An item before it is one: what is ordered, with its characteristics, and which items above need it."""

    specification: str
    characteristics: Mapping[str, Scalar | None]
    serves: tuple[str, ...] = ()
    offering: str | None = None
    action: Action = Action.ADD
    instance: str | None = None
    """What it changes or ends."""
    outcome: str = ""
    """State of its instance when it is complete, where that is not the usual one."""


def specification(catalogue: Catalogue, level: Level, name: str) -> Specification:
    """The specification of an item of this level. Raises UnknownSpecification."""
    lookup = {Level.PRODUCT: catalogue.product, Level.SERVICE: catalogue.service, Level.RESOURCE: catalogue.resource}
    found: Specification = lookup[level](name)
    return found


def decompose(
    catalogue: Catalogue, level: Level, items: Sequence[tuple[str, Line]], context: Mapping[str, object]
) -> list[tuple[str, Line]]:
    """The lines of the level below, numbered in the order of the items and of their rules.

    An item of a lower level that two items ask for is one line that serves both: its characteristics are merged, later rules win.
    `items`: id and line of each item; `context`: what rules may use besides `c`, the characteristics of the item being decomposed.
    Raises UnknownSpecification, CharacteristicInvalid, TemplateFailed.
    """
    below = level.below
    if below is None:
        raise UnknownSpecification(f"{level} items are not decomposed further")
    found: dict[str, tuple[dict[str, Scalar | None], list[str]]] = {}
    for item, line in items:
        scope = {**context, "c": dict(line.characteristics)}
        for rule in _rules(specification(catalogue, level, line.specification)):
            if rule.when is not None and not expressions.holds(rule.when, scope):
                continue
            if not _fits(catalogue, below, rule.specification, line):
                continue
            given, serves = found.setdefault(rule.specification, ({}, []))
            given.update(_values(rule, scope))
            if item not in serves:
                serves.append(item)
    return [
        (f"{below.item_prefix}-{number:03d}", Line(name, complete(catalogue, below, name, given, context), tuple(serves)))
        for number, (name, (given, serves)) in enumerate(found.items(), start=1)
    ]


def complete(
    catalogue: Catalogue, level: Level, name: str, given: Mapping[str, Any], context: Mapping[str, object]
) -> dict[str, Scalar | None]:
    """Checked characteristics, every declared one present. Raises CharacteristicInvalid, UnknownSpecification."""
    known = {key: value for key, value in given.items() if value is not None}
    return catalogue.validate_characteristics(specification(catalogue, level, name), known, context)


def _values(rule: Rule, scope: Mapping[str, object]) -> dict[str, Scalar | None]:
    return {name: expressions.value(text, scope) if isinstance(text, str) else text for name, text in rule.characteristics.items()}


def _rules(found: Specification) -> tuple[Rule, ...]:
    return found.decompose if isinstance(found, ProductSpecification | ServiceSpecification) else ()


def _fits(catalogue: Catalogue, level: Level, name: str, line: Line) -> bool:
    """An RFS is for some access technologies; the service says which it is on."""
    found = specification(catalogue, level, name)
    technology = line.characteristics.get("technology")
    return not (
        isinstance(found, ResourceSpecification) and found.technology and technology is not None and technology not in found.technology
    )
