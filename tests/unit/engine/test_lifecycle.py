"""Orders that change, suspend, resume and end what earlier orders made: what flows down, what is given back, and whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.acceptance import Acceptance
from engine.dryrun import dry_run
from engine.errors import (
    CharacteristicInvalid,
    InstanceEnded,
    SubscriptionBusy,
    UnknownInstance,
)
from engine.model import StepKind
from engine.ports import Allocation
from engine.requests import OrderRequest
from engine.states import Level, OrderState
from engine.tree import Tree
from tests.null_world import NullWorld, superfibre
from tests.unit.engine.conftest import Work
from tests.unit.engine.the_line import PRODUCT, actions, change, holds, instance_states, ordered


def test_of_an_upgrade_only_the_qos_profile_flows_down(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    before, pushed = holds(world), len(world.targets.pushes)
    tree = ordered(acceptance, work, change("modify", offering="PO-SF500"))
    assert [name for name, action in actions(tree).items() if action == "modify"] == ["RFS:QoS-Profile"]
    assert set(actions(tree).values()) == {"modify", "noChange"}
    assert actions(tree, Level.SERVICE) == {
        "CFS:Internet-Access": "modify",
        "CFS:WiFi-Management": "noChange",
        "CFS:CPE-Management": "noChange",
    }
    assert {push.target for push in world.targets.pushes[pushed:]} == {"OLT-EAST-07", "BNG-EAST-01", "RADIUS-EAST-01"}
    after = holds(world)
    changed = {line for target in after for line in after[target] ^ before[target]}
    assert changed
    assert all("QoS" in text or "policy" in text or "traffic-descriptor" in text or "qos" in text for text in changed), changed
    product = tree.instances[PRODUCT]
    assert (product.state, product.offering, product.characteristics["downloadSpeed"]) == ("active", "PO-SF500", 500)
    assert tree.instances["SI-INT-4821"].characteristics["downloadSpeed"] == 500


def test_a_static_address_takes_the_place_of_the_other(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    before = dict(world.inventory.given)
    tree = ordered(acceptance, work, change("modify", characteristics={"staticIp": True}))
    assert [name for name, action in actions(tree).items() if action == "modify"] == ["RFS:IP-Profile"]
    assert actions(tree, Level.SERVICE)["CFS:Static-IP"] == "add"
    old = next(mark for mark in before if mark.name == "ipv4")
    assert old not in world.inventory.given
    assert [mark.name for mark in world.inventory.given if mark not in before] == ["ipv4"]
    assert instance_states(tree, Level.SERVICE)["SI-SIP-4821"] == "active"
    assert {mark.name for mark in tree.allocations} == {"port", "ont", "vlan", "ipv4", "ipv6"}


def test_nothing_new_touches_nothing(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    pushed, calls = len(world.targets.pushes), dict(world.inventory.given)
    tree = ordered(acceptance, work, change("modify", characteristics={"ssid": "SmithHome"}))
    assert set(actions(tree).values()) == {"noChange"}
    assert len(world.targets.pushes) == pushed
    assert world.inventory.given == calls


def test_another_ssid_touches_acs_and_cloud_alone(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    pushed = len(world.targets.pushes)
    tree = ordered(acceptance, work, change("modify", characteristics={"ssid": "Nest"}))
    assert {push.target for push in world.targets.pushes[pushed:]} == {"ACS-01", "cloudwifi"}
    assert tree.instances["SI-CPE-4821"].characteristics["ssid"] == "Nest"


def test_suspended_and_resumed_it_is_as_it_was(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    before = holds(world)
    tree = ordered(acceptance, work, change("suspend"))
    assert tree.instances[PRODUCT].state == "suspended"
    assert instance_states(tree, Level.SERVICE) == {"SI-INT-4821": "inactive", "SI-WIFI-4821": "active", "SI-CPE-4821": "active"}
    assert holds(world) != before
    assert any("WALLED-GARDEN" in text for text in world.targets.lines["BNG-EAST-01"])
    tree = ordered(acceptance, work, change("resume"))
    assert tree.instances[PRODUCT].state == "active"
    assert set(instance_states(tree, Level.SERVICE).values()) == {"active"}
    assert holds(world) == before


def test_after_a_cease_nothing_is_left(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    tree = ordered(acceptance, work, change("delete"))
    assert set(actions(tree).values()) == {"delete"}
    left = holds(world)
    assert set(left) == {"logistics"}, left  # what was shipped stays shipped, and is sent back
    assert any("cpe-return" in text for text in left["logistics"])
    assert world.inventory.given == {}
    assert tree.instances[PRODUCT].state == "terminated"
    assert {instance.state for instance in tree.instances.values()} == {"terminated"}
    assert tree.allocations == {}


def test_what_ends_goes_in_the_reverse_order(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    tree = ordered(acceptance, work, change("delete"))
    numbers = {event.key: n for n, event in enumerate(sorted(tree.steps.values(), key=lambda s: (s.ended, s.id)))}
    assert numbers
    removals = [step for step in tree.steps.values() if step.kind is StepKind.REMOVE]
    by_item = {tree.items[step.order, step.item or ""].specification: step for step in removals}
    bearer = by_item["RFS:GPON-Bearer"]
    assert {"RFS:VLAN-Service", "RFS:QoS-Profile"} <= {
        tree.items[s.order, s.item or ""].specification for s in removals if s.key in bearer.needs
    }


def test_the_shared_policy_stays_as_long_as_somebody_refers_to_it(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    work(acceptance.submit(superfibre(4822)).id)
    ordered(acceptance, work, change("delete"))
    assert any("policy/BW-200-50-RES" in text for text in world.targets.lines["BNG-EAST-01"])
    ordered(acceptance, work, OrderRequest.model_validate({"externalId": "c2", "action": "delete", "product": "PI-BB-4822"}))
    assert not any("policy/BW-200-50-RES" in text for text in world.targets.lines["BNG-EAST-01"])


def test_a_broken_router_is_exchanged(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    old = next(held for mark, held in world.inventory.given.items() if mark.name == "ont")
    tree = ordered(acceptance, work, change("modify", replace=["ont"]))
    found = [held for mark, held in world.inventory.given.items() if mark.name == "ont"]
    assert len(found) == 1
    assert found[0].attributes["serial"] != old.attributes["serial"]
    assert any("cpe-return" in text for text in world.targets.lines["logistics"])
    assert tree.steps["ROI-007/returned"].state == "done"


def test_what_was_given_back_can_be_ordered_anew(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    ordered(acceptance, work, change("modify", "no wifi", characteristics={"wifiApp": False}))
    assert "cloudwifi" not in holds(world)
    tree = ordered(acceptance, work, change("modify", "wifi", characteristics={"wifiApp": True}))
    assert instance_states(tree, Level.SERVICE) == {
        "SI-INT-4821": "active",
        "SI-WIFI-4821": "terminated",
        "SI-WIFI-4821-2": "active",
        "SI-CPE-4821": "active",
    }


def test_orders_of_one_line_have_their_turn_one_after_the_other(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    first = acceptance.submit(change("modify", "first", characteristics={"ssid": "One"}))
    second = acceptance.submit(change("modify", "second", characteristics={"features": "speedTest"}))
    third = acceptance.submit(change("delete", "third"))
    trees = [work(order.id) for order in (first, second, third)]
    assert [tree.root.state for tree in trees] == [OrderState.COMPLETED] * 3
    again = world.at.store.tree(second.id)
    assert again.items[second.id, "POI-001"].characteristics["ssid"] == "One"  # as the first had left it
    assert again.items[second.id, "POI-001"].characteristics["features"] == "speedTest"
    with pytest.raises(InstanceEnded, match="ended at"):
        acceptance.submit(change("modify", "fourth", characteristics={"ssid": "Late"}))


def test_a_change_may_be_ordered_before_there_is_anything(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    acceptance.submit(superfibre(4821))
    tree = ordered(acceptance, work, change("modify", characteristics={"staticIp": True}))
    assert [name for name, action in actions(tree).items() if action == "modify"] == ["RFS:IP-Profile"]
    assert instance_states(tree, Level.SERVICE)["SI-SIP-4821"] == "active"


def test_an_offering_may_let_no_order_wait(world: NullWorld, work: Work) -> None:
    offering = world.catalogue.offering("PO-SF200H").model_copy(update={"while_busy": "refuse"})
    catalogue = type(world.catalogue)(**{**vars(world.catalogue), "offerings": {**world.catalogue.offerings, "PO-SF200H": offering}})
    acceptance = Acceptance(world.at, catalogue)
    acceptance.submit(superfibre(4821))
    with pytest.raises(SubscriptionBusy, match=r"PO-2024-00847 .* is under way on PI-BB-4821"):
        acceptance.submit(change("suspend"))


def test_what_is_wrong_with_a_change_is_said_at_once(world: NullWorld, acceptance: Acceptance, line: Tree) -> None:
    with pytest.raises(UnknownInstance, match="PI-BB-1"):
        acceptance.submit(OrderRequest.model_validate({"externalId": "x", "action": "delete", "product": "PI-BB-1"}))
    with pytest.raises(UnknownInstance, match="SI-INT-4821 is no product"):
        acceptance.submit(OrderRequest.model_validate({"externalId": "x", "action": "delete", "product": "SI-INT-4821"}))
    with pytest.raises(CharacteristicInvalid, match="legal values"):
        acceptance.submit(change("modify", characteristics={"routerModel": "X"}))
    with pytest.raises(CharacteristicInvalid, match="fixes it to 200"):
        acceptance.submit(change("modify", characteristics={"downloadSpeed": 500}))


def test_only_what_a_change_was_given_is_put_to_use(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    used: set[str] = set()
    activate = world.inventory.activate

    def noted(allocations: Sequence[Allocation]) -> None:
        used.update(allocation.mark.order for allocation in allocations)
        activate(allocations)

    world.inventory.activate = noted  # type: ignore[method-assign]
    tree = ordered(acceptance, work, change("modify", characteristics={"staticIp": True}))
    assert used
    assert used <= set(tree.orders)


def test_a_service_order_changes_one_service(world: NullWorld, acceptance: Acceptance, work: Work, line: Tree) -> None:
    request = OrderRequest.model_validate(
        {
            "externalId": "s",
            "level": "service",
            "action": "modify",
            "service": "SI-INT-4821",
            "characteristics": {"downloadSpeed": 100, "uploadSpeed": 20},
        }
    )
    tree = ordered(acceptance, work, request)
    assert set(actions(tree)) == {"RFS:GPON-Bearer", "RFS:VLAN-Service", "RFS:IP-Profile", "RFS:QoS-Profile"}
    assert [name for name, action in actions(tree).items() if action == "modify"] == ["RFS:QoS-Profile"]


def test_a_dry_run_of_a_change_says_what_would_be_sent(world: NullWorld, line: Tree) -> None:
    before, given = holds(world), dict(world.inventory.given)
    found = dry_run(world.at, world.catalogue, change("delete"))
    assert {changed.target for changed in found.preview.changes} == set(before)
    assert holds(world) == before
    assert world.inventory.given == given
