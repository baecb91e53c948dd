"""What a step wants its target to hold, rendered from the templates of the order's catalogue or as it was before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.batch import item_of
from engine.catalogue.models import Configuration
from engine.context import Scope
from engine.errors import BeyondRecall
from engine.expressions import render
from engine.model import Action, Item, Step, StepKind
from engine.ports import CheckRequest, Fragment, Targets, Wanted
from engine.store.configurations import Entry


@dataclass(frozen=True)
class Work:
    """A step that changes what its target holds: what is to stand under which key, and what is looked at."""

    step: Step
    entries: tuple[Entry, ...]
    checks: tuple[CheckRequest, ...]

    @property
    def fragments(self) -> tuple[Fragment, ...]:
        """What it wants there."""
        return tuple(entry.fragment for entry in self.entries if entry.fragment is not None)


def configuration(scope: Scope, step: Step) -> Configuration:
    """What the catalogue says about this step."""
    return scope.catalogue.resource(item_of(scope.tree, step).specification).configure[step.part]


def own_key(scope: Scope, step: Step) -> str:
    """Key of what is the step's own: the id of its instance, `<service id>/<RFS>`. What cannot be taken away again (a delivered parcel)
    is each time something of its own, known by order and item."""
    item = item_of(scope.tree, step)
    key = item.instance or f"{item.order}/{item.specification}"
    lasts = step.kind is not StepKind.REMOVE and any(c.given_back_by for c in scope.catalogue.resource(item.specification).configure)
    return f"{key}/{scope.order_id or item.order}/{item.id}" if lasts else key


def work_of(scope: Scope, step: Step, targets: Targets, formers: Mapping[str, Entry] = MappingProxyType({})) -> Work:
    """Render what a step wants. `formers`: what its target held under the keys of the order before the order touched them.

    Raises TemplateFailed, TargetUnknown.
    """
    item = item_of(scope.tree, step)
    if step.kind is StepKind.CONFIGURE:
        return _configured(scope, step, item, targets)
    check = (CheckRequest(step.id, "readback", {}),)
    delivered = step.kind is StepKind.REMOVE or item.action is Action.ADD
    if delivered and (given_back := _given_back(scope, step, item, targets)) is not None:
        return Work(step, (given_back,), check)
    if step.kind is StepKind.REMOVE:
        return Work(step, (Entry(own_key(scope, step), None, root=step.root),), check)
    mine = [entry for key, entry in formers.items() if key == item.instance or key.startswith(f"{item.instance}/")]
    shared = [Entry(key, formers[key].fragment) for key in sorted({key for entry in mine for key in entry.shares} & formers.keys())]
    return Work(step, (*mine, *shared), check)


def _configured(scope: Scope, step: Step, item: Item, targets: Targets) -> Work:
    found = configuration(scope, step)
    context = scope.of_item(item)
    target, key = step.target or render(found.target, context), own_key(scope, step)
    shared = {render(s.key, context): s.template for s in found.shared}

    def made(name: str, template: str) -> Fragment:
        return targets.render(Wanted(target, name, template, context), scope.catalogue.templates)

    entries = [Entry(key, made(key, found.template), tuple(shared), step.root)]
    entries += [Entry(name, made(name, template)) for name, template in shared.items()]
    if item.action is Action.MODIFY and (given_back := _given_back(scope, step, item, targets)) is not None:
        entries.append(given_back)
    checks = tuple(CheckRequest(step.id, c.name, {name: render(text, context) for name, text in c.arguments.items()}) for c in found.check)
    return Work(step, tuple(entries), checks)


def _given_back(scope: Scope, step: Step, item: Item, targets: Targets) -> Entry | None:
    """What brings back something that cannot be taken away any more: a delivered parcel stays delivered, and is sent back."""
    found = next((c for c in scope.catalogue.resource(item.specification).configure if c.given_back_by), None)
    instance = scope.tree.instances.get(item.instance or "")
    if found is None or found.given_back_by is None or instance is None:
        return None
    if instance.started is None and not (step.trouble and step.trouble.code == BeyondRecall.code):
        return None
    target, context = step.target or "", scope.of_former(item) if item.replaces else scope.of_item(item)
    if render(found.target, context) != target:
        return None
    key = f"{instance.id}/{item.replaces or f'{item.order}/{item.id}'}/return"
    return Entry(key, targets.render(Wanted(target, key, found.given_back_by, context), scope.catalogue.templates), root=step.root)
