"""The worked example's product in tests: what is ordered of it, and what there is of it."""

from __future__ import annotations

from typing import Any

from engine.acceptance import Acceptance
from engine.requests import OrderRequest
from engine.states import Level, OrderState
from engine.tree import Tree
from tests.null_world import NullWorld
from tests.unit.engine.conftest import Work

PRODUCT = "PI-BB-4821"


def change(action: str, name: str = "", **more: Any) -> OrderRequest:
    """An order on the worked example's product."""
    return OrderRequest.model_validate({"externalId": name or f"{action}-{PRODUCT}", "action": action, "product": PRODUCT, **more})


def actions(tree: Tree, level: Level = Level.RESOURCE) -> dict[str, str]:
    return {item.specification: str(item.action) for item in tree.items.values() if item.level is level}


def holds(world: NullWorld) -> dict[str, set[str]]:
    return {target: set(lines) for target, lines in world.targets.lines.items() if lines}


def instance_states(tree: Tree, level: Level) -> dict[str, str]:
    return {instance.id: instance.state for instance in tree.instances.values() if instance.level is level}


def ordered(acceptance: Acceptance, work: Work, request: OrderRequest) -> Tree:
    tree = work(acceptance.submit(request).id)
    assert tree.root.state is OrderState.COMPLETED, {key: (str(s.state), s.trouble) for key, s in tree.steps.items()}
    assert {item.state for item in tree.items.values()} == {OrderState.COMPLETED}
    return tree
