"""What a configure step wants on its target: its fragments and its checks, rendered with the catalogue its order is pinned to."""

from __future__ import annotations

from dataclasses import dataclass

from engine.batch import item_of
from engine.catalogue.models import Configuration
from engine.context import Scope
from engine.expressions import render
from engine.model import Step
from engine.ports import CheckRequest, Fragment, Targets, Wanted


@dataclass(frozen=True)
class Work:
    """A configure step with everything it sends and looks at. `shared` are the keys that other services may hold too."""

    step: Step
    fragments: tuple[Fragment, ...]
    checks: tuple[CheckRequest, ...]


def configuration(scope: Scope, step: Step) -> Configuration:
    """What the catalogue says about this step."""
    return scope.catalogue.resource(item_of(scope.tree, step).specification).configure[step.part]


def own_key(scope: Scope, step: Step) -> str:
    """Key of the fragment that is the step's own: `<service id>/<RFS>`."""
    item = item_of(scope.tree, step)
    service = scope.service_of(item)
    return f"{service.instance if service and service.instance else item.order}/{item.specification}"


def work_of(scope: Scope, step: Step, targets: Targets) -> Work:
    """Render the fragments of a step. Raises TemplateFailed, TargetUnknown."""
    item, found = item_of(scope.tree, step), configuration(scope, step)
    context = scope.of_item(item)
    target = step.target or render(found.target, context)
    asked = [Wanted(target, own_key(scope, step), found.template, context)]
    asked += [Wanted(target, render(shared.key, context), shared.template, context) for shared in found.shared]
    checks = tuple(CheckRequest(step.id, c.name, {name: render(text, context) for name, text in c.arguments.items()}) for c in found.check)
    return Work(step, tuple(targets.render(wanted, scope.catalogue.templates) for wanted in asked), checks)
