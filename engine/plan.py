"""The graph of steps that a resource order needs, from the catalogue alone: targets that only an allocation names are still expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from types import MappingProxyType

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.models import ResourceSpecification
from engine.model import PUSHES, Action, Item, StepKind

RESERVE = "reserve"
RELEASE = "release"


@dataclass(frozen=True)
class PlannedStep:
    """A step before it is one. `target` is an expression; empty: the inventory or the order layer itself."""

    key: str
    kind: StepKind
    item: str | None
    """Item that it belongs to; with `service=True` one of the service order."""
    part: int = 0
    needs: tuple[str, ...] = ()
    target: str = ""
    gates: bool = True
    outside: bool = False
    service: bool = False


def plan(
    catalogue: Catalogue,
    resources: Sequence[Item],
    services: Sequence[Item],
    *,
    online_gates: bool,
    held_by: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[PlannedStep]:
    """Steps of a resource order, in an order in which they could be done one by one.

    All that the order needs is reserved in one step first. An item's steps begin when the items it depends on are complete; of those
    that end the last one goes first. Steps that meet on one target share one commit where the dependencies allow it. What the order
    leaves is given back when nothing is configured for it any more. `held_by`: the targets that hold something of an ending item.
    """
    steps = [PlannedStep(RESERVE, StepKind.RESERVE, None)]
    ends: dict[str, tuple[str, ...]] = {}
    by_specification = {item.specification: item for item in resources}
    for item in _in_order(resources):
        if item.action in (Action.NO_CHANGE, Action.DELETE):
            ends[item.id] = (RESERVE,)
            continue
        found = catalogue.resource(item.specification)
        before = [key for name in found.depends_on if name in by_specification for key in ends[by_specification[name].id]]
        needs = tuple(before) or (RESERVE,)
        # what is only reserved is complete when that is put to use
        own = _of_item(item, found, needs) or [_activation(item.id, needs, gates=True)]
        ends[item.id] = _ends(own)
        steps += own
    steps += _removals([item for item in resources if item.action is Action.DELETE], ends, held_by)
    steps = share_commits(steps)
    steps += _releases(catalogue, resources, steps)
    steps += _activations(catalogue, resources, ends)
    steps += _online(catalogue, resources, services, ends, gates=online_gates)
    return steps


def _removals(ending: Sequence[Item], ends: dict[str, tuple[str, ...]], held_by: Mapping[str, Sequence[str]]) -> list[PlannedStep]:
    """The items that end, each after those that depend on it."""
    steps: list[PlannedStep] = []
    dependants: dict[str, set[str]] = {item.id: set() for item in ending}
    for item in ending:
        for name in dependants.keys() & set(item.depends_on):
            dependants[name].add(item.id)
    for name in TopologicalSorter(dependants).static_order():
        needs = tuple(key for dependant in sorted(dependants[name]) for key in ends[dependant]) or (RESERVE,)
        own = [PlannedStep(f"{name}/remove/{t}", StepKind.REMOVE, name, needs=needs, target=t) for t in held_by.get(name, ())]
        ends[name] = tuple(step.key for step in own) or needs
        steps += own
    return steps


def _releases(catalogue: Catalogue, resources: Sequence[Item], steps: Sequence[PlannedStep]) -> list[PlannedStep]:
    """What the order leaves is given back; what the customer still has when it is back, and nobody waits for that."""
    if not any(item.action in (Action.MODIFY, Action.DELETE) for item in resources):
        return []
    found = [PlannedStep(RELEASE, StepKind.RELEASE, None, needs=_ends(steps), gates=False)]
    for item in resources:
        returned = catalogue.resource(item.specification).returned
        if item.action not in (Action.MODIFY, Action.DELETE) or returned is None:
            continue
        removals = tuple(step.key for step in steps if step.kind in PUSHES and step.item == item.id)
        back = PlannedStep(
            f"{item.id}/returned", StepKind.WAIT, item.id, needs=removals or (RESERVE,), target=returned.target, gates=False, outside=True
        )
        found += [back, PlannedStep(f"{item.id}/{RELEASE}", StepKind.RELEASE, item.id, needs=(back.key, RELEASE), gates=False)]
    return found


def dependencies(catalogue: Catalogue, specifications: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Which of these RFS each depends on directly. An RFS that the order does not have is not waited for."""
    names = list(specifications)
    return {name: tuple(d for d in catalogue.resource(name).depends_on if d in names) for name in names}


def _in_order(resources: Sequence[Item]) -> list[Item]:
    by_id = {item.id: item for item in resources}
    return [by_id[name] for name in TopologicalSorter({item.id: item.depends_on for item in resources}).static_order()]


def _of_item(item: Item, found: ResourceSpecification, needs: tuple[str, ...]) -> list[PlannedStep]:
    """Wait, then configure everywhere at once, then wait."""
    stages: list[list[PlannedStep]] = [
        [
            PlannedStep(f"{item.id}/before/{n}", StepKind.WAIT, item.id, n, target=wait.target, outside=wait.outside)
            for n, wait in enumerate(found.wait_before)
        ],
        [PlannedStep(f"{item.id}/configure/{n}", StepKind.CONFIGURE, item.id, n, target=c.target) for n, c in enumerate(found.configure)],
        [
            PlannedStep(f"{item.id}/after/{n}", StepKind.WAIT, item.id, n, target=wait.target, outside=wait.outside)
            for n, wait in enumerate(found.wait)
        ],
    ]
    steps: list[PlannedStep] = []
    for stage in filter(None, stages):
        steps += [replace(step, needs=needs) for step in stage]
        needs = tuple(step.key for step in stage)
    return steps


def _ends(steps: Sequence[PlannedStep]) -> tuple[str, ...]:
    needed = {key for step in steps for key in step.needs}
    return tuple(step.key for step in steps if step.key not in needed)


def share_commits(steps: Sequence[PlannedStep]) -> list[PlannedStep]:
    """Let the steps that configure one target wait for each other's other needs, so that they are ready together.

    Not where that would make a circle: then the target is committed more than once.
    """
    by_key = {step.key: step for step in steps}
    groups: dict[str, list[str]] = {}
    for step in steps:
        if step.kind in PUSHES:
            groups.setdefault(step.target, []).append(step.key)
    for members in groups.values():
        outer = {need for key in members for need in by_key[key].needs} - set(members)
        if any(set(members) & _ancestors(by_key, need) for need in outer):
            continue
        for key in members:
            needs = by_key[key].needs
            by_key[key] = replace(by_key[key], needs=(*needs, *sorted(outer - set(needs))))
    order = TopologicalSorter({key: step.needs for key, step in by_key.items()}).static_order()
    return [by_key[key] for key in order]


def _ancestors(by_key: Mapping[str, PlannedStep], key: str) -> set[str]:
    found: set[str] = set()
    todo = [key]
    while todo:
        for need in by_key[todo.pop()].needs:
            if need not in found:
                found.add(need)
                todo.append(need)
    return found


def _activations(catalogue: Catalogue, resources: Sequence[Item], ends: Mapping[str, tuple[str, ...]]) -> list[PlannedStep]:
    """Resources go reserved -> active when the item that puts them to use is complete; nobody waits for it."""
    users: dict[str, None] = {}
    present = {item.specification: item.id for item in resources}
    for item in resources:
        if item.action not in (Action.ADD, Action.MODIFY):
            continue
        for reservation in catalogue.resource(item.specification).reserve.values():
            users[present.get(reservation.activated_by or item.specification, item.id)] = None
    made = [_activation(name, ends[name], gates=False) for name in users]
    return [step for step in made if step.needs != (step.key,)]


def _activation(item: str, needs: tuple[str, ...], *, gates: bool) -> PlannedStep:
    return PlannedStep(f"{item}/activate", StepKind.ACTIVATE, item, needs=needs, gates=gates)


def _online(
    catalogue: Catalogue, resources: Sequence[Item], services: Sequence[Item], ends: Mapping[str, tuple[str, ...]], *, gates: bool
) -> list[PlannedStep]:
    steps = []
    for service in services:
        found = catalogue.service(service.specification)
        if found.online is None or service.action is not Action.ADD:
            continue
        after = {i.id for i in resources if service.id in i.serves or i.specification in found.online_after}
        needs = tuple(key for name in sorted(after) for key in ends[name]) or (RESERVE,)
        steps.append(
            PlannedStep(
                f"{service.id}/online",
                StepKind.ONLINE,
                service.id,
                needs=needs,
                target=found.online.target,
                gates=gates,
                outside=True,
                service=True,
            )
        )
    return steps
