"""What transactions on all kinds of targets have in common: their time, their checks, and what they came to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from engine.errors import CheckFailed, LeaseLost, TargetTimeout, TurnupError
from engine.ports import CheckRequest, CheckResult, Outcome, Push, TransactionState, Trouble


class Deadline:
    """A point in time by the machine's monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds until then, never below zero."""
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether it has passed."""
        return time.monotonic() >= self._end

    def at_most(self, seconds: float) -> float:
        """Return the seconds left, `seconds` at the most."""
        return min(seconds, self.left())

    def require(self, target: str, what: str) -> float:
        """Return the seconds left. Raises TargetTimeout when there are none: `what` is not begun."""
        left = self.left()
        if left <= 0:
            raise TargetTimeout(f"{target}: the time of the transaction was over before {what}", target=target)
        return left


Check = Callable[[Mapping[str, str]], tuple[bool, str]]
"""Looks once: whether it is as it should be, and what was seen, as a sentence."""


def run_checks(requests: Sequence[CheckRequest], checks: Mapping[str, Check], deadline: Deadline) -> tuple[CheckResult, ...]:
    """Look at everything that was asked for, also after a failure: the engine must know whose change it was.

    What is not yet as it should be is looked at again until the deadline. A check that this kind of target does not know fails:
    nothing is green that was not looked at.
    """
    results = _look_at(requests, checks)
    pause = 0.05
    while (again := [n for n, result in enumerate(results) if _may_change(result, checks)]) and deadline.left() > pause:
        time.sleep(pause)  # a device's state, which sends us no event
        pause = min(pause * 2, 1.0)
        for n, result in zip(again, _look_at([requests[n] for n in again], checks), strict=True):
            results[n] = result
    return tuple(results)


def _may_change(result: CheckResult, checks: Mapping[str, Check]) -> bool:
    return not result.passed and result.name in checks


def _look_at(requests: Sequence[CheckRequest], checks: Mapping[str, Check]) -> list[CheckResult]:
    """Look once. What many steps of a batch ask in the same words (is all of it there?) is looked at once for all of them."""
    seen: dict[tuple[str, frozenset[tuple[str, str]]], tuple[bool, str]] = {}
    results = []
    for request in requests:
        question = request.name, frozenset(request.arguments.items())
        if question not in seen:
            seen[question] = _look(request, checks)
        results.append(CheckResult(request.step, request.name, *seen[question]))
    return results


def _look(request: CheckRequest, checks: Mapping[str, Check]) -> tuple[bool, str]:
    check = checks.get(request.name)
    if check is None:
        return False, f"this target knows no check {request.name!r}, only {', '.join(sorted(checks))}"
    return check(request.arguments)


def check_failed(push: Push, results: Sequence[CheckResult]) -> CheckFailed | None:
    """Return the error for the checks that did not pass, None when all did."""
    failed = [f"{result.name}: {result.evidence}" for result in results if not result.passed]
    return CheckFailed(f"{push.target}: {'; '.join(failed)}", target=push.target) if failed else None


def lease_lost(push: Push, before: str) -> LeaseLost:
    """Return the error for a lane that is no longer ours before a commit or its confirmation."""
    return LeaseLost(
        f"{push.target}: the lease of the lane ends before {before} would be over; the change was taken back", target=push.target
    )


def outcome(
    state: TransactionState,
    error: TurnupError | None = None,
    checks: tuple[CheckResult, ...] = (),
    learned: Mapping[str, Mapping[str, str]] | None = None,
) -> Outcome:
    """Return an outcome with the error as data."""
    return Outcome(state, Trouble.of(error) if error else None, checks, learned or {})
