"""What follows from an error, by the failure policy: how often and when it is tried again, and what when nothing helped."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import FailureRule
from engine.errors import LeaseLost, ResourceExhausted, TargetRefused, TargetUnreachable
from engine.model import Item, Order, Step, StepKind, StepState
from engine.policy import after_trouble, decision, pause
from engine.ports import Trouble
from engine.states import Level, OrderState
from engine.tree import Tree

NOW = datetime(2024, 3, 11, 9, tzinfo=UTC)
SILENT = Trouble.of(TargetUnreachable("no answer", target="OLT"))


def tree_of(state: OrderState = OrderState.IN_PROGRESS) -> tuple[Tree, Step]:
    order = Order("RO-1", "RO-1", Level.RESOURCE, OrderState.IN_PROGRESS, NOW, "x")
    item = Item("RO-1", "ROI-001", "RO-1", Level.RESOURCE, "RFS:GPON-Bearer", state, 1)
    step = Step(1, "RO-1", "RO-1", "ROI-001/configure/0", StepKind.CONFIGURE, StepState.RUNNING, item="ROI-001", target="OLT", lane="OLT")
    return Tree([order], [item], [step]), step


def with_rules(*rules: FailureRule) -> Catalogue:
    return replace(Catalogue(), failure_policy=rules)


def tried(rule: FailureRule, times: int, *, each: float = 0.0) -> list[StepState]:
    """What was decided about so many failures in a row, each so many seconds after it was due."""
    tree, step = tree_of()
    real, found = 1000.0, []
    for _ in range(times):
        result = after_trouble(with_rules(rule), tree, step, SILENT, real)
        tree.settle(step, result, NOW, real)
        found.append(step.state)
        real = max(real, step.due) + each
        if step.state is not StepState.READY:
            break
        step.state = StepState.RUNNING
    return found


def test_so_often_and_then_a_case() -> None:
    rule = FailureRule(then="retry", limit=3, backoff=1)
    assert tried(rule, 9) == [StepState.READY] * 3 + [StepState.HELD]


def test_no_longer_than_until() -> None:
    """1 + 2 + 4 = 7 seconds after the first failure is in time, 15 is not."""
    rule = FailureRule(then="retry", limit=100, backoff=1, jitter=0, until=10, afterwards="fail")
    assert tried(rule, 9) == [StepState.READY] * 3 + [StepState.FAILED]
    assert tried(rule, 9, each=5.0) == [StepState.READY] * 2 + [StepState.FAILED]


def test_a_success_begins_to_count_anew() -> None:
    tree, step = tree_of()
    rule = FailureRule(then="retry", limit=1, backoff=1, until=10)
    tree.settle(step, after_trouble(with_rules(rule), tree, step, SILENT, 100.0), NOW, 100.0)
    assert (step.failures, step.failing) == (1, 100.0)
    tree.settle(step, after_trouble(with_rules(rule), tree, step, SILENT, 105.0), NOW, 105.0)
    assert (step.state, step.failing) == (StepState.HELD, 100.0)
    assert tree.resume(step, NOW, 200.0, "somebody says so")
    assert (step.failures, step.failing) == (0, 0.0)


@given(
    failures=st.integers(0, 500),
    backoff=st.floats(0, 1000),
    most=st.floats(0, 100_000),
    jitter=st.floats(0, 1),
)
def test_a_pause_doubles_up_to_its_most_and_only_shrinks_by_chance(failures: int, backoff: float, most: float, jitter: float) -> None:
    found = pause(FailureRule(then="retry", backoff=backoff, backoff_max=most, jitter=jitter), failures)
    whole = min(backoff * 2 ** min(failures, 64), most)
    assert whole * (1 - jitter) <= found <= whole


def test_what_failed_together_is_not_tried_together() -> None:
    rule = FailureRule(then="retry", backoff=60, jitter=0.5)
    assert len({pause(rule, 0) for _ in range(20)}) > 1


@pytest.mark.parametrize(
    ("then", "state"),
    [
        ("hold", StepState.HELD),
        ("fallout", StepState.HELD),
        ("fail", StepState.FAILED),
        ("reject", StepState.FAILED),
        ("undo", StepState.FAILED),
    ],
)
def test_what_is_not_tried_again(then: str, state: StepState) -> None:
    tree, step = tree_of()
    rule = FailureRule.model_validate({"then": then})
    result = after_trouble(with_rules(rule), tree, step, Trouble.of(TargetRefused("no")), 1.0)
    assert (result.state, result.rejected) == (state, then == "reject")


@pytest.mark.parametrize(("before", "after"), [(OrderState.ACKNOWLEDGED, OrderState.REJECTED), (OrderState.IN_PROGRESS, OrderState.FAILED)])
def test_an_item_is_rejected_when_nothing_of_it_has_begun(before: OrderState, after: OrderState) -> None:
    tree, step = tree_of(before)
    result = after_trouble(with_rules(FailureRule(then="reject")), tree, step, Trouble.of(ResourceExhausted("none")), 1.0)
    tree.settle(step, result, NOW, 1.0)
    tree.roll(NOW)
    (item,) = tree.items.values()
    assert (item.state, item.reason) == (after, "none")


def test_a_lost_lane_is_nobodys_failure() -> None:
    tree, step = tree_of()
    lost = Trouble.of(LeaseLost("a newer owner"))
    result = after_trouble(with_rules(FailureRule(then="fail")), tree, step, lost, 1.0)
    assert result.state is StepState.READY


def test_what_was_decided_can_be_told() -> None:
    other, rule = FailureRule(error="refused", then="fail"), FailureRule(then="retry", limit=4, backoff=8, jitter=0)
    tree, step = tree_of()
    catalogue = with_rules(other, rule)
    assert decision(catalogue, tree, step) is None
    tree.settle(step, after_trouble(catalogue, tree, step, SILENT, 100.0), NOW, 100.0)
    told = decision(catalogue, tree, step)
    assert told is not None
    assert (told.number, told.rule, told.retries, told.again) == (2, rule, 1, 108.0)
