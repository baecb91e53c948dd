"""An amendment comes at any instant of an order's work: it is denied and nothing is different, or it is accepted and everything is as if it
had been ordered so, but what had left the warehouse before."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import failpoints
from engine.acceptance import Acceptance
from engine.amend import Wish, amend
from engine.errors import AmendDenied, OrderEnded
from engine.failpoints import Failpoint
from engine.states import OrderState
from engine.store import lanes
from engine.tree import Tree
from engine.worker import Worker
from tests.null_world import NullWorld, null_world, rendered_last, superfibre

WITHIN = {Failpoint.SETTLING}
"""Instants within a transaction of the worker's: nobody else's can come between."""


@contextmanager
def new_world() -> Iterator[NullWorld]:
    with tempfile.TemporaryDirectory() as folder:
        world = null_world(f"sqlite:///{folder}/turnup.db", Path(folder) / "secret.key")
        try:
            yield world
        finally:
            failpoints.watch(None)
            world.at.store.database.close()


def work(world: NullWorld, order: str) -> Tree:
    worker = Worker(world.at)
    while found := world.at.store.database.look(lambda tx: lanes.with_work(tx, world.at.clock.real())):
        for lane in sorted(found):
            worker.drain(lane)
    return world.at.store.tree(order)


@given(instant=st.integers(0, 66), wish=st.sampled_from(["ssid", "wifiApp", "priority"]))
@settings(max_examples=25)
def test_it_is_denied_or_done_as_a_whole(instant: int, wish: str) -> None:
    with new_world() as world:
        acceptance, rendered = Acceptance(world.at, world.catalogue), rendered_last(world)
        order = acceptance.submit(superfibre(4821)).id
        count, said = itertools.count(), dict[str, bool]()

        def meanwhile(point: Failpoint) -> None:
            if point in WITHIN or next(count) != instant:
                return
            wanted = {"ssid": {"ssid": "Nest"}, "wifiApp": {"wifiApp": False}, "priority": {}}[wish]
            try:
                amend(world.at, acceptance, order, Wish(characteristics=wanted, priority=0 if wish == "priority" else None), "jane")
                said["done"] = True
            except (AmendDenied, OrderEnded):
                said["done"] = False

        failpoints.watch(meanwhile)
        tree = work(world, order)
        done = said.get("done", False)
        assert tree.root.state is OrderState.COMPLETED
        wifi, name = not (done and wish == "wifiApp"), "Nest" if done and wish == "ssid" else "SmithHome"
        assert (tree.root.priority == 0) is (done and wish == "priority")
        assert ("CFS:WiFi-Management" in {item.specification for item in tree.items.values()}) is wifi
        assert bool(world.targets.lines.get("cloudwifi")) is wifi
        held = {i.specification: i.characteristics.get("ssid") for i in tree.instances.values() if i.characteristics.get("ssid")}
        shipped = held.pop("RFS:CPE-Provisioning")
        assert set(held.values()) == {name}
        assert rendered["tr069-config"]["ssid"] == name
        assert rendered["cpe-provisioning"]["ssid"] == shipped
        product, service = tree.instances["PI-BB-4821"], tree.instances["SI-CPE-4821"]
        assert (product.characteristics["ssid"], service.characteristics["ssid"]) == (name, name)
