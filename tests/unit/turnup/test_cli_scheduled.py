"""What the commands say of orders for later, and of late ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from engine.executor import LocalExecutor
from tests.null_world import NullWorld
from tests.unit.turnup.conftest import Turnup

ID = "externalId: SF200-CUST-4821"
START, COMPLETION = "2024-03-12T09:00:00+00:00", "2024-03-13T17:00:00+00:00"
DATES = {ID: f"{ID}\nrequestedStartDate: {START}\nrequestedCompletionDate: {COMPLETION}"}


def test_a_run_of_a_scheduled_order_says_so_and_does_not_wait(turnup: Turnup, world: NullWorld, playbook: Callable[..., Path]) -> None:
    said = turnup("run", playbook(**DATES))
    assert said.code == 3
    assert "○ acknowledged  PO-2024-00847  scheduled for 2024-03-12 09:00, due 2024-03-13 17:00" in said.out
    assert "it begins by itself then" in said.out
    document = turnup("run", playbook(**DATES), "--json").document
    assert document["order"]["scheduled"] is True
    assert document["order"]["requestedStartDate"] == "2024-03-12T09:00:00Z"
    assert world.targets.pushes == []


def test_the_same_run_goes_on_when_the_day_has_come(turnup: Turnup, world: NullWorld, playbook: Callable[..., Path]) -> None:
    assert turnup("run", playbook(**DATES)).code == 3
    world.clock.skipped = timedelta(days=1).total_seconds()
    assert turnup("run", playbook(**DATES)).code == 0


def test_submit_show_and_the_list_say_when(turnup: Turnup, world: NullWorld, playbook: Callable[..., Path]) -> None:
    said = turnup("submit", playbook(**DATES))
    assert "is accepted as PO-2024-00847 (acknowledged, scheduled for 2024-03-12 09:00, due 2024-03-13 17:00)" in said.out
    assert turnup("submit", playbook(**DATES), "--json").document["order"]["scheduled"] is True
    assert "scheduled for 2024-03-12 09:00" in turnup("show", "PO-2024-00847").out
    assert "scheduled for" in turnup("orders").out
    (listed,) = turnup("orders", "--json").document["orders"]
    assert (listed["scheduled"], listed["overdue"]) == (True, False)


def test_a_late_order_is_marked(turnup: Turnup, world: NullWorld, playbook: Callable[..., Path]) -> None:
    turnup("submit", playbook(**DATES))
    world.clock.skipped = timedelta(days=3).total_seconds()
    assert "overdue since 2024-03-13 17:00" in turnup("show", "PO-2024-00847").out
    assert "overdue since" in turnup("orders").out
    assert turnup("orders", "--json").document["orders"][0]["overdue"] is True
    assert turnup("run", playbook(**DATES)).code == 0
    assert "late: was due 2024-03-13 17:00" in turnup("show", "PO-2024-00847").out


def test_many_orders_are_not_waited_for_when_some_are_for_later(turnup: Turnup, world: NullWorld, tmp_path: Path) -> None:
    rows = [
        "externalId,offering,customer.id,address.exchange,requestedStartDate",
        "NOW,PO-SF200H,CUST-1,EAST-07,",
        f"LATER,PO-SF200H,CUST-2,EAST-07,{START}",
    ]
    file = tmp_path / "orders.csv"
    file.write_text("\n".join(rows), "utf-8")
    said = turnup("run", file)
    assert said.code == 3
    assert "1 scheduled for later" in said.out
    document = turnup("run", file, "--json").document
    assert (document["orders"], document["scheduled"]) == ({"acknowledged": 1, "completed": 1}, 1)


def test_a_worker_that_runs_begins_it(turnup: Turnup, world: NullWorld, playbook: Callable[..., Path]) -> None:
    turnup("submit", playbook(**DATES))
    executor = LocalExecutor(world.at)
    executor.start()
    try:
        world.clock.skipped = timedelta(days=1).total_seconds()
        while turnup("show", "PO-2024-00847", "--json").document["order"]["state"] != "completed":
            pass
    finally:
        executor.stop()
