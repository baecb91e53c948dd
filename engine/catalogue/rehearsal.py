"""Decompose each offering as an order with nothing chosen would be, and look whether every item finds its policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine import expressions
from engine.catalogue import characteristics
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import ProductOffering, Scalar, Specification
from engine.catalogue.names import ADDRESS, CUSTOMER
from engine.catalogue.problems import Path
from engine.decomposition import Line, decompose, specification
from engine.errors import TurnupError
from engine.states import Level

_FACTS: Mapping[str, object] = {
    "customer": {**CUSTOMER, "number": "4821"},
    "address": ADDRESS,
    "exchange": {"name": ADDRESS["exchange"]},
}


def rehearse(catalogue: Catalogue) -> Iterator[tuple[Path, str]]:
    """What goes wrong, by offering. Offerings that are not sold, or where the customer must choose something, are left out."""
    for offering in catalogue.offerings.values():
        product = catalogue.product(offering.specification)
        given = characteristics.offered(offering, {})
        undecided = [n for n, c in product.characteristics.items() if c.mandatory and c.default is None and n not in given]
        if offering.active and not undecided:
            try:
                _decompose(catalogue, offering, product, given)
            except TurnupError as error:
                yield ("offerings", offering.id), f"an order of it cannot be carried out: {error.message}"


def _decompose(catalogue: Catalogue, offering: ProductOffering, product: Specification, given: Mapping[str, Scalar]) -> None:
    chosen = _with_secrets(product, characteristics.validate(product, given, _FACTS))
    context = {**_FACTS, "p": chosen}
    lines = [("POI-001", Line(product.id, chosen, offering=offering.id))]
    for level in (Level.PRODUCT, Level.SERVICE):
        below = Level.SERVICE if level is Level.PRODUCT else Level.RESOURCE
        lines = [
            (name, Line(line.specification, _with_secrets(specification(catalogue, below, line.specification), line.characteristics)))
            for name, line in decompose(catalogue, level, lines, context)
        ]
    for _, line in lines:
        match = catalogue.resource(line.specification).policy
        if match:
            catalogue.policy_for({name: expressions.render(text, {"c": line.characteristics}) for name, text in match.items()})


def _with_secrets(found: Specification, values: Mapping[str, Scalar | None]) -> dict[str, Scalar | None]:
    """Something for the secrets that would be made."""
    made = {n: "x" * c.generate for n, c in found.characteristics.items() if c.generate is not None and values.get(n) is None}
    return {**values, **made}
