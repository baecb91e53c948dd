"""Cases as people and programs are shown them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from engine.documents import AnswerView, CaseView, NoteView, TroubleView
from engine.fallout.answers import possible, spelled
from engine.fallout.case import Case, Choice
from engine.model import StepKind
from engine.store import cases, waiting
from engine.store.cases import Filter
from engine.store.store import Store
from engine.tree import Tree


@dataclass(frozen=True)
class CaseFile:
    """A case, and what was tried before: the earlier cases of the same step, the oldest first."""

    case: CaseView
    earlier: list[CaseView]


def view(case: Case, now: datetime, answers: Sequence[Choice] | None = None) -> CaseView:
    """One case. `now` by the clock that people live in; `answers`: those that are possible by now, when they were looked for."""
    trouble = case.trouble
    until = case.ended or now
    return CaseView(
        **{name: getattr(case, name) for name in _SAME},
        state=str(case.state),
        trouble=None if trouble is None else TroubleView(code=trouble.code, message=trouble.message, remedy=trouble.remedy),
        age=(until - case.opened).total_seconds(),
        overdue=case.due is not None and until > case.due,
        answers=[AnswerView(answer=each.answer, values=dict(each.values), typed=spelled(each)) for each in answers or case.answers],
        answer=None if case.answer is None else str(case.answer),
        given=dict(case.given),
        notes=[NoteView(by=note.by, at=note.at, text=note.text) for note in case.notes],
    )


_SAME = (
    *("id", "order", "root", "item", "specification", "step", "kind", "target", "type", "queue", "assignee", "opened", "due", "waits_for"),
    *("tries", "answered_by", "outcome", "ended", "follows", "version"),
)


def listed(store: Store, wanted: Filter) -> list[CaseView]:
    """The cases that fit, the oldest first."""
    now = store.clock.now()
    return [view(case, now) for case in store.database.look(lambda tx: cases.listed(tx, wanted))]


def file_of(store: Store, case: str) -> CaseFile:
    """A case with those before it. Raises UnknownCase."""
    now = store.clock.now()
    with store.database.read() as tx:
        found = cases.get(tx, case)
        before = [each for each in cases.of_step(tx, found.root, found.step) if each.id != case and each.opened <= found.opened]
    answers = None if found.state.final else _possible(store, store.tree(found.root), found)
    return CaseFile(view(found, now, answers), [view(each, now) for each in before])


def cases_of(store: Store, tree: Tree) -> list[CaseView]:
    """The cases of the steps of an order that stand still. Asks only when there are any."""
    if not any(step.case for step in tree.steps.values()):
        return []
    now = store.clock.now()
    with store.database.read() as tx:
        found = [(view(case, now, _possible(store, tree, case)), case) for case in cases.listed(tx, Filter(root=tree.root.id))]
        return [shown.model_copy(update={"wait_before": _before(tx, tree, case)}) for shown, case in found]


def _before(tx: sa.Connection, tree: Tree, case: Case) -> int | None:
    step = tree.steps[case.step]
    return waiting.place(tx, step.awaits, step) if step.kind is StepKind.RESERVE and step.awaits else None


def _possible(store: Store, tree: Tree, case: Case) -> Sequence[Choice] | None:
    """What may be answered by now: since the case was opened a parcel may have passed its point of no return."""
    step = tree.steps.get(case.step)
    return None if step is None or step.case != case.id else possible(store.catalogue(tree.root.catalogue), tree, step)
