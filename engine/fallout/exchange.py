"""Doing a step again with another resource than the order has: that one is given back, the wanted one is reserved, and what is sent is
rendered anew. Possible as long as nothing stands anywhere that was made with the old one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.names import usable
from engine.errors import CaseChanged, ErrorClass
from engine.expressions import names
from engine.model import PUSHES, Item, Step, StepKind, StepState
from engine.ports import Mark
from engine.states import Level, OrderState
from engine.steps.needs import free_key, hold_back
from engine.tree import Tree

_NOTHING_SENT = (ErrorClass.REFUSED, ErrorClass.CHECK, ErrorClass.TEMPLATE)
"""Errors after which it is known that the target holds nothing of the step."""


def exchangeable(catalogue: Catalogue, tree: Tree, step: Step) -> list[Mark]:
    """What the order holds, a step that is held uses, and may still be another one."""
    order, item = tree.order_of(Level.RESOURCE), tree.item_of(step)
    if order is None or item is None or step.kind is not StepKind.CONFIGURE or tree.root.checksum or tree.root.withdrawn:
        return []
    mine = usable(catalogue, catalogue.resource(item.specification))
    found = [mark for mark in sorted(tree.allocations) if mark.order == order.id and mark.name in mine]
    return [mark for mark in found if all(_untouched(tree, user) for user in _users(catalogue, tree, mark.name))]


def exchange(catalogue: Catalogue, tree: Tree, step: Step, wanted: Mapping[str, str]) -> None:
    """Let everything that uses these resources wait until the wanted ones are reserved in the place of those that the order has. To be
    followed by `roll`; the step is no longer held. Raises CaseChanged when one of them is worked at this moment."""
    marks = [mark for mark in exchangeable(catalogue, tree, step) if mark.name in wanted]
    users = {user.id for mark in marks for user in _users(catalogue, tree, mark.name)}
    busy = next((each for each in tree.steps.values() if each.item in users and each.state is StepState.RUNNING), None)
    if busy is not None:
        raise CaseChanged(f"{busy.key} is worked at this moment, with what is to be exchanged")
    lane = next(each.lane for each in tree.steps.values() if each.kind is StepKind.RESERVE)
    key = free_key(tree, marks[0].item)
    made = Step(0, step.root, step.order, key, StepKind.RESERVE, StepState.READY, item=marks[0].item, lane=lane)
    made.priority, made.given, made.due, made.noted = step.priority, dict(wanted), step.due, step.noted
    for each in tree.steps.values():
        told_by = {name.partition(".")[0] for name in names(each.target_expression)} if each.target_expression else set()
        if each.item in users and each.kind in PUSHES and told_by & wanted.keys():
            each.target = each.lane = None  # the wanted one may be elsewhere
    tree.steps[key] = made
    hold_back(tree, users, key)


def replaced_by(tree: Tree, step: Step) -> list[Mark]:
    """What the order holds in the place of which a reservation asks for another."""
    names = step.given.keys() if step.kind is StepKind.RESERVE and step.item else ()
    return [mark for mark in tree.allocations if mark.name in names and mark.order in tree.orders]


def _users(catalogue: Catalogue, tree: Tree, name: str) -> Iterable[Item]:
    order = tree.order_of(Level.RESOURCE)
    for item in tree.items_of(order.id) if order else ():
        found = catalogue.resource(item.specification)
        if name in usable(catalogue, found) or name in found.reserve:
            yield item


def _untouched(tree: Tree, item: Item) -> bool:
    pushes = [step for step in tree.steps_of(item.order, item.id) if step.kind in PUSHES]
    return item.state is not OrderState.COMPLETED and all(_nothing_sent(step) for step in pushes)


def _nothing_sent(step: Step) -> bool:
    if step.state is StepState.DONE or step.crashes:
        return False
    return step.trouble is None or step.trouble.error_class in _NOTHING_SENT
