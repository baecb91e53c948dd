"""The answer of a kind of target to a question that it does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nornir.core.inventory import Host

from engine.errors import TargetRefused
from engine.ports import Answer, Look, Question, Trouble


def not_known(question: Question, known: Sequence[str] = ()) -> Answer:
    """Return the answer for a name that the catalogue should not have used."""
    names = f"it knows {', '.join(known)}" if known else "nothing can be waited for there"
    error = TargetRefused(f"{question.target} cannot be asked for {question.until!r}: {names}", target=question.target)
    return Answer(Look.NOT_YET, error.message, trouble=Trouble.of(error))


def nothing_to_ask(questions: Sequence[Question], host: Host) -> Mapping[int, Answer]:  # noqa: ARG001 - the shape of Kind.ask
    """Answer all questions so."""
    return {question.step: not_known(question) for question in questions}
