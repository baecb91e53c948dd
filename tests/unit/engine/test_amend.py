"""Amending orders that are under way: dates, priority, characteristics; what is denied, and why."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine import failpoints
from engine.acceptance import Acceptance, Accepted
from engine.amend import Outcome, Wish, amend
from engine.cancel import cancel, undo
from engine.errors import AmendDenied, BadInput, CharacteristicInvalid, OrderEnded
from engine.failpoints import Failpoint
from engine.lines import opened
from engine.model import Item
from engine.requests import OrderRequest
from engine.resuming import resume
from engine.schedule import is_scheduled, start_date
from engine.states import OrderState
from engine.store import lanes
from engine.tree import Tree
from engine.vault import MASK
from engine.views import document
from tests.null_world import LaneByLane, NullWorld, refused, rendered_last, superfibre
from tests.unit.engine.conftest import Work, worked_until

DAY = timedelta(days=1)
Amend = Callable[..., Outcome]


@pytest.fixture
def changed(world: NullWorld, acceptance: Acceptance) -> Amend:
    """Amends an order; characteristics as keywords."""

    def say(order: str, item: str | None = None, *, characteristics: dict[str, Any] | None = None, **more: Any) -> Outcome:
        return amend(world.at, acceptance, order, Wish(characteristics=characteristics or {}, item=item, **more), "jane said so")

    return say


def change(action: str, name: str, **more: Any) -> OrderRequest:
    return OrderRequest.model_validate({"externalId": name, "action": action, "product": "PI-BB-4821", **more})


def work_a_little(world: NullWorld, order: str) -> Tree:
    worker = LaneByLane(world.at)
    for lane in sorted(world.at.store.database.look(lambda tx: lanes.with_work(tx, world.at.clock.real()))):
        worker.drain(lane)
    return world.at.store.tree(order)


def work_until(world: NullWorld, order: str, condition: Callable[[Tree], bool]) -> Tree:
    deadline = time.monotonic() + 20
    while not condition(tree := work_a_little(world, order)):
        assert time.monotonic() < deadline, {key: str(step.state) for key, step in tree.steps.items()}
    return tree


INTERNET = OrderRequest.model_validate(
    {
        "externalId": "s",
        "level": "service",
        "customer": {"id": "CUST-4821"},
        "address": {"exchange": "EAST-07"},
        "specification": "CFS:Internet-Access",
        "characteristics": {"downloadSpeed": 200, "uploadSpeed": 50},
    }
)
"""A service order: no offering fixes its speed."""


def item_of(tree: Tree, specification: str) -> Item:
    return next(item for item in tree.items.values() if item.specification == specification)


@pytest.fixture
def rendered(world: NullWorld) -> dict[str, Any]:
    return rendered_last(world)


def events(world: NullWorld, order: str) -> list[Any]:
    found = document(world.at, world.at.store.tree(order)).history
    return [event for event in found if event.type.endswith("AttributeValueChange")]


# -- dates and priority --------------------------------------------------------------------------------------------------


def test_the_start_date_is_moved(world: NullWorld, acceptance: Acceptance, changed: Amend, work: Work) -> None:
    start = world.clock.now().replace(microsecond=0) + DAY
    order = acceptance.submit(superfibre(4821)).id
    found = changed(order, start=start)
    assert found.changed == {"requestedStartDate": start.isoformat()}
    tree = work_a_little(world, order)
    assert is_scheduled(tree.root, world.clock.now())
    changed(order, start=start + DAY)
    world.clock.skipped = DAY.total_seconds() + 60
    assert not work_a_little(world, order).root.decomposed
    changed(order, start=world.clock.now())
    assert work(order).root.state is OrderState.COMPLETED
    (first, *_) = events(world, order)
    assert first.type == "orderAttributeValueChange"
    assert first.data == {"requestedStartDate": start.isoformat(), "reason": "jane said so"}


def test_what_has_begun_cannot_begin_later(world: NullWorld, acceptance: Acceptance, changed: Amend) -> None:
    order = acceptance.submit(superfibre(4821)).id
    before = work_a_little(world, order)
    assert before.root.decomposed
    with pytest.raises(AmendDenied, match=rf"the start date cannot be moved: {order} began at 2024-03-11"):
        changed(order, start=world.clock.now() + DAY, priority=0)
    after = world.at.store.tree(order)
    assert (after.root.priority, start_date(after.root)) == (4, None)  # all of it, or nothing
    assert events(world, order) == []


def test_completion_date_and_priority_are_changed_at_any_time(world: NullWorld, acceptance: Acceptance, changed: Amend) -> None:
    world.targets.done = lambda question: question.until != "delivered"
    order = acceptance.submit(superfibre(4821)).id
    work_until(world, order, lambda tree: tree.root.state is OrderState.PENDING)
    wanted = world.clock.now().replace(microsecond=0) + 3 * DAY
    found = changed(order, completion=wanted, priority=1)
    assert found.changed == {"requestedCompletionDate": wanted.isoformat(), "priority": 1}
    tree = world.at.store.tree(order)
    assert {each.priority for each in tree.orders.values()} == {1}
    assert {step.priority for step in tree.steps.values() if not step.state.final} == {1}
    assert document(world.at, tree).order.requested_completion_date == wanted


def test_what_is_so_already_is_no_event(world: NullWorld, acceptance: Acceptance, changed: Amend) -> None:
    order = acceptance.submit(superfibre(4821)).id
    assert changed(order, priority=4, characteristics={"ssid": "SmithHome"}).changed == {}
    assert events(world, order) == []


def test_dates_that_cannot_be_are_refused(world: NullWorld, acceptance: Acceptance, changed: Amend) -> None:
    start = world.clock.now() + 2 * DAY
    order = acceptance.submit(superfibre(4821).model_copy(update={"requested_start_date": start})).id
    with pytest.raises(BadInput, match="is before requestedStartDate"):
        changed(order, completion=start - DAY)
    with pytest.raises(BadInput, match="priority 7 is none"):
        changed(order, priority=7)


# -- characteristics -----------------------------------------------------------------------------------------------------


def test_before_it_began_everything_may_be_chosen_anew(
    world: NullWorld, acceptance: Acceptance, changed: Amend, work: Work, rendered: dict[str, Any]
) -> None:
    order = acceptance.submit(superfibre(4821)).id
    found = changed(order, characteristics={"ssid": "Nest", "wifiApp": False, "staticIp": True})
    assert found.changed == {"characteristics": {"ssid": "Nest", "wifiApp": False, "staticIp": True}}
    tree = work(order)
    assert tree.root.state is OrderState.COMPLETED
    assert {i.specification for i in tree.items.values() if i.level == "service"} == {
        "CFS:Internet-Access",
        "CFS:CPE-Management",
        "CFS:Static-IP",
    }
    assert tree.instances["PI-BB-4821"].characteristics["ssid"] == "Nest"
    assert rendered["tr069-config"]["ssid"] == rendered["cpe-provisioning"]["ssid"] == "Nest"


def test_while_the_parcel_is_on_the_road_the_network_name_is_changed(
    world: NullWorld, acceptance: Acceptance, changed: Amend, work: Work, rendered: dict[str, Any]
) -> None:
    world.targets.done = lambda question: question.until != "delivered"
    order = acceptance.submit(superfibre(4821)).id
    before = work_until(world, order, lambda tree: tree.root.state is OrderState.PENDING)
    changed(order, characteristics={"ssid": "Nest"})
    tree = world.at.store.tree(order)
    names = {item.specification: item.characteristics["ssid"] for item in tree.items.values() if "ssid" in item.characteristics}
    # the router left the warehouse with the old one
    assert names.pop("RFS:CPE-Provisioning") == "SmithHome"
    assert set(names.values()) == {"Nest"}
    for name in ("CFS:CPE-Management", "RFS:TR069-Config"):  # a secret that was made stays
        assert item_of(tree, name).characteristics["wifiPassword"] == item_of(before, name).characteristics["wifiPassword"]
    touched = {(event.item, event.type) for event in events(world, order) if event.item}
    assert ("ROI-006", "itemAttributeValueChange") in touched
    world.targets.done = lambda _: True
    world.clock.skipped = 3600
    tree = work(order)
    assert tree.root.state is OrderState.COMPLETED
    assert rendered["tr069-config"]["ssid"] == "Nest"
    assert tree.instances["SI-CPE-4821"].characteristics["ssid"] == "Nest"


def test_what_has_begun_is_not_changed_under_way(world: NullWorld, acceptance: Acceptance, changed: Amend) -> None:
    world.targets.done = lambda question: question.until != "delivered"
    world.targets.fail = lambda push: refused("no") if push.target == "RADIUS-EAST-01" else None
    order = acceptance.submit(INTERNET).id
    work_until(world, order, lambda tree: item_of(tree, "RFS:GPON-Bearer").state is OrderState.COMPLETED)
    work_a_little(world, order)
    with pytest.raises(AmendDenied, match=r"ROI-\d+ RFS:QoS-Profile has begun: it is"):
        changed(order, characteristics={"downloadSpeed": 500, "uploadSpeed": 100})


def test_a_speed_is_changed_while_the_port_is_waited_for(world: NullWorld, acceptance: Acceptance, changed: Amend, work: Work) -> None:
    world.inventory.left["olt-port"] = 0
    order = acceptance.submit(INTERNET).id
    assert work(order).root.state is OrderState.HELD
    changed(order, characteristics={"downloadSpeed": 500, "uploadSpeed": 100})
    tree = world.at.store.tree(order)
    assert item_of(tree, "RFS:QoS-Profile").characteristics["download"] == "500M"
    world.inventory.left["olt-port"] = 5
    resume(world.at.store, order, "jane")
    tree = work(order)
    assert tree.root.state is OrderState.COMPLETED
    assert any("BW-500-100-RES" in line for line in world.targets.lines["BNG-EAST-01"])
    assert not any("BW-200-50-RES" in line for line in world.targets.lines["BNG-EAST-01"])


def test_another_plan_is_another_order(world: NullWorld, acceptance: Acceptance, changed: Amend) -> None:
    world.targets.done = lambda question: question.until != "delivered"
    order = acceptance.submit(superfibre(4821)).id
    work_until(world, order, lambda tree: tree.root.state is OrderState.PENDING)
    with pytest.raises(AmendDenied, match="would need another plan: for CFS:Static-IP"):
        changed(order, characteristics={"staticIp": True})


def test_a_secret_is_not_told(world: NullWorld, acceptance: Acceptance, changed: Amend) -> None:
    world.targets.done = lambda question: question.until != "delivered"
    order = acceptance.submit(superfibre(4821)).id
    work_until(world, order, lambda tree: tree.root.state is OrderState.PENDING)
    found = changed(order, characteristics={"wifiPassword": "Sesame-Sesame-1"})
    assert found.changed == {"characteristics": {"wifiPassword": MASK}}
    assert "Sesame" not in document(world.at, world.at.store.tree(order)).model_dump_json()
    acs = item_of(world.at.store.tree(order), "RFS:TR069-Config")
    assert opened(world.at.store.vault, acs.characteristics)["wifiPassword"] == "Sesame-Sesame-1"


def test_a_wish_that_is_wrong_is_refused_like_an_order(world: NullWorld, acceptance: Acceptance, changed: Amend) -> None:
    order = acceptance.submit(superfibre(4821)).id
    with pytest.raises(CharacteristicInvalid, match="fixes it to 200"):
        changed(order, characteristics={"downloadSpeed": 500})
    with pytest.raises(CharacteristicInvalid, match="colour"):
        changed(order, characteristics={"colour": "red"})
    with pytest.raises(BadInput, match="which item"):
        changed(order, "POI-007", characteristics={"ssid": "Nest"})


def test_an_order_that_was_shown_with_a_checksum_stays_as_it_was_shown(world: NullWorld, acceptance: Acceptance, changed: Amend) -> None:
    order = acceptance.submit(superfibre(4821), checksum="0123456789abcdef").id
    with pytest.raises(AmendDenied, match="was ordered with a checksum"):
        changed(order, characteristics={"ssid": "Nest"})
    assert changed(order, priority=0).changed == {"priority": 0}


# -- orders that change something -----------------------------------------------------------------------------------------


def test_a_change_that_waits_for_its_turn_is_amended(world: NullWorld, acceptance: Acceptance, changed: Amend, work: Work) -> None:
    work(acceptance.submit(superfibre(4821)).id)
    start = world.clock.now() + DAY
    request = change("modify", "later", characteristics={"ssid": "One"}, requestedStartDate=start.isoformat())
    order = acceptance.submit(request).id
    changed(order, characteristics={"ssid": "Two", "features": "speedTest"})
    with pytest.raises(CharacteristicInvalid):
        changed(order, characteristics={"routerModel": "X"})
    changed(order, start=world.clock.now())
    tree = work(order)
    assert tree.root.state is OrderState.COMPLETED
    product = tree.instances["PI-BB-4821"].characteristics
    assert (product["ssid"], product["features"]) == ("Two", "speedTest")


def test_of_a_change_only_what_it_changes_can_be_amended(
    world: NullWorld, acceptance: Acceptance, changed: Amend, work: Work, rendered: dict[str, Any]
) -> None:
    work(acceptance.submit(superfibre(4821)).id)
    world.targets.fail = lambda push: refused("no") if push.target == "ACS-01" else None
    order = acceptance.submit(change("modify", "ssid", characteristics={"ssid": "One"})).id
    assert work(order).root.state is OrderState.HELD
    with pytest.raises(AmendDenied, match="another plan"):
        changed(order, characteristics={"wifiApp": False})
    changed(order, characteristics={"ssid": "Two"})
    world.targets.fail = lambda _: None
    resume(world.at.store, order, "jane")
    tree = work(order)
    assert tree.root.state is OrderState.COMPLETED
    assert rendered["tr069-config"]["ssid"] == "Two"
    assert tree.instances["PI-BB-4821"].characteristics["ssid"] == "Two"


def test_an_end_takes_no_characteristics(world: NullWorld, acceptance: Acceptance, changed: Amend, work: Work) -> None:
    work(acceptance.submit(superfibre(4821)).id)
    start = world.clock.now() + DAY
    order = acceptance.submit(change("delete", "end", requestedStartDate=start.isoformat())).id
    with pytest.raises(AmendDenied, match="is to delete PI-BB-4821: that takes no characteristics"):
        changed(order, characteristics={"ssid": "Nest"})
    assert changed(order, start=start + DAY).changed


def test_what_takes_back_takes_no_characteristics(world: NullWorld, acceptance: Acceptance, changed: Amend, work: Work) -> None:
    work(acceptance.submit(superfibre(4821)).id)
    order = work(acceptance.submit(change("modify", "ssid", characteristics={"ssid": "One"})).id).root.id
    back = undo(world.at, acceptance, order, "no")
    assert isinstance(back, Accepted)
    with pytest.raises(AmendDenied, match=f"{back.id} makes things as they were before {order}"):
        changed(back.id, characteristics={"ssid": "Two"})
    assert changed(back.id, priority=0).changed == {"priority": 0}


# -- who is first ---------------------------------------------------------------------------------------------------------


def test_what_has_ended_or_is_being_cancelled_is_not_amended(world: NullWorld, acceptance: Acceptance, changed: Amend, work: Work) -> None:
    order = work(acceptance.submit(superfibre(4821)).id).root.id
    with pytest.raises(OrderEnded, match=f"{order} is completed"):
        changed(order, priority=0)
    world.targets.done = lambda question: question.until != "delivered"
    other = acceptance.submit(superfibre(4822)).id
    worked_until(world, other, lambda tree: tree.root.state is OrderState.PENDING)
    world.targets.fail = lambda _: refused("no")
    cancel(world.at, other, "no")
    with pytest.raises(AmendDenied, match="is being cancelled"):
        changed(other, priority=0)


def test_of_an_amendment_and_a_worker_one_is_first(world: NullWorld, acceptance: Acceptance, changed: Amend) -> None:
    """The amendment comes exactly while the order is decomposed, and is denied; what the worker does is what was ordered."""
    order = acceptance.submit(superfibre(4821)).id
    denied: list[AmendDenied] = []

    def meanwhile(point: Failpoint) -> None:
        if point is Failpoint.DECOMPOSED and not denied:
            for wish in ({"characteristics": {"ssid": "Nest"}}, {"start": datetime.fromisoformat("2034-01-01T00:00:00+00:00")}):
                with pytest.raises(AmendDenied) as found:
                    changed(order, **wish)
                denied.append(found.value)

    failpoints.watch(meanwhile)
    try:
        LaneByLane(world.at).drain("orders")
    finally:
        failpoints.watch(None)
    assert "is being decomposed at this moment" in str(denied[0])
    assert "began" in str(denied[1])
    tree = world.at.store.tree(order)
    assert {i.characteristics["ssid"] for i in tree.items.values() if "ssid" in i.characteristics} == {"SmithHome"}
