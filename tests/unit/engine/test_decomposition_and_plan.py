"""The worked example's decomposition and plan, from the project's own catalogue."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest
import sqlalchemy as sa

from engine.acceptance import Acceptance
from engine.context import Scope
from engine.errors import CharacteristicInvalid, InventoryIncomplete, UnknownSpecification
from engine.model import StepKind
from engine.plan import PlannedStep, share_commits
from engine.requests import OrderRequest
from engine.states import Level
from engine.steps import needs
from engine.store.schema import events, orders, steps
from engine.store.schema import items as items_table
from engine.tree import Tree
from tests.null_world import NullWorld, superfibre


@pytest.fixture
def tree(acceptance: Acceptance) -> Tree:
    draft = acceptance.draft(superfibre(4821))
    acceptance.rehearse(draft)
    return draft


def items(tree: Tree, level: Level) -> dict[str, str]:
    return {item.id: item.specification for item in tree.items.values() if item.level is level}


def test_product_to_service_to_resource(tree: Tree) -> None:
    assert items(tree, Level.SERVICE) == {
        "SOI-001": "CFS:Internet-Access",
        "SOI-002": "CFS:WiFi-Management",
        "SOI-003": "CFS:CPE-Management",
    }
    assert items(tree, Level.RESOURCE) == {
        "ROI-001": "RFS:GPON-Bearer",
        "ROI-002": "RFS:VLAN-Service",
        "ROI-003": "RFS:IP-Profile",
        "ROI-004": "RFS:QoS-Profile",
        "ROI-005": "RFS:Cloud-Controller",
        "ROI-006": "RFS:TR069-Config",
        "ROI-007": "RFS:CPE-Provisioning",
    }


def test_which_service_an_item_is_for_and_what_it_depends_on(tree: Tree) -> None:
    resources = {item.id: item for item in tree.items.values() if item.level is Level.RESOURCE}
    assert {name: item.parent for name, item in resources.items()} == {
        **dict.fromkeys(["ROI-001", "ROI-002", "ROI-003", "ROI-004"], "SOI-001"),
        "ROI-005": "SOI-002",
        "ROI-006": "SOI-003",
        "ROI-007": "SOI-003",
    }
    assert {name: item.depends_on for name, item in resources.items()} == {
        "ROI-001": (),
        "ROI-002": ("ROI-001",),
        "ROI-003": ("ROI-002",),
        "ROI-004": ("ROI-001",),
        "ROI-005": ("ROI-006",),
        "ROI-006": ("ROI-007",),
        "ROI-007": (),
    }


def test_key_characteristics(tree: Tree) -> None:
    by_id = {item.id: item.characteristics for item in tree.items.values()}
    assert by_id["ROI-001"]["bearerSpeed"] == "1G"
    assert by_id["ROI-001"]["oltArea"] == "EAST-07"
    assert by_id["ROI-003"]["ipVersion"] == "dualStack"
    assert by_id["ROI-003"]["dhcpPool"] == "EAST-RES"
    assert (by_id["ROI-004"]["download"], by_id["ROI-004"]["upload"], by_id["ROI-004"]["class"]) == ("200M", "50M", "residential")
    assert by_id["SOI-001"] | {"downloadSpeed": 200, "uploadSpeed": 50, "technology": "GPON"} == by_id["SOI-001"]


def test_both_branches_begin_with_the_reservation_and_do_not_wait_for_each_other(tree: Tree) -> None:
    shipping = tree.steps["ROI-007/configure/0"]
    assert shipping.needs == ("reserve",)
    network = {key for key, step in tree.steps.items() if step.item in {"ROI-001", "ROI-002", "ROI-003", "ROI-004"}}
    cpe = {key for key, step in tree.steps.items() if step.item in {"ROI-005", "ROI-006", "ROI-007"}}
    assert not [key for key in network if set(tree.steps[key].needs) & cpe]
    assert not [key for key in cpe if set(tree.steps[key].needs) & network]


def test_steps_that_meet_on_a_target_are_ready_together(tree: Tree) -> None:
    """Each target of the network branch needs one commit: whatever its steps wait for outside the target, all of them wait for."""
    by_target: dict[str, list[str]] = {}
    for key, step in tree.steps.items():
        if step.kind is StepKind.CONFIGURE:
            by_target.setdefault(step.target_expression, []).append(key)
    assert len(by_target["{{ port.device }}"]) == 3
    for keys in by_target.values():
        outside = [{need for need in tree.steps[key].needs if need not in keys} for key in keys]
        assert all(one == outside[0] for one in outside)


def test_commits_are_not_shared_where_that_would_make_a_circle() -> None:
    """a@X -> b@Y -> c@X: making a wait for b would be a circle."""

    def step(key: str, target: str, *needs: str) -> PlannedStep:
        return PlannedStep(key, StepKind.CONFIGURE, key, needs=needs, target=target)

    planned = {s.key: s for s in share_commits([step("a", "X"), step("b", "Y", "a"), step("c", "X", "b")])}
    assert list(TopologicalSorter({key: s.needs for key, s in planned.items()}).static_order()) == ["a", "b", "c"]


def test_needs_say_what_is_of_no_use_without_what(world: NullWorld, tree: Tree) -> None:
    found = {need.mark.name: need for need in needs.needs_of(_scope(world, tree))}
    assert list(found) == ["port", "ont", "vlan", "ipv4", "ipv6"]
    assert {mark.name for mark in found["vlan"].requires} == {"port", "ont"}
    assert {mark.name for mark in found["ipv4"].requires} == {"port", "ont", "vlan"}
    assert found["port"].pool == {"site": "EAST-07"}
    assert found["ont"].pool == {"model": "HG8245H"}
    assert found["vlan"].pool == {"group": "EAST-07-RES"}
    assert found["ipv4"].pool["prefix"] == "EAST-RES"


def _scope(world: NullWorld, tree: Tree) -> Scope:
    return Scope(tree, world.catalogue, world.inventory.site("EAST-07"), lambda name, _: name)


def test_another_product_is_yaml_alone(acceptance: Acceptance) -> None:
    """SuperFibre 500 with a static IPv4 address: one item more above, the same items below, another pool."""
    request = superfibre(4821).model_copy(update={"offering": "PO-SF500H"})
    draft = acceptance.draft(request)
    acceptance.rehearse(draft)
    assert "CFS:Static-IP" in items(draft, Level.SERVICE).values()
    assert len(items(draft, Level.RESOURCE)) == 7
    profile = next(item for item in draft.items.values() if item.specification == "RFS:IP-Profile")
    static = next(item for item in draft.items.values() if item.specification == "CFS:Static-IP")
    assert profile.characteristics["dhcpPool"] == "EAST-STATIC"
    assert static.id in profile.serves
    assert profile.parent == "SOI-001"


def test_secrets_are_sealed_wherever_they_go(world: NullWorld, acceptance: Acceptance) -> None:
    draft = acceptance.draft(superfibre(4821, wifiPassword="correct-horse-battery"))
    acceptance.rehearse(draft)
    assert "correct-horse-battery" not in repr(draft.items)
    below = next(item for item in draft.items.values() if item.specification == "RFS:TR069-Config")
    assert world.at.store.vault.open(below.characteristics["wifiPassword"]["$sealed"]) == "correct-horse-battery"
    radius = next(item for item in draft.items.values() if item.specification == "RFS:IP-Profile")
    assert len(world.at.store.vault.open(radius.characteristics["radiusPassword"]["$sealed"])) == 24


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"offering": "PO-SF200"}, UnknownSpecification, "PO-SF200H"),
        ({"characteristics": {"ssid": "x", "routerModel": "Toaster"}}, CharacteristicInvalid, "HG8245H"),
        ({"characteristics": {"ssid": "x", "colour": "red"}}, CharacteristicInvalid, "colour"),
        (
            {"level": Level.SERVICE, "offering": None, "specification": "CFS:Internet-Access", "characteristics": {"uploadSpeed": 50}},
            CharacteristicInvalid,
            "`downloadSpeed` is missing",
        ),
        ({"characteristics": {"ssid": 5}}, CharacteristicInvalid, "string"),
        ({"characteristics": {"ssid": "x", "downloadSpeed": 1000}}, CharacteristicInvalid, "200"),
    ],
)
def test_what_cannot_be_ordered(world: NullWorld, acceptance: Acceptance, changes: dict[str, object], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        acceptance.submit(superfibre(1).model_copy(update=changes))
    with world.at.store.database.read() as tx:
        assert not [table.name for table in (orders, items_table, steps, events) if tx.execute(sa.select(table)).first()]


def test_an_unreachable_inventory_leaves_nothing(world: NullWorld, acceptance: Acceptance, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise InventoryIncomplete(f"no site {name}")

    monkeypatch.setattr(world.inventory, "site", missing)
    with pytest.raises(InventoryIncomplete):
        acceptance.submit(superfibre(1))
    with world.at.store.database.read() as tx:
        assert tx.exec_driver_sql("select count(*) from orders").scalar() == 0


def test_a_service_order_is_decomposed_the_same_way(acceptance: Acceptance) -> None:
    request = OrderRequest.model_validate(
        {
            "externalId": "SO-upstream-1",
            "level": "service",
            "customer": {"id": "CUST-1"},
            "address": {"exchange": "EAST-07"},
            "items": [
                {
                    "specification": "CFS:Internet-Access",
                    "characteristics": {"downloadSpeed": 200, "uploadSpeed": 50, "technology": "GPON"},
                }
            ],
        }
    )
    draft = acceptance.draft(request)
    acceptance.rehearse(draft)
    assert list(items(draft, Level.RESOURCE)) == ["ROI-001", "ROI-002", "ROI-003", "ROI-004"]
