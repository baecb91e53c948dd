"""Look whether what is waited for has happened: delivery, an Inform, the customer online.

Where the catalogue says how long that may take, it is an error once it is `overdue`. Only a look that says "not yet" makes it one: what
happened just in time, and was not seen because nobody looked, has happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from engine.batch import Batch, Settlement, Workplace, item_of, ref
from engine.catalogue.models import Wait
from engine.errors import Overdue, TargetUnknown, TurnupError
from engine.expressions import render
from engine.failpoints import Failpoint, reached
from engine.model import Item, Step, StepKind, StepResult, StepState
from engine.policy import after_trouble
from engine.ports import Answer, Look, Question, Trouble
from engine.tree import Tree


def carry_out(batch: Batch, at: Workplace) -> Iterator[Settlement]:
    """All questions of the batch go to the target together."""
    questions, waits, results = [], {}, {}
    for step in batch.steps:
        tree = batch.tree(step)
        try:
            waits[step.id] = wait = wait_of(at, tree, step, item_of(tree, step))
            scope, item = at.scope(tree), item_of(tree, step)
            context = scope.of_former(item) if _is_return(step) and item.replaces else scope.of_item(item)
            arguments = {name: render(text, context) for name, text in wait.arguments.items()}
            questions.append(Question(step.id, step.target or "", wait.until, arguments))
        except TurnupError as error:
            results[ref(step)] = after_trouble(at.catalogue(tree), tree, step, Trouble.of(error), at.clock.real())
    answers = at.targets.ask(questions) if questions else {}
    reached(Failpoint.ASKED)
    for step in batch.steps:
        if step.id in waits:
            results[ref(step)] = _result(batch, at, step, waits[step.id], answers.get(step.id))
    yield Settlement(results)


def wait_of(at: Workplace, tree: Tree, step: Step, item: Item) -> Wait:
    """What the catalogue says about this wait."""
    catalogue = at.catalogue(tree)
    if step.kind is StepKind.ONLINE:
        online = catalogue.service(item.specification).online
        if online is None:
            raise TargetUnknown(f"{item.specification} does not say how it is seen that the customer is online")
        return online
    found = catalogue.resource(item.specification)
    if _is_return(step) and found.returned is not None:
        return found.returned
    return (found.wait_before if "/before/" in step.key else found.wait)[step.part]


def _is_return(step: Step) -> bool:
    """Whether what the customer has to send back is waited for."""
    return "/returned" in step.key


def _result(batch: Batch, at: Workplace, step: Step, wait: Wait, answer: Answer | None) -> StepResult:
    tree, real, now = batch.tree(step), at.clock.real(), at.clock.now()
    overdue = step.overdue
    if overdue is None and wait.overdue is not None:
        overdue = (now + timedelta(hours=wait.overdue)).replace(microsecond=0)  # as it is stored
    if answer is None or answer.trouble is not None:
        trouble = (
            answer.trouble if answer and answer.trouble else Trouble.of(TargetUnknown(f"{step.target} gave no answer", target=step.target))
        )
        # that it cannot be asked for a while gives it no more time
        return replace(after_trouble(at.catalogue(tree), tree, step, trouble, real), overdue=overdue)
    if answer.look is Look.DONE:
        return StepResult(StepState.DONE, evidence=answer.evidence, learned=answer.learned)
    if overdue is not None and overdue <= now:
        late = after_trouble(at.catalogue(tree), tree, step, Trouble.of(_late(step, wait, answer)), real)
        # taken up again, by a person or because it happens after all, it has its whole time again
        return replace(late, evidence=answer.evidence, learned=answer.learned, awaits=answer.awaits)
    poll = min(wait.poll, at.settings.poll_at_most or wait.poll)
    return StepResult(StepState.WAITING, None, answer.evidence, answer.learned, answer.awaits, overdue, real + poll)


def _late(step: Step, wait: Wait, answer: Answer) -> Overdue:
    what = f": {answer.evidence}" if answer.evidence else ""
    return Overdue(f"{step.target}: `{wait.until}` has been waited for {wait.overdue:g} hours{what}", target=step.target)
