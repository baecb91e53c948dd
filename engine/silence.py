"""Saying of orders that wait for a target which does not answer: what is left alone, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.documents import ItemView, TargetView, TroubleView
from engine.model import Step, StepState
from engine.ports import Trouble
from engine.tree import Tree

Silent = Mapping[str, tuple[float, Trouble]]
"""Lanes whose target does not answer (engine.store.lanes.left_alone)."""


def explained(tree: Tree, views: Sequence[ItemView], silent: Silent) -> list[ItemView]:
    """The items, with the reason for those that wait because a target is left alone."""
    found = {(step.order, step.item): step for step in tree.steps.values() if _waits(step, silent)}
    return [_explained(view, found.get((view.order, view.id)), silent) for view in views]


def explained_targets(views: Sequence[TargetView], silent: Silent) -> list[TargetView]:
    """Likewise the targets that were not attempted."""
    return [
        view.model_copy(update={"message": _why(view.name, silent)}) if view.state == "notAttempted" and view.name in silent else view
        for view in views
    ]


def _waits(step: Step, silent: Silent) -> bool:
    return step.state is StepState.READY and step.trouble is None and step.lane in silent


def _explained(view: ItemView, waits: Step | None, silent: Silent) -> ItemView:
    if waits is None or waits.lane is None or view.trouble is not None:
        return view
    _, trouble = silent[waits.lane]
    told = TroubleView(code=trouble.code, message=_why(waits.lane, silent), remedy=f"{trouble.remedy} It goes on by itself then.".strip())
    steps = [step.model_copy(update={"trouble": told}) if step.key == waits.key else step for step in view.steps]
    return view.model_copy(update={"trouble": told, "reason": view.reason or told.message, "steps": steps})


def _why(lane: str, silent: Silent) -> str:
    return f"waits until {lane} answers again: {silent[lane][1].message}"
