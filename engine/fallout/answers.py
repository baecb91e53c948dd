"""Which answers a step that stands still can take: what the catalogue allows, and what the order's state does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import Configuration, ResourceSpecification, Wait
from engine.errors import AnswerNotPossible
from engine.expressions import names
from engine.fallout.case import Answer, Choice
from engine.fallout.exchange import exchangeable
from engine.model import PUSHES, Step, StepKind
from engine.ports import Mark
from engine.recall import may_go, past_return
from engine.states import Level
from engine.tree import Tree

FORMS: Mapping[str, str] = {
    "olt-port": "DEVICE:PORT",
    "stock": "ASSET-TAG",
    "vlan": "VID",
    "ipv4": "ADDRESS",
    "ipv6-prefix": "PREFIX",
}
"""How one resource of a kind is named, where it is one that is wanted (`engine.ports.Need.exact`)."""


def possible(catalogue: Catalogue, tree: Tree, step: Step) -> tuple[Choice, ...]:
    """The answers to a step that is held, the most usual first."""
    found: list[Choice] = []
    if step.kind is StepKind.RESERVE:
        wanted = _missing(catalogue, tree)
        found = [Choice(Answer.RETRY, wanted), Choice(Answer.DONE, wanted)]
    elif step.kind is StepKind.CONFIGURE:
        other = {mark.name: FORMS[tree.allocations[mark].kind] for mark in exchangeable(catalogue, tree, step)}
        found = [Choice(Answer.RETRY, other), Choice(Answer.DONE, _learned(catalogue, tree, step))]
    else:
        found = [Choice(Answer.RETRY), *([Choice(Answer.DONE)] if step.kind in PUSHES else [])]
    part = part_of(catalogue, tree, step)
    if part is not None and part.skippable:
        found.append(Choice(Answer.SKIP))
    if may_go(tree):
        found += [Choice(Answer.UNDO)] if past_return(catalogue, tree) else [Choice(Answer.UNDO), Choice(Answer.CANCEL)]
    return tuple(found)


def chosen(case: str, choices: Sequence[Choice], answer: Answer, values: Mapping[str, str]) -> Choice:
    """The choice that an answer is. Raises AnswerNotPossible, which says what is possible."""
    found = next((choice for choice in choices if choice.answer is answer), None)
    if found is None:
        raise AnswerNotPossible(f"{case} cannot be answered {answer}: possible is {', '.join(spelled(choice) for choice in choices)}")
    unknown = sorted(set(values) - set(found.values))
    if unknown:
        legal = ", ".join(found.values) or "none"
        raise AnswerNotPossible(f"{case}: {answer} takes no value {', '.join(unknown)}; it takes {legal}")
    empty = sorted(name for name, value in values.items() if not value.strip())
    if empty:
        raise AnswerNotPossible(f"{case}: no value is given for {', '.join(empty)}")
    return found


def spelled(choice: Choice) -> str:
    """An answer as it is typed: `retry [--with port=DEVICE:PORT]`."""
    return " ".join([choice.answer, *(f"[--with {name}={form}]" for name, form in choice.values.items())])


def part_of(catalogue: Catalogue, tree: Tree, step: Step) -> Configuration | Wait | None:
    """What the catalogue says about a step that configures or waits."""
    item = tree.item_of(step)
    if item is None:
        return None
    if step.kind is StepKind.ONLINE:
        return catalogue.service(item.specification).online
    if step.kind not in (StepKind.CONFIGURE, StepKind.WAIT) or item.level is not Level.RESOURCE:
        return None
    found: ResourceSpecification = catalogue.resource(item.specification)
    parts: Sequence[Configuration | Wait] = found.configure
    if step.kind is StepKind.WAIT:
        if "/returned" in step.key:
            return found.returned
        parts = found.wait_before if "/before/" in step.key else found.wait
    return parts[step.part] if step.part < len(parts) else None


def _missing(catalogue: Catalogue, tree: Tree) -> dict[str, str]:
    """The reservations of the order that no allocation meets, each with how one resource of its kind is named."""
    order = tree.order_of(Level.RESOURCE)
    if order is None:
        return {}
    return {
        name: FORMS[reservation.kind]
        for item in tree.items_of(order.id)
        for name, reservation in catalogue.resource(item.specification).reserve.items()
        if Mark(order.id, item.id, name) not in tree.allocations
    }


def _learned(catalogue: Catalogue, tree: Tree, step: Step) -> dict[str, str]:
    """What only the target tells of the step, and later steps or the report need."""
    item = tree.item_of(step)
    if item is None or item.level is not Level.RESOURCE:
        return {}
    used = {name for line in catalogue.resource(item.specification).report for name in names(line.value)}
    return {name.removeprefix("learned."): "VALUE" for name in sorted(used) if name.startswith("learned.")}
