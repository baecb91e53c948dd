"""What people do with cases: take, note, answer. All of it is a change of the tables; the worker does what follows from an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.errors import AnswerNotPossible, CaseAnswered, CaseChanged, CaseClosed, CaseTaken
from engine.fallout.answers import chosen, possible, spelled
from engine.fallout.case import Answer, Case, CaseState, Choice, Note
from engine.fallout.exchange import exchange
from engine.model import PUSHES, Step, StepKind, StepResult, StepState
from engine.recall import take_back
from engine.store import cases
from engine.store.store import Store, Unit
from engine.tree import Tree


class Desk:
    """Where cases are dealt with. Each method is one transaction, so of two people one is first, and the other is told."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, case: str, person: str, *, over: bool = False) -> Case:
        """This person is at it from now on. `over`: also when somebody else was.

        Raises UnknownCase, CaseTaken, CaseAnswered, CaseClosed."""

        def work(unit: Unit) -> Case:
            tree, found = _open(unit, case)
            if found.assignee == person:
                return found
            if not over:
                _refuse_others(found, person)
            return self._changed(unit, tree, replace(found, state=CaseState.TAKEN, assignee=person))

        return self._store.change(work)

    def note(self, case: str, person: str, text: str) -> Case:
        """Write something down; also on a case that has ended. Raises UnknownCase."""

        def work(unit: Unit) -> Case:
            found = cases.get(unit.tx, case)
            unit.trees([found.root])  # whoever else changes a case of this order waits
            found = cases.get(unit.tx, case)
            return cases.change(unit.tx, replace(found, notes=(*found.notes, Note(person, self._store.clock.now(), text))))

        return self._store.change(work)

    def answer(
        self, case: str, answer: Answer, person: str, values: Mapping[str, str] | None = None, *, version: int | None = None
    ) -> Case:
        """Answer, once: the step goes on as the answer says, in the same transaction. `version`: refuse when the case has changed since.

        Raises UnknownCase, AnswerNotPossible, CaseAnswered, CaseClosed, CaseTaken (somebody else is at it), CaseChanged."""
        given = dict(values or {})

        def work(unit: Unit) -> Case:
            tree, found = _open(unit, case)
            if version is not None and version != found.version:
                raise CaseChanged(f"{found.id} was changed meanwhile: it has version {found.version}, not {version}")
            _refuse_others(found, person)
            step = tree.steps[found.step]
            if step.state is StepState.RUNNING:  # there may be capacity: a worker is asking for it, and an answer now would be lost
                raise CaseChanged(f"{found.id}: {found.step} is tried again at this moment")
            choice = chosen(found.id, possible(self._store.catalogue(tree.root.catalogue), tree, step), answer, given)
            _complete(found.id, step, choice, given)
            step.case = None
            self._carry_out(tree, step, choice.answer, given, f"{person} answered {found.id}: {answer}")
            told = replace(found, state=CaseState.ANSWERED, answer=answer, given=given, answered_by=person, ended=self._store.clock.now())
            return self._changed(unit, tree, replace(told, assignee=found.assignee or person))

        return self._store.change(work)

    def _carry_out(self, tree: Tree, step: Step, answer: Answer, values: dict[str, str], why: str) -> None:
        now, real = self._store.clock.now(), self._store.clock.real()
        match answer:
            case Answer.SKIP:
                tree.settle(step, StepResult(StepState.DONE, evidence=f"skipped: {why}"), now, real)
            case Answer.UNDO | Answer.CANCEL:
                take_back(self._store.catalogue(tree.root.catalogue), tree, why, now)
            case Answer.RETRY if values and step.kind is StepKind.CONFIGURE:
                tree.resume(step, now, real, why)
                exchange(self._store.catalogue(tree.root.catalogue), tree, step, values)
            case _:
                # a resource that was found by hand is claimed like one that is wanted: the inventory says whether it can be had
                step.given, step.by_hand = values, answer is Answer.DONE and step.kind in PUSHES
                tree.resume(step, now, real, why)
        tree.roll(now)

    def _changed(self, unit: Unit, tree: Tree, case: Case) -> Case:
        who = {"assignee": case.assignee} if case.state is CaseState.TAKEN else {"by": case.answered_by, "answer": str(case.answer)}
        tree.emit(case.order, case.item, "caseStateChange", self._store.clock.now(), id=case.id, state=str(case.state), **who)
        return cases.change(unit.tx, case)


def _open(unit: Unit, case: str) -> tuple[Tree, Case]:
    """The case and its order, nobody else's to change until the transaction ends. Raises UnknownCase, CaseAnswered, CaseClosed."""
    root = cases.get(unit.tx, case).root
    tree = unit.trees([root])[root]
    found = cases.get(unit.tx, case)
    if found.state is CaseState.ANSWERED:
        raise CaseAnswered(f"{found.id} was answered by {found.answered_by} at {found.ended:%Y-%m-%d %H:%M:%S}: {found.answer}")
    if found.state is CaseState.CLOSED:
        raise CaseClosed(f"{found.id} was closed at {found.ended:%Y-%m-%d %H:%M:%S}: {found.outcome}")
    return tree, found


def _complete(case: str, step: Step, choice: Choice, given: Mapping[str, str]) -> None:
    """Raise AnswerNotPossible for work done by hand of which it is not said what was found."""
    if choice.answer is not Answer.DONE:
        return
    missing = set(choice.values) - set(given)
    if (step.kind is StepKind.RESERVE and not given) or (step.kind is StepKind.CONFIGURE and missing):
        raise AnswerNotPossible(f"{case}: what was found? {spelled(choice)}")


def _refuse_others(case: Case, person: str) -> None:
    if case.assignee is not None and case.assignee != person:
        raise CaseTaken(f"{case.assignee} is at {case.id}")
