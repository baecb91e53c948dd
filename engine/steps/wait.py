"""Look whether what is waited for has happened: delivery, an Inform, the customer online."""

from __future__ import annotations

from collections.abc import Iterator

from engine.batch import Batch, Settlement, Workplace, item_of, ref
from engine.catalogue.models import Wait
from engine.errors import TargetUnknown, TurnupError
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
    return step.key.endswith("/returned")


def _result(batch: Batch, at: Workplace, step: Step, wait: Wait, answer: Answer | None) -> StepResult:
    tree, real = batch.tree(step), at.clock.real()
    if answer is None or answer.trouble is not None:
        trouble = (
            answer.trouble if answer and answer.trouble else Trouble.of(TargetUnknown(f"{step.target} gave no answer", target=step.target))
        )
        return after_trouble(at.catalogue(tree), tree, step, trouble, real)
    if answer.look is Look.DONE:
        return StepResult(StepState.DONE, evidence=answer.evidence, learned=answer.learned)
    poll = min(wait.poll, at.settings.poll_at_most or wait.poll)
    return StepResult(StepState.WAITING, evidence=answer.evidence, learned=answer.learned, awaits=answer.awaits, due=real + poll)
