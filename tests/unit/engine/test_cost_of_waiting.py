"""What it costs that orders wait for a pool: nothing for each of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import sqlalchemy as sa

from engine.acceptance import Acceptance
from engine.capacity import FEW, CapacityWatch
from engine.executor import LocalExecutor
from engine.store.rows import read_allocation
from engine.store.schema import allocations, pools, steps
from engine.tree import Tree
from tests.null_world import NullWorld
from tests.unit.engine.draining import drain
from tests.unit.engine.held_for_capacity import settle, states, submitted, watching


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
