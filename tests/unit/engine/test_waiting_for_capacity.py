"""Orders that wait for a pool: who is asked for when, and that nobody is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine import releasing
from engine.acceptance import Acceptance
from engine.batch import WorkerSettings
from engine.capacity import CapacityWatch
from engine.errors import InventoryUnreachable
from engine.model import StepState
from engine.ports import Allocation
from engine.states import OrderState
from engine.store import waiting
from engine.store.schema import events, steps
from engine.worker import Worker
from tests.null_world import NullWorld, superfibre
from tests.unit.engine.draining import drain
from tests.unit.engine.held_for_capacity import deaf, settle, states, submitted, told, tree, watching

PORT, VLAN = "olt-port:EAST-07", "vlan:EAST-07"
PATIENCE = WorkerSettings().patience


KINDS = ["olt-port", "vlan", "ipv4", "ipv6-prefix", "stock"]


class TestCapacityAppears:
    @pytest.mark.parametrize("kind", KINDS)
    def test_the_order_completes_by_itself(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch, kind: str) -> None:
        world.inventory.left[kind] = 0
        (order,) = submitted(acceptance, world, 1)
        assert tree(world, order).root.state is OrderState.HELD
        settle(world, watch)  # it asks once when watching begins: something may have come meanwhile
        assert tree(world, order).root.state is OrderState.HELD
        world.inventory.add(kind, 1)
        world.clock.skipped += world.at.settings.watch
        settle(world, watch)
        assert tree(world, order).root.state is OrderState.COMPLETED

    def test_an_event_says_that_it_resumes_and_none_that_it_asked_in_vain(
        self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch
    ) -> None:
        world.inventory.left["olt-port"] = 0
        (order,) = submitted(acceptance, world, 1)
        before = world.at.store.database.look(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(events)).scalar_one())
        for _ in range(3):
            world.clock.skipped += PATIENCE + 1
            settle(world, watch)
        after = world.at.store.database.look(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(events)).scalar_one())
        assert before == after
        assert tree(world, order).steps["ROI-001/reserve"].attempt == 4 - 1
        world.inventory.add("olt-port", 1)
        world.clock.skipped += PATIENCE + 1
        settle(world, watch)
        assert told(world, order, "resume") == [("ROI-001", {"step": "ROI-001/reserve", "reason": f"{PORT} has capacity again"})]
        moved = [data["state"] for item, data in told(world, order, "itemStateChange") if item == "ROI-001"]
        assert moved == ["inProgress", "held", "inProgress", "completed"]

    def test_while_it_asks_it_is_shown_as_held(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        world.inventory.left["olt-port"] = 0
        (order,) = submitted(acceptance, world, 1)
        assert watch.look() == {"netbox/EAST-07"}
        found = tree(world, order)
        assert found.steps["ROI-001/reserve"].state is StepState.READY
        found.roll(world.clock.now())
        assert found.events == []
        assert (found.root.state, found.root.reason) == (OrderState.HELD, "resource exhaustion: no free olt-port")

    def test_what_it_lacks_next_holds_the_next_item_only(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        world.inventory.left |= {"olt-port": 0, "vlan": 0}
        (order,) = submitted(acceptance, world, 1)
        world.inventory.add("olt-port", 1)
        settle(world, watch)
        found = tree(world, order)
        items = {item.id: str(item.state) for item in found.items.values()}
        assert (items["ROI-001"], items["ROI-002"], items["ROI-004"]) == ("completed", "held", "acknowledged")
        step = found.steps["ROI-002/reserve"]
        assert (step.awaits, step.since) == (VLAN, found.steps["ROI-001/reserve"].since)  # it keeps its place
        world.inventory.add("vlan", 1)
        world.clock.skipped += world.at.settings.watch
        settle(world, watch)
        assert tree(world, order).root.state is OrderState.COMPLETED

    def test_the_router_is_not_held_back_once_it_is_there(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        world.inventory.left |= {"olt-port": 0, "stock": 0}
        (order,) = submitted(acceptance, world, 1)
        assert tree(world, order).items["RO-2024-07814", "ROI-007"].state == "acknowledged"
        world.inventory.left["stock"] = 1
        world.clock.skipped += PATIENCE + 1
        settle(world, watch)
        found = tree(world, order)
        assert found.items["RO-2024-07814", "ROI-007"].state == "completed"
        assert found.items["RO-2024-07814", "ROI-001"].state == "held"

    def test_where_the_offering_says_so_the_router_waits_too(self, world: NullWorld) -> None:
        offering = world.catalogue.offerings["PO-SF200H"].model_copy(update={"on_shortage": "wait"})
        catalogue = replace(world.catalogue, offerings={**world.catalogue.offerings, "PO-SF200H": offering})
        world.inventory.left["olt-port"] = 0
        (order,) = submitted(Acceptance(world.at, catalogue), world, 1)
        watch = watching(world)
        settle(world, watch)
        assert not world.targets.pushes
        assert tree(world, order).items["RO-2024-07814", "ROI-007"].state == "acknowledged"
        world.inventory.add("olt-port", 1)
        world.clock.skipped += world.at.settings.watch
        settle(world, watch)
        assert tree(world, order).root.state is OrderState.COMPLETED


class TestTurns:
    def test_the_oldest_gets_it(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        world.inventory.left["olt-port"] = 0
        orders = submitted(acceptance, world, 5)
        for count in range(1, 6):
            world.inventory.add("olt-port", 1)
            world.clock.skipped += world.at.settings.watch
            settle(world, watch)
            assert states(world, orders) == "c" * count + "h" * (5 - count)

    def test_an_urgent_order_goes_first(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        world.inventory.left["olt-port"] = 0
        orders = submitted(acceptance, world, 2)
        orders.append(acceptance.submit(superfibre(9).model_copy(update={"priority": 0})).id)
        drain(world)
        world.inventory.add("olt-port", 1)
        settle(world, watch)
        assert states(world, orders) == "hhc"

    def test_nobody_overtakes_who_waits(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        """Also one that comes when there is something again, before anybody was woken."""
        world.inventory.left["olt-port"] = 0
        orders = submitted(acceptance, world, 1)
        world.inventory.add("olt-port", 1)
        orders += submitted(acceptance, world, 1, first=2)
        assert states(world, orders) == "hh"
        settle(world, watch)
        assert states(world, orders) == "ch"
        assert tree(world, orders[1]).root.reason == f"resource exhaustion: other orders wait for {PORT} already"

    def test_who_waited_elsewhere_does_not_overtake_either(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        """The second waits for a port, the first for a VLAN that the second needs as well."""
        world.inventory.left |= {"olt-port": 1, "vlan": 0}
        orders = submitted(acceptance, world, 2)
        assert [
            tree(world, order).steps[key].awaits for order, key in zip(orders, ("ROI-002/reserve", "ROI-001/reserve"), strict=True)
        ] == [
            VLAN,
            PORT,
        ]
        world.inventory.left["vlan"] = 1  # of which nobody is told
        world.inventory.add("olt-port", 1)
        settle(world, watch)
        assert tree(world, orders[1]).steps["ROI-002/reserve"].awaits == VLAN
        world.clock.skipped += PATIENCE + 1
        settle(world, watch)
        assert states(world, orders) == "ch"

    def test_who_is_told_to_go_on_asks_out_of_turn(self, world: NullWorld, acceptance: Acceptance) -> None:
        world.inventory.left["olt-port"] = 0
        orders = submitted(acceptance, world, 3)
        world.inventory.left["olt-port"] = 1
        with world.at.store.unit() as unit:
            last = unit.trees([orders[2]])[orders[2]]
            last.resume(last.steps["ROI-001/reserve"], world.clock.now(), world.clock.real(), "asked for by anna")
            last.roll(world.clock.now())
        drain(world)
        assert states(world, orders) == "hhc"


class TestNothingIsForgotten:
    def test_what_nobody_heard_of_is_found_after_a_while(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        world.inventory.left["olt-port"] = 0
        orders = submitted(acceptance, world, 1)
        settle(world, watch)
        deaf(watch)
        world.inventory.left["olt-port"] = 1
        world.clock.skipped += PATIENCE / 2
        settle(world, watch)
        assert states(world, orders) == "h"
        world.clock.skipped += PATIENCE / 2 + 1
        settle(world, watch)
        assert states(world, orders) == "c"

    def test_what_comes_back_between_question_and_answer_is_seen(
        self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch
    ) -> None:
        """The inventory says that there is nothing, something is released, and only then is it written down that somebody waits."""
        world.inventory.left["olt-port"] = 0
        reserve = world.inventory.reserve

        def slow(needs, **options):  # type: ignore[no-untyped-def]
            answers = reserve(needs, **options)
            world.inventory.left["olt-port"] = 1
            with world.at.store.database.write() as tx:
                waiting.capacity(tx, [PORT], world.clock.real())
            return answers

        world.inventory.reserve = slow  # type: ignore[method-assign]
        orders = [acceptance.submit(superfibre(1)).id]
        drain(world)
        world.inventory.reserve = reserve  # type: ignore[method-assign]
        deaf(watch)
        settle(world, watch)
        assert states(world, orders) == "c"

    def test_while_the_inventory_is_away_it_keeps_its_place(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        world.inventory.left["olt-port"] = 0
        orders = submitted(acceptance, world, 2)
        watch.look()

        def away() -> None:
            raise InventoryUnreachable("connection refused")

        world.inventory.trouble = away
        for _ in range(8):
            drain(world)
            world.clock.skipped += 20  # whatever the policy and the circuit let it wait
        step = tree(world, orders[0]).steps["ROI-001/reserve"]
        assert (step.awaits, step.trouble and step.trouble.code) == (PORT, "INVENTORY_UNREACHABLE")
        world.inventory.trouble = lambda: None
        world.inventory.left["olt-port"] = 1
        world.clock.skipped += PATIENCE + 60
        settle(world, watch)
        drain(world)
        assert states(world, orders) == "ch"

    def test_a_worker_that_dies_while_asking_leaves_it_to_the_next(
        self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch
    ) -> None:
        world.inventory.left["olt-port"] = 0
        orders = submitted(acceptance, world, 1)
        watch.look()

        def dies() -> None:
            raise SystemExit

        world.inventory.trouble = dies
        with pytest.raises(SystemExit):
            Worker(world.at).drain("netbox/EAST-07")
        world.inventory.trouble = lambda: None
        world.inventory.left["olt-port"] = 1
        drain(world)
        assert states(world, orders) == "c"

    def test_orders_that_an_earlier_version_held_ask_at_once(self, tmp_path: Path) -> None:
        from alembic import command

        from engine.store.database import Database
        from engine.store.migrate import config

        database = Database(f"sqlite:///{tmp_path}/old.db")
        settings = config()
        with database.write() as tx:
            settings.attributes["connection"] = tx
            command.upgrade(settings, "0004")
            row = {"root": "PO-1", "order": "RO-1", "key": "ROI-001/reserve", "kind": "reserve", "state": "held", "part": 0, "needs": "[]"}
            row |= {"target_expression": "", "gates": True, "outside": False, "priority": 4, "attempt": 0, "failures": 0, "due": 0.0}
            row |= {"noted": 77.0, "awaits": PORT, "evidence": "", "learned": "{}"}
            names = ", ".join(f'"{name}"' for name in row)
            values = ", ".join(f":{name}" for name in row)
            tx.execute(sa.text(f"INSERT INTO steps ({names}) VALUES ({values})"), row)  # noqa: S608 - constants
            command.upgrade(settings, "0005")
            assert waiting.due(tx, 1.0) == [PORT]
            assert tx.execute(sa.select(steps.c.since)).scalar_one() == 77.0
        database.close()


class TestOwnReleases:
    def test_what_an_order_gives_back_goes_to_the_next(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        world.inventory.left["olt-port"] = 1
        orders = submitted(acceptance, world, 2)
        watch.look()
        drain(world)
        give_back(world, orders[0], "port")
        deaf(watch)
        settle(world, watch)
        assert states(world, orders) == "cc"

    def test_not_before_its_quarantine_has_ended(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        world.at.settings.__dict__["quarantine"] = {"ipv4": timedelta(hours=1)}
        world.inventory.left["ipv4"] = 1
        orders = submitted(acceptance, world, 2)
        watch.look()
        drain(world)
        (given,) = give_back(world, orders[0], "ipv4")
        assert given not in tree(world, orders[0]).allocations.values()
        settle(world, watch)
        assert (states(world, orders), list(world.inventory.quarantine)) == ("ch", [given.mark])
        world.clock.skipped += 3601
        settle(world, watch)
        assert (states(world, orders), world.inventory.quarantine) == ("cc", {})

    def test_of_a_kind_all_pools_are_asked(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        world.inventory.left["olt-port"] = 0
        orders = submitted(acceptance, world, 1)
        watch.look()
        drain(world)
        world.inventory.left["olt-port"] = 1
        with world.at.store.database.write() as tx:
            waiting.capacity(tx, ["olt-port:*", "vlan:EAST-07"], world.clock.real())
        settle(world, watch)
        assert states(world, orders) == "c"


def give_back(world: NullWorld, order: str, name: str) -> list[Allocation]:
    """Release one of the order's allocations, as a step that takes a service down does."""
    given = [allocation for mark, allocation in tree(world, order).allocations.items() if mark.name == name]
    write = releasing.release(world.at, given)
    with world.at.store.unit() as unit:
        unit.trees([order])[order].touch()
        write(unit.tx)
    return given
