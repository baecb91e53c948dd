"""From an error to what happens next, by the failure policy of the catalogue."""

from __future__ import annotations

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import FailureRule
from engine.errors import LeaseLost
from engine.model import Step, StepResult, StepState
from engine.ports import Trouble
from engine.tree import Tree

_AGAIN = 1.0
"""Seconds."""


def after_trouble(
    catalogue: Catalogue, tree: Tree, step: Step, trouble: Trouble, real: float, transaction: str | None = None
) -> StepResult:
    """Retry later, hold for a person, or fail: what the first matching row of the policy says."""
    if trouble.code == LeaseLost.code:  # of the worker, not of the order: it is done again
        return StepResult(StepState.READY, trouble, due=real + _AGAIN, transaction=transaction)
    rule = rule_of(catalogue, tree, step, trouble)
    if rule.then == "retry" and step.failures < rule.limit:
        delay = min(rule.backoff * 2**step.failures, rule.backoff_max)
        return StepResult(StepState.READY, trouble, due=real + delay, transaction=transaction)
    then = rule.afterwards if rule.then == "retry" else rule.then
    return StepResult(StepState.FAILED if then == "fail" else StepState.HELD, trouble, transaction=transaction)


def rule_of(catalogue: Catalogue, tree: Tree, step: Step, trouble: Trouble) -> FailureRule:
    """The rule that decides about this trouble of this step."""
    item = tree.item_of(step)
    return catalogue.failure_rule(
        specification=item.specification if item else "*",
        step=str(step.kind),
        target=step.target or "*",
        code=trouble.code,
        error_class=str(trouble.error_class),
    )
