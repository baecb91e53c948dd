"""Saying of steps in trouble what the failure policy decided: which rule, how many tries of how many, when the next one is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.failure_words import conditions, words
from engine.documents import DecisionView, ItemView
from engine.policy import decision
from engine.tree import Tree


def decided(catalogue: Catalogue, tree: Tree, views: Sequence[ItemView]) -> list[ItemView]:
    """The items, with the decision about each step that is in trouble."""
    found = {key: told for key, step in tree.steps.items() if step.trouble and (told := _view(catalogue, tree, key))}
    return [_with(view, found) if any(step.key in found for step in view.steps) else view for view in views]


def _with(item: ItemView, found: dict[str, DecisionView]) -> ItemView:
    steps = [step.model_copy(update={"decision": found.get(step.key)}) for step in item.steps]
    return item.model_copy(update={"steps": steps})


def _view(catalogue: Catalogue, tree: Tree, key: str) -> DecisionView | None:
    found = decision(catalogue, tree, tree.steps[key])
    if found is None:
        return None
    retries = found.rule.then == "retry"
    return DecisionView(
        rule=found.number,
        applies_to=conditions(found.rule),
        what=words(found.rule),
        retries=found.retries,
        limit=found.rule.limit if retries else 0,
        next_try=None if found.again is None else datetime.fromtimestamp(found.again, UTC),
    )
