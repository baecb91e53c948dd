"""What an order is while a part of it is held and others run: the worked example's way, and TM Forum's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.acceptance import Acceptance
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.loader import examine
from engine.catalogue.models import CatalogueSettings
from engine.ports import Push
from engine.states import OrderState, RollUp, roll_up
from engine.tree import Tree
from engine.worker import Worker
from tests.null_world import ROOT, NullWorld, superfibre

S = OrderState


@pytest.mark.parametrize(
    ("states", "held_wins", "running_wins"),
    [
        ([S.HELD, S.IN_PROGRESS], S.HELD, S.IN_PROGRESS),
        ([S.HELD, S.IN_PROGRESS, S.COMPLETED, S.ACKNOWLEDGED], S.HELD, S.IN_PROGRESS),
        ([S.HELD, S.COMPLETED], S.HELD, S.HELD),
        ([S.HELD, S.PENDING], S.HELD, S.HELD),  # nothing of ours runs
        ([S.HELD, S.ACKNOWLEDGED], S.HELD, S.HELD),
        ([S.HELD, S.FAILED], S.HELD, S.HELD),
    ],
)
def test_held_and_running(states: list[S], held_wins: S, running_wins: S) -> None:
    assert roll_up(states) == roll_up(states, RollUp.HELD_WINS) == held_wins
    assert roll_up(states, RollUp.RUNNING_WINS) == running_wins


def worked(world: NullWorld, policy: RollUp) -> Tree:
    """An order without a port, as it is while its parcel is ordered."""
    catalogue: Catalogue = replace(world.catalogue, settings=CatalogueSettings(roll_up=policy))
    world.inventory.left["olt-port"] = 0
    order = Acceptance(world.at, catalogue).submit(superfibre(1)).id
    seen: list[Tree] = []

    def look(push: Push) -> None:
        if push.target == "logistics":
            seen.append(world.at.store.tree(order))

    world.targets.fail = look
    worker = Worker(world.at)
    for lane in ("orders", "orders", "netbox/EAST-07", "logistics"):
        worker.drain(lane)
    return seen[0]


@pytest.mark.parametrize(("policy", "state"), [(RollUp.HELD_WINS, S.HELD), (RollUp.RUNNING_WINS, S.IN_PROGRESS)])
def test_an_order_without_a_port_whose_router_is_got_ready(world: NullWorld, policy: RollUp, state: S) -> None:
    tree = worked(world, policy)
    assert {order.state for order in tree.orders.values()} == {state}
    states = {item.id: item.state for item in tree.items.values()}
    assert (states["SOI-001"], states["ROI-001"], states["POI-001"]) == (S.HELD, S.HELD, state)


def test_it_is_a_setting_of_the_catalogue(tmp_path: Path) -> None:
    catalogue, problems = examine(ROOT / "catalog", ROOT / "templates")
    assert (problems, catalogue.settings.roll_up) == ([], RollUp.HELD_WINS)
    folder = tmp_path / "catalog"
    folder.mkdir()
    for file in (ROOT / "catalog").glob("*.yaml"):
        (folder / file.name).write_text(file.read_text("utf-8"), "utf-8")
    (folder / "settings.yaml").write_text("settings:\n  roll_up: running-wins\n")
    catalogue, problems = examine(folder, ROOT / "templates")
    assert (problems, catalogue.settings.roll_up) == ([], RollUp.RUNNING_WINS)
    assert Catalogue.restore(catalogue.dump()) == catalogue
    (folder / "zettings.yaml").write_text("settings: {roll_up: held-wins}\n")
    assert [str(problem) for problem in examine(folder, ROOT / "templates")[1]] == [
        "catalog/zettings.yaml:1: settings: are already at catalog/settings.yaml:1"
    ]
    (folder / "zettings.yaml").write_text("settings: {roll_up: nobody-wins}\n")
    (problem,) = examine(folder, ROOT / "templates")[1]
    assert "held-wins" in str(problem)
