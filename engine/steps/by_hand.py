"""What somebody says was done by hand: the target is read, and it is believed when it holds what is wanted, and no longer what is not.
Nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping

from engine.batch import Workplace
from engine.drift.before import way_back
from engine.errors import NotAsSaid
from engine.ports import Change, Fragment
from engine.steps.wanted import Work

_MOST_LINES = 5


def believe(
    at: Workplace,
    target: str,
    work: Work,
    applied: Mapping[str, Fragment],
    wanted: Mapping[str, Fragment],
    others: Mapping[str, frozenset[str]],
) -> None:
    """Return when the target holds what is to stand there after the step, nothing more of what stood there before (but what others state),
    and tells the values that the person gave.

    Raises NotAsSaid, TargetError. Of what the target holds instead nothing is told: it may be secret.
    """
    concerned = [*applied.values(), *wanted.values()]
    held = at.targets.held(target, concerned)
    left = way_back(at, held, concerned, list(wanted.values()), others, ())
    if left:
        raise NotAsSaid(f"{target} {_what(at, target, left)}", target=target)
    for name, value in work.step.given.items():
        if value not in held.text:
            raise NotAsSaid(f"{target} tells of no {name} {value}", target=target)


def _what(at: Workplace, target: str, left: Change) -> str:
    """What is missing, or is there still."""
    shown = [line.strip() for line in at.targets.show(target, left).splitlines()]
    for sign, words in (("+", "does not hold what is wanted"), ("-", "holds still what was to go")):
        lines = [line for line in shown if line.startswith(sign) and not line.startswith(sign * 3)]
        if lines:
            return f"{words}: {'; '.join(lines[:_MOST_LINES])}" + ("; ..." if len(lines) > _MOST_LINES else "")
    return "does not hold what is wanted, but something that contradicts it"
