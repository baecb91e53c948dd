"""Why an order stands still, and what a person may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from engine.documents import CaseView, DecisionView, OrderDocument, TroubleView
from turnup.screen.cases import by_itself, short


def troubles(document: OrderDocument) -> list[RenderableType]:
    """One panel for each reason, with the items that it stops."""
    found: dict[_Key, _Reason] = {}
    for item in document.items:
        if item.trouble is not None and item.state != "completed":
            found.setdefault(_key(item.trouble), _Reason(item.trouble)).stopped.append(item.id)
        for step in item.steps:
            if step.decision is not None and step.trouble is not None and _key(step.trouble) in found:
                found[_key(step.trouble)].decided.append(step.decision)
    for case in document.cases:
        if case.trouble is not None and _key(case.trouble) in found:
            found[_key(case.trouble)].cases.append(case)
    return [_panel(reason) for reason in found.values()]


_Key: TypeAlias = tuple[str, str]


def _key(trouble: TroubleView) -> _Key:
    return trouble.code, trouble.message


@dataclass
class _Reason:
    trouble: TroubleView
    stopped: list[str] = field(default_factory=list)
    decided: list[DecisionView] = field(default_factory=list)
    cases: list[CaseView] = field(default_factory=list)


def _panel(reason: _Reason) -> RenderableType:
    trouble = reason.trouble
    text = Text(trouble.message)
    text.append(f"\n\nStops: {', '.join(reason.stopped)}", "dim")
    text.append("\nWhat to do: ", "bold").append(trouble.remedy)
    for line in dict.fromkeys(map(_decision, reason.decided)):
        text.append("\nPolicy: ", "bold").append(line)
    for case in reason.cases:
        text.append("\nCase: ", "bold").append_text(short(case))
        if case.waits_for:
            text.append("\nGoes on by itself: ", "bold").append(by_itself(case))
        text.append("\nAnswers: ", "bold").append(", ".join(answer.typed for answer in case.answers))
    return Panel(text, title=f"[bold]{trouble.code}[/]", title_align="left", border_style="magenta", padding=(0, 1))


def _decision(decision: DecisionView) -> str:
    tried = f"; tried again {decision.retries} of {decision.limit} times" if decision.limit else ""
    again = f", next at {decision.next_try.astimezone():%H:%M:%S}" if decision.next_try else ""
    return f"rule {decision.rule} ({decision.applies_to}): {decision.what}{tried}{again}"
