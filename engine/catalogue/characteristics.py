"""The rules that a specification sets for the values of its characteristics."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine import expressions
from engine.catalogue.models import Characteristic, ProductOffering, Scalar, Specification
from engine.errors import CharacteristicInvalid
from engine.suggest import unknown

_TYPES: Mapping[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "boolean": (bool,)}


def validate(
    specification: Specification, given: Mapping[str, Scalar], context: Mapping[str, object] | None = None
) -> dict[str, Scalar | None]:
    """The characteristics of an item: what was given, completed by defaults; None where neither says anything.

    A secret that is made when none is given (`generate`) is None here. `context` is for defaults that hold expressions.
    Raises CharacteristicInvalid with everything that is wrong; TemplateFailed when a default cannot be rendered.
    """
    declared = specification.characteristics
    wrong = [unknown("characteristic", name, declared) for name in given if name not in declared]
    values: dict[str, Scalar | None] = {}
    for name, characteristic in declared.items():
        found = given.get(name)
        if found is None and characteristic.default is not None:
            found = _default(characteristic, context or {})
        values[name] = found
        if found is not None:
            wrong += [f"`{name}` {complaint}" for complaint in complaints(characteristic, found)]
        elif characteristic.mandatory and characteristic.generate is None:
            wrong.append(f"`{name}` is missing{_legal(characteristic)}")
    if wrong:
        raise CharacteristicInvalid(f"{specification.id}: " + "; ".join(wrong))
    return values


def offered(offering: ProductOffering, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """What an order line of this offering says: the offering's defaults, what the customer chose, what the offering fixes.

    Raises CharacteristicInvalid when the customer chose another value than the fixed one.
    """
    wrong = [
        f"`{name}` is {given[name]!r}; {offering.name} fixes it to {value!r}"
        for name, value in offering.characteristics.items()
        if name in given and given[name] != value
    ]
    if wrong:
        raise CharacteristicInvalid(f"{offering.id}: " + "; ".join(wrong))
    return {**offering.defaults, **given, **offering.characteristics}


def complaints(characteristic: Characteristic, value: Scalar) -> list[str]:
    """What is wrong with a value, as ends of sentences that begin with the characteristic's name. Secrets are not repeated."""
    shown = "the value given" if characteristic.secret else repr(value)
    # bool is an int in Python, but true is not a speed
    if not isinstance(value, _TYPES[characteristic.type]) or (isinstance(value, bool) and characteristic.type != "boolean"):
        return [f"is {shown}, {_article(characteristic.type)} is needed{_legal(characteristic)}"]
    if characteristic.values and value not in characteristic.values:
        return [f"is {shown}{_legal(characteristic)}"]
    if characteristic.pattern is not None and not re.fullmatch(characteristic.pattern, str(value)):
        return [f"is {shown}, which does not match {characteristic.pattern}"]
    return []


def as_typed(characteristic: Characteristic | None, text: str) -> Scalar:
    """A value that was written as text: in a cell, on a command line. What is not of its characteristic's type stays text, and is refused
    as that."""
    word = text.strip()
    if characteristic is not None and characteristic.type == "integer" and re.fullmatch(r"[+-]?[0-9]+", word):
        return int(word)
    if characteristic is not None and characteristic.type == "boolean" and word.lower() in ("true", "false"):
        return word.lower() == "true"
    return text


def _default(characteristic: Characteristic, context: Mapping[str, object]) -> Scalar | None:
    return expressions.value(characteristic.default, context) if isinstance(characteristic.default, str) else characteristic.default


def _legal(characteristic: Characteristic) -> str:
    return f"; legal values: {', '.join(map(str, characteristic.values))}" if characteristic.values else ""


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "integer" else f"a {kind}"
