"""Orders that wait for a pool: who asks when, what that costs, and that nobody is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine import releasing
from engine.acceptance import Acceptance
from engine.batch import WorkerSettings
from engine.capacity import FEW, CapacityWatch
from engine.errors import InventoryUnreachable
from engine.executor import LocalExecutor
from engine.model import StepState
from engine.ports import Allocation
from engine.states import OrderState
from engine.store import lanes, waiting
from engine.store.rows import read_allocation
from engine.store.schema import allocations, events, pools, steps
from engine.tree import Tree
from engine.worker import Worker
from tests.null_world import NullWorld, superfibre

PORT, VLAN = "olt-port:EAST-07", "vlan:EAST-07"
PATIENCE = WorkerSettings().patience


@pytest.fixture
def watch(world: NullWorld) -> CapacityWatch:
    """The watch, looked through by hand."""
    return watching(world)


def watching(world: NullWorld) -> CapacityWatch:
    return CapacityWatch(world.at, lambda _: None, threading.Event())


def deaf(watch: CapacityWatch) -> None:
    """From now on it hears nothing of what others change."""
    watch._read_changes = lambda: None  # type: ignore[method-assign]


def drain(world: NullWorld) -> None:
    """Work all lanes until nothing is due."""
    worker = Worker(world.at)
    while True:
        with world.at.store.database.read() as tx:
            found = lanes.with_work(tx, world.clock.real())
        if not sum(worker.drain(lane) for lane in sorted(found)):
            return


def settle(world: NullWorld, watch: CapacityWatch) -> None:
    """Look and work until nothing happens any more."""
    while watch.look():
        drain(world)


def submitted(acceptance: Acceptance, world: NullWorld, count: int, first: int = 1) -> list[str]:
    """So many orders, worked as far as they go."""
    found = [acceptance.submit(superfibre(number)).id for number in range(first, first + count)]
    drain(world)
    return found


def states(world: NullWorld, orders: Sequence[str]) -> str:
    """The orders' states by their first letters: `c` completed, `h` held."""
    return "".join(str(world.at.store.tree(order).root.state)[0] for order in orders)


def tree(world: NullWorld, order: str) -> Tree:
    return world.at.store.tree(order)


def told(world: NullWorld, order: str, kind: str) -> list[tuple[str | None, dict[str, str]]]:
    """Events of an order: the item and what they say."""
    with world.at.store.database.read() as tx:
        rows = tx.execute(sa.select(events).where(events.c.root == order, events.c.type == kind).order_by(events.c.number)).mappings()
        return [(row["item"], row["data"]) for row in rows]


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


class TestCost:
    def test_many_who_wait_ask_once(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        """Whoever comes while somebody waits does not ask for what that one waits for, nor for what it requires it for."""
        world.inventory.left["olt-port"] = 0
        submitted(acceptance, world, 1)
        world.inventory.asked.clear()
        orders = submitted(acceptance, world, 60, first=2)
        assert {mark.name for mark in world.inventory.asked} == {"ont"}
        watch.look()
        drain(world)
        calls = world.inventory.calls
        for _ in range(20):
            world.clock.skipped += world.at.settings.watch
            watch.look()
            drain(world)
        assert world.inventory.calls == calls
        assert states(world, orders) == "h" * 60

    def test_capacity_for_a_few_is_asked_for_a_few_at_a_time(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        world.inventory.left["olt-port"] = 0
        orders = submitted(acceptance, world, 40)
        settle(world, watch)
        world.inventory.asked.clear()
        calls = world.inventory.calls
        world.inventory.add("olt-port", FEW + 3)
        world.clock.skipped += world.at.settings.watch
        settle(world, watch)
        assert states(world, orders) == "c" * (FEW + 3) + "h" * (40 - FEW - 3)
        assert world.inventory.calls - calls == 2
        assert len({mark.order for mark in world.inventory.asked}) == 2 * FEW

    def test_nobody_polls_when_nobody_waits(self, world: NullWorld, acceptance: Acceptance, watch: CapacityWatch) -> None:
        submitted(acceptance, world, 1)
        for _ in range(5):
            world.clock.skipped += 60
            watch.look()
        assert world.inventory.polls == 0

    def test_one_look_each_period_however_many_watch(self, world: NullWorld, acceptance: Acceptance) -> None:
        world.inventory.left["olt-port"] = 0
        submitted(acceptance, world, 1)
        watches = [watching(world) for _ in range(3)]
        for _ in range(4):
            world.clock.skipped += world.at.settings.watch
            for one in watches:
                one.look()
        assert world.inventory.polls == 4


def test_the_watch_of_an_executor_resumes(world: NullWorld, acceptance: Acceptance) -> None:
    """Threads, hints and sweeps: all by itself."""
    world.at.settings.__dict__["watch"] = 0.05
    world.inventory.left["olt-port"] = 0
    orders = submitted(acceptance, world, 3)
    executor = LocalExecutor(world.at)
    executor.start()
    try:
        world.inventory.add("olt-port", 3)
        done = threading.Event()
        for _ in range(600):
            if states(world, orders) == "ccc":
                break
            done.wait(0.05)
        assert states(world, orders) == "ccc"
    finally:
        executor.stop()


def test_ten_thousand_held_orders_cost_rows_only(sqlite_world: NullWorld) -> None:
    """Nothing is asked, loaded or counted per held order: neither while they wait, nor when one more comes, nor when there is capacity."""
    world = sqlite_world
    world.inventory.left["olt-port"] = 0
    submitted(Acceptance(world.at, world.catalogue), world, 1)
    multiply(world, 9_999)
    watch = watching(world)
    settle(world, watch)
    calls, loaded = world.inventory.calls, count_loads(world)
    for _ in range(50):
        world.clock.skipped += world.at.settings.watch
        watch.look()
        drain(world)
    assert (world.inventory.calls, loaded) == (calls, [])
    world.inventory.add("olt-port", 3)
    world.clock.skipped += world.at.settings.watch
    settle(world, watch)
    assert world.inventory.calls == calls + 1
    assert len(set(loaded)) <= FEW
    with world.at.store.database.read() as tx:
        left = tx.execute(sa.select(sa.func.count()).where(steps.c.state == "held")).scalar_one()
        assert tx.execute(sa.select(sa.func.count()).select_from(pools).where(pools.c.due.is_not(None))).scalar_one() == 1
    assert left == 10_000 - 3


def count_loads(world: NullWorld) -> list[str]:
    """The trees that are read from the database from now on."""
    loaded: list[str] = []
    load = world.at.store._load

    def counted(tx: sa.Connection, wanted: Sequence[str]) -> dict[str, Tree]:
        loaded.extend(wanted)
        return load(tx, wanted)

    world.at.store._load = counted  # type: ignore[method-assign]
    return loaded


def multiply(world: NullWorld, copies: int) -> None:
    """The one held order many times over: rows only."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :copies)"
    renamed = {"id": "-", "root": "-", "order": "-", "parent": "-", "instance": "-", "subscription": "-"}
    with world.at.store.database.write() as tx:
        for table in ("orders", "items", "steps", "allocations", "instances"):
            columns = [column["name"] for column in sa.inspect(tx).get_columns(table)]
            if table == "steps":
                columns.remove("id")
            values = []
            for column in columns:
                own = column in renamed and not (table == "items" and column in ("id", "parent"))
                own = own or (table == "orders" and column == "external_id")
                values.append(f"\"{column}\" || '-' || i" if own else "since + i" if column == "since" else f'"{column}"')
            names = ", ".join(f'"{column}"' for column in columns)
            copied = f"{numbers} INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {table}, n"  # noqa: S608 - constants
            tx.execute(sa.text(copied), {"copies": copies})
        given = [read_allocation(row) for row in tx.execute(sa.select(allocations)).mappings()]
    world.inventory.given |= {allocation.mark: allocation for allocation in given}
