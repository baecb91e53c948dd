"""What somebody says was done by hand: the target is read, and it is believed when it holds what is wanted. Nothing is sent."""

from __future__ import annotations

from engine.errors import NotAsSaid
from engine.ports import Targets
from engine.steps.wanted import Work

_MOST_LINES = 5


def believe(targets: Targets, target: str, work: Work) -> None:
    """Return when the target holds what the step wants, and tells the values that the person gave.

    Raises NotAsSaid, TargetError. Of what the target holds instead nothing is told: it may be secret.
    """
    held = targets.held(target, work.fragments)
    change = targets.change(target, [targets.part(held, work.fragments, ())], work.fragments, {})
    if change:
        lines = [line.strip() for line in targets.show(target, change).splitlines() if line.startswith("+") and not line.startswith("+++")]
        missing = "; ".join(lines[:_MOST_LINES]) + ("; ..." if len(lines) > _MOST_LINES else "")
        raise NotAsSaid(
            f"{target} does not hold what is wanted" + (f": {missing}" if lines else ", but something that contradicts it"), target=target
        )
    for name, value in work.step.given.items():
        if value not in held.text:
            raise NotAsSaid(f"{target} tells of no {name} {value}", target=target)
