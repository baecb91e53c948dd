"""Fallout cases: why something stands still, since when, who must act, what they may answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from engine.documents import CaseView
from engine.fallout.views import CaseFile
from turnup.screen import marks, tables


def table(found: Sequence[CaseView]) -> RenderableType:
    """A list of cases, the oldest first."""
    made = tables.titled("Cases", "Case", "State", "Since", "Who must act", "By", "Order", "Step", "Why", "Answers")
    for case in found:
        tables.row(
            made,
            case.id,
            marks.state(case.state),
            _ago(case.age),
            who(case),
            _by(case),
            case.root,
            f"{case.item or case.order} {case.kind}",
            case.trouble.message if case.trouble else "",
            _answered(case) or ", ".join(answer.answer for answer in case.answers),
        )
    return made


def whole(file: CaseFile) -> Iterator[RenderableType]:
    """All of a case."""
    case = file.case
    yield marks.state(case.state).append(f"  {case.id}", "bold").append(f"  {case.root}  {case.item or case.order}", "dim")
    yield Panel(
        _facts(case), title=f"[bold]{case.trouble.code if case.trouble else case.type}[/]", title_align="left", border_style="magenta"
    )
    if file.earlier:
        yield Group(Text("What was tried before", "bold"), *(Text(f"  {_tried(each)}") for each in file.earlier))
    if case.notes:
        yield Group(Text("Notes", "bold"), *(Text(f"  {note.at:%Y-%m-%d %H:%M} {note.by}: {note.text}") for note in case.notes))
    if not case.answer and not case.ended:
        lines = (Text(f"  turnup fallout answer {case.id} {answer.typed}") for answer in case.answers)
        yield Group(Text("Possible answers", "bold"), *lines)


def short(case: CaseView) -> Text:
    """A case in one line: who must act, since when, by when."""
    text = Text(f"{case.id}, {case.state} for {who(case)} since {_ago(case.age)}")
    if case.due is not None:
        text.append(f", to be answered by {_by(case)}", "red" if case.overdue else "")
    return text


def by_itself(case: CaseView) -> str:
    """What would make it go on without an answer, and how many come before it."""
    if not case.waits_for:
        return ""
    if case.kind != "reserve":
        return f"when it is told that `{case.waits_for}` has happened"
    before = {None: "", 0: "; it is next", 1: "; one order waits before it"}.get(
        case.wait_before, f"; {case.wait_before} orders wait before it"
    )
    return f"when there is {case.waits_for}{before}"


def who(case: CaseView) -> str:
    """The person who is at it, else the queue."""
    return f"{case.assignee} ({case.queue})" if case.assignee else case.queue


def _facts(case: CaseView) -> Text:
    text = Text(case.trouble.message if case.trouble else case.type)
    if case.trouble:
        text.append("\nWhat to do: ", "bold").append(case.trouble.remedy)
    tries = f", after {case.tries} tries" if case.tries > 1 else ""
    facts = {
        "Stands still": f"{_what(case)} (step {case.step}){tries}",
        "Since": f"{case.opened:%Y-%m-%d %H:%M} ({_ago(case.age)})",
        "Who must act": who(case),
        "By": _by(case),
        "Goes on by itself": by_itself(case),
        "Answer": _answered(case),
    }
    for name, value in facts.items():
        if value:
            text.append(f"\n{name}: ", "bold").append(value)
    return text


def _what(case: CaseView) -> str:
    where = f" on {case.target}" if case.target and case.kind != "reserve" else ""
    return f"{case.item or case.order}: {case.kind}{where}" + (f" for {case.specification}" if case.specification else "")


def _by(case: CaseView) -> str:
    return "" if case.due is None else f"{case.due:%Y-%m-%d %H:%M}" + (" (overdue)" if case.overdue else "")


def _answered(case: CaseView) -> str:
    if case.answer is None:
        return case.outcome
    values = "".join(f" {name}={value}" for name, value in case.given.items())
    return f"{case.answer}{values}, by {case.answered_by}"


def _tried(case: CaseView) -> str:
    why = case.trouble.message if case.trouble else case.type
    return f"{case.id} {case.opened:%Y-%m-%d %H:%M} {why}; {_answered(case)}"


def _ago(seconds: float) -> str:
    return marks.since(timedelta(seconds=max(0.0, seconds)))
