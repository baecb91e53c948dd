"""What a resource order asks of the inventory, and which steps an allocation gives their target."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from engine.context import Scope
from engine.expressions import names, render
from engine.lines import replaced
from engine.model import Action, Item, StepKind, StepState
from engine.plan import RESERVE
from engine.ports import Allocation, Mark, Need, Shortage
from engine.states import Level
from engine.tree import Tree


def needs_of(scope: Scope) -> list[Need]:
    """Everything the order's items reserve.

    Required for a need is what its catalogue entry names, and all that the items reserve which its item depends on: what cannot be
    used is not taken.
    """
    tree = scope.tree
    order = tree.order_of(Level.RESOURCE)
    if order is None:
        return []
    items = [item for item in tree.items_of(order.id) if item.action in (Action.ADD, Action.MODIFY)]
    marks = {item.id: [Mark(order.id, item.id, name) for name in scope.catalogue.resource(item.specification).reserve] for item in items}
    by_name = {mark.name: mark for own in marks.values() for mark in own}
    common, exact = scope.common(), _asked_for(tree)
    found: list[Need] = []
    for item in items:
        inherited = {mark for name in all_dependencies(tree.items_of(order.id), item) for mark in marks.get(name, ())}
        context = scope.of_item(item, common)
        service = scope.service_of(item)
        for name, reservation in scope.catalogue.resource(item.specification).reserve.items():
            pool = {key: render(text, context) for key, text in reservation.pool.items()}
            required = inherited | {by_name[other] for other in reservation.requires if other in by_name}
            holder = service.instance if service and service.instance else ""
            if not (item.action is Action.MODIFY and _is_kept(tree, name, pool)):
                found.append(Need(by_name[name], reservation.kind, pool, holder, frozenset(required), exact.get(name)))
    asked = {need.mark for need in found}
    return [replace(need, requires=need.requires & asked) for need in found]


def _is_kept(tree: Tree, name: str, pool: Mapping[str, str]) -> bool:
    """Whether the subscription has this from an earlier order, from the right pool, and it is not to be exchanged."""
    earlier = [held for mark, held in tree.allocations.items() if mark.name == name and mark.order not in tree.orders]
    return bool(earlier) and earlier[-1].asked in ({}, pool) and name not in replaced(tree)


def leaving(scope: Scope) -> list[Allocation]:
    """What the subscription holds and, once the order is done, needs no longer: of items that end, and what others took the place of."""
    tree = scope.tree
    order = tree.order_of(Level.RESOURCE)
    ending = {i.specification for i in tree.items_of(order.id) if i.action is Action.DELETE} if order else set()
    gone = {name for specification in ending for name in scope.catalogue.resource(specification).reserve}
    newest = {mark.name: mark for mark in tree.by_age()}
    return [held for mark, held in tree.allocations.items() if mark.name in gone or mark != newest[mark.name]]


def _asked_for(tree: Tree) -> dict[str, str]:
    """The resources that a person asked for, by the name of their allocation."""
    return {name: value for step in tree.steps.values() if step.kind is StepKind.RESERVE for name, value in step.given.items()}


def missing(scope: Scope) -> list[Need]:
    """The needs that no allocation meets yet."""
    return [need for need in needs_of(scope) if need.mark not in scope.tree.allocations]


def bind(scope: Scope) -> set[str]:
    """Give steps the target that their expression names, now that it can be told. Returns the lanes.

    Steps whose target only an allocation that is still missing would tell stay without. Raises TemplateFailed.
    """
    tree, common = scope.tree, scope.common()
    unknown = {need.mark.name for need in missing(scope)}
    bound: set[str] = set()
    for step in tree.steps.values():
        item = tree.item_of(step)
        if step.target is not None or not step.target_expression or item is None or step.state.final:
            continue
        if {name.partition(".")[0] for name in names(step.target_expression)} & unknown:
            continue
        step.target = step.lane = render(step.target_expression, scope.of_item(item, common))
        bound.add(step.lane)
    return bound


def all_dependencies(items: list[Item], item: Item) -> set[str]:
    """The ids of all items that an item depends on, directly or not."""
    by_id = {i.id: i for i in items}
    found: set[str] = set()
    todo = list(item.depends_on)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += by_id[name].depends_on
    return found


def without(needs: Sequence[Need], marks: Collection[Mark]) -> tuple[list[Need], list[Shortage]]:
    """The needs but these and all that require them, which are short then; those come back as shortages."""
    gone = {need.mark: "" for need in needs if need.mark in marks}
    while more := {n.mark: mark.name for n in needs for mark in n.requires if n.mark not in gone and mark in gone}:
        gone |= more
    lost = [Shortage(mark, False, "", f"not taken without {name}") for mark, name in gone.items() if name]
    return [need for need in needs if need.mark not in gone], lost


def hold_back(tree: Tree, items: set[str], key: str) -> None:
    """Let all steps of these items that have not begun wait for another step too."""
    for step in tree.steps.values():
        if step.item in items and step.state in (StepState.BLOCKED, StepState.READY) and step.key != key and key not in step.needs:
            step.needs = (*step.needs, key)
            step.state = StepState.BLOCKED


def let_go(tree: Tree, items: set[str], key: str) -> None:
    """Let the steps of all items but these no longer wait for another step."""
    for step in tree.steps.values():
        if key in step.needs and step.item not in items:
            step.needs = tuple(need for need in step.needs if need != key)


def free_key(tree: Tree, item: str) -> str:
    """A key for one more reservation of an item."""
    key = f"{item}/{RESERVE}"
    return key if key not in tree.steps else f"{key}/{sum(name.startswith(key) for name in tree.steps)}"
