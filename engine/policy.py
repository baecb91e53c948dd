"""From an error to what happens next, by the failure policy of the catalogue."""

from __future__ import annotations

import random
from dataclasses import dataclass

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
    then = rule.then
    if then == "retry":
        due = real + pause(rule, step.failures)
        if step.failures < rule.limit and not _too_late(rule, step, real, due):
            return StepResult(StepState.READY, trouble, due=due, transaction=transaction)
        then = rule.afterwards
    state = StepState.HELD if then in ("hold", "fallout") else StepState.FAILED
    return StepResult(state, trouble, transaction=transaction, rejected=then == "reject", undo=then == "undo")


def pause(rule: FailureRule, failures: int) -> float:
    """Seconds until the next attempt, after so many before this one."""
    whole = min(rule.backoff * 2 ** min(failures, 64), rule.backoff_max)
    return float(whole * (1 - rule.jitter * random.random()))  # noqa: S311 - it spreads load, it hides nothing


def _too_late(rule: FailureRule, step: Step, real: float, due: float) -> bool:
    return rule.until is not None and due > (step.failing or real) + rule.until


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


@dataclass(frozen=True)
class Decision:
    """What was decided about a step in trouble: by which rule (counted from 1), and how far its retries are."""

    number: int
    rule: FailureRule
    retries: int
    again: float | None
    """When it is tried again, in seconds since the epoch; None: not by itself."""


def decision(catalogue: Catalogue, tree: Tree, step: Step) -> Decision | None:
    """What the policy decided about a step; None when nothing is wrong with it."""
    if step.trouble is None or step.state is StepState.DONE or step.trouble.code == LeaseLost.code:
        return None
    rule = rule_of(catalogue, tree, step, step.trouble)
    number = next((n for n, each in enumerate(catalogue.failure_policy, start=1) if each is rule), 0)
    again = step.due if step.state is StepState.READY else None
    return Decision(number, rule, min(step.failures, rule.limit) if rule.then == "retry" else 0, again)
