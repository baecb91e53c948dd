"""What can be wrong with a catalogue although each entry by itself is right."""

from __future__ import annotations

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.problems import Problem


def check(catalogue: Catalogue) -> list[Problem]:
    """References from one entry to another that lead nowhere. (Expressions and templates are not looked at yet.)"""
    sources = catalogue.sources
    return [
        sources.problem(("offerings", offering.id, "specification"), f"no product specification `{offering.specification}`")
        for offering in catalogue.offerings.values()
        if offering.specification not in catalogue.products
    ]
