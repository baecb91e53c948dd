"""Fallout cases: opened and closed where a step that is written is held, or is not any more; read, and changed by people's answers.

There is one place for that: whatever holds a step, and whatever ends it, is written by `Store.save`, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine.errors import CaseChanged, UnknownCase
from engine.fallout.answers import possible
from engine.fallout.case import Answer, Case, CaseState, Choice, Note
from engine.model import Step, StepState
from engine.policy import rule_of
from engine.ports import Trouble
from engine.store.rows import trouble_from, trouble_row
from engine.store.schema import UNANSWERED, cases
from engine.tree import Tree

if TYPE_CHECKING:
    from engine.catalogue.catalogue import Catalogue
    from engine.store.store import Store

PREFIX = "FC"
_NO_TROUBLE = "internal"


# -- with the steps ------------------------------------------------------------------------------------------------------


def record(tx: sa.Connection, store: Store, trees: Iterable[Tree]) -> None:
    """Open a case for each step of these trees that is held and has none; close those of steps that are not held any more."""
    trees = list(trees)
    left = [(tree, step) for tree in trees for step in tree.steps.values() if step.case and not step.held]
    held = [(tree, step) for tree in trees for step in tree.steps.values() if step.state is StepState.HELD and not step.case]
    if left:
        _close(tx, store.clock.now(), left)
    if held:
        _open(tx, store, held)


def _close(tx: sa.Connection, now: datetime, left: Sequence[tuple[Tree, Step]]) -> None:
    values = [{"number": step.case, "told": _outcome(step)} for _, step in left]
    closing = sa.update(cases).where(cases.c.id == sa.bindparam("number"), UNANSWERED)
    state = {"state": CaseState.CLOSED, "ended": now.isoformat(timespec="seconds"), "version": cases.c.version + 1}
    tx.execute(closing.values({**state, "outcome": sa.bindparam("told")}), values)
    for tree, step in left:
        tree.emit(step.order, step.item, "caseStateChange", now, id=step.case, state=str(CaseState.CLOSED), reason=_outcome(step))
        step.case = None


def _outcome(step: Step) -> str:
    """Why nobody need answer any more."""
    match step.state:
        case StepState.CANCELLED | StepState.FAILED:
            return f"the step is {step.state}"
        case StepState.DONE:
            return "the step is done"
        case _:
            return "it goes on by itself"


def _open(tx: sa.Connection, store: Store, held: Sequence[tuple[Tree, Step]]) -> None:
    before = _last(tx, [(tree.root.id, step.key) for tree, step in held])
    now, first = store.clock.now(), store.take_numbers(tx, PREFIX, len(held))
    opened = []
    for number, (tree, step) in enumerate(held, start=first):
        step.case = f"{PREFIX}-{number:05d}"
        case = _case(store.catalogue(tree.root.catalogue), tree, step, now, before.get((tree.root.id, step.key)))
        tree.emit(step.order, step.item, "caseCreate", now, id=case.id, queue=case.queue, step=step.key, type=case.type)
        opened.append(_row(case))
    tx.execute(sa.insert(cases), opened)


def _case(catalogue: Catalogue, tree: Tree, step: Step, now: datetime, before: Case | None) -> Case:
    """`before`: the case of the step's standstill before; whoever answered that one goes on with this one."""
    item, trouble = tree.item_of(step), step.trouble
    rule = rule_of(catalogue, tree, step, trouble) if trouble else None
    assignee = before.assignee if before and before.state is CaseState.ANSWERED else None
    return Case(
        id=step.case or "",
        root=tree.root.id,
        order=step.order,
        item=step.item,
        specification=item.specification if item else None,
        step=step.key,
        kind=str(step.kind),
        target=step.target,
        trouble=trouble,
        type=str(trouble.error_class) if trouble else _NO_TROUBLE,
        queue=rule.queue if rule else catalogue.last_rule.queue,
        state=CaseState.TAKEN if assignee else CaseState.OPEN,
        answers=possible(catalogue, tree, step),
        tries=step.failures or 1,
        opened=now,
        waits_for=step.awaits,
        follows=before.id if before else None,
        due=now + timedelta(hours=rule.due) if rule and rule.due is not None else None,
        assignee=assignee,
    )


def _last(tx: sa.Connection, steps: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Case]:
    """The newest case of each of these steps (root, key), where there was one."""
    roots = sorted({root for root, _ in steps})
    wanted = sa.select(cases).where(cases.c.root.in_(roots)).order_by(sa.func.length(cases.c.id), cases.c.id)
    found = {(row["root"], row["step"]): row for row in tx.execute(wanted).mappings()}
    return {key: _read(row) for key, row in found.items() if key in set(steps)}


# -- for people ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filter:
    """Which cases are listed; None: whatever it is."""

    queue: str | None = None
    assignee: str | None = None
    type: str | None = None
    root: str | None = None
    also_ended: bool = False


def get(tx: sa.Connection, case: str) -> Case:
    """A case by id. Raises UnknownCase."""
    row = tx.execute(sa.select(cases).where(cases.c.id == case)).mappings().one_or_none()
    if row is None:
        raise UnknownCase(f"there is no case {case}")
    return _read(row)


def listed(tx: sa.Connection, wanted: Filter) -> list[Case]:
    """The cases that fit, the oldest first."""
    statement = sa.select(cases).order_by(cases.c.opened, sa.func.length(cases.c.id), cases.c.id)
    if not wanted.also_ended:
        statement = statement.where(UNANSWERED)
    for name in ("queue", "assignee", "type", "root"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(cases.c[name] == value)
    return [_read(row) for row in tx.execute(statement).mappings()]


def of_step(tx: sa.Connection, root: str, step: str) -> list[Case]:
    """All cases of one step, the oldest first."""
    statement = sa.select(cases).where(cases.c.root == root, cases.c.step == step).order_by(sa.func.length(cases.c.id), cases.c.id)
    return [_read(row) for row in tx.execute(statement).mappings()]


def change(tx: sa.Connection, case: Case) -> Case:
    """Write a case that was changed since it was read. Raises CaseChanged when somebody else did so meanwhile."""
    row = _row(case) | {"version": case.version + 1}
    mine = sa.update(cases).where(cases.c.id == case.id, cases.c.version == case.version)
    if tx.execute(mine.values({name: value for name, value in row.items() if name != "id"})).rowcount != 1:
        raise CaseChanged(f"{case.id} was changed by somebody else at the same time")
    return _read(row)


# -- rows ----------------------------------------------------------------------------------------------------------------

_TIMES = ("opened", "due", "ended")


def _row(case: Case) -> dict[str, Any]:
    row = {each.name: getattr(case, each.name) for each in fields(case)}
    return row | {
        "trouble": trouble_row(case.trouble),
        "answers": [{"answer": str(choice.answer), "values": dict(choice.values)} for choice in case.answers],
        "notes": [{"by": note.by, "at": _text(note.at), "text": note.text} for note in case.notes],
        "given": dict(case.given),
        **{name: _text(row[name]) for name in _TIMES},
    }


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="seconds")


def _read(row: Mapping[Any, Any]) -> Case:
    values = {each.name: row[each.name] for each in fields(Case)}
    trouble: Trouble | None = trouble_from(row["trouble"])
    return Case(
        **values
        | {
            "trouble": trouble,
            "state": CaseState(row["state"]),
            "answers": tuple(Choice(Answer(each["answer"]), each["values"]) for each in row["answers"]),
            "notes": tuple(Note(each["by"], datetime.fromisoformat(each["at"]), each["text"]) for each in row["notes"]),
            "answer": Answer(row["answer"]) if row["answer"] else None,
            **{name: datetime.fromisoformat(row[name]) if row[name] else None for name in _TIMES},
        }
    )
