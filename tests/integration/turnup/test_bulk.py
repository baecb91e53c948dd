"""Many orders in one file over the embedded lab: a bad row, one that is there twice, and a run that is killed in the middle."""

from __future__ import annotations

import contextlib
import csv
import json
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import control
from tests.integration.turnup.conftest import ROOT, Program, until

ROWS = 30
BAD, TWICE = 11, 20
"""Numbers of the row that is bad, and of the one that says again what the first says."""


@pytest.fixture(scope="module")
def turnup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program with a lab of the profile `bench`."""
    program = Program(tmp_path_factory.mktemp("bulk") / "home", {"TURNUP_LAB__PROFILE": "bench"})
    assert program("lab", "up").code == 0
    yield program
    control.down(program.home / "lab")


def write(path: Path) -> Path:
    """Rows as those of playbooks/bulk.csv, for other customers."""
    lines = [line for line in (ROOT / "playbooks" / "bulk.csv").read_text("utf-8").splitlines() if not line.startswith("#")]
    model = next(csv.DictReader(lines))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(model))
        writer.writeheader()
        for number in range(ROWS):
            own = 0 if number == TWICE else number
            row = {**model, "externalId": f"MANY-{own}", "customer.id": f"CUST-{7000 + own}", "characteristics.ssid": f"Home{own}"}
            writer.writerow({**row, "characteristics.wifiApp": "perhaps"} if number == BAD else row)
    return path


def asked(turnup: Program, question: str) -> list[tuple[Any, ...]]:
    """Of the database itself, while others write into it: a command for each look would take most of the machine."""
    path = turnup.home / "turnup.db"
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database, contextlib.suppress(sqlite3.OperationalError):
        return database.execute(question).fetchall()
    return []


def states(turnup: Program) -> Counter[str]:
    """How many orders are in which state."""
    return Counter(dict(asked(turnup, "select state, count(*) from orders where id = root group by state")))


@pytest.mark.timeout(300)
def test_a_run_that_is_killed_ends_when_it_is_run_again_with_nothing_doubled(turnup: Program, tmp_path: Path) -> None:
    path, log = write(tmp_path / "orders.csv"), tmp_path / "run.log"
    with log.open("w") as file:
        run = subprocess.Popen(turnup.command("run", path), cwd=ROOT, env=turnup.environment(), stdout=file, stderr=file)
        until(lambda: (found := states(turnup))["acknowledged"] < found.total() == ROWS - 2, "the middle of the run", 90)
        run.send_signal(signal.SIGKILL)
        run.wait(timeout=30)
    assert states(turnup)["completed"] < ROWS - 2, log.read_text()

    done = turnup("run", path, "--json")
    assert done.code == 1, done.out + done.err
    document = done.document
    assert {name: document[name] for name in ("rows", "accepted", "repeated", "orders", "standing")} == {
        "rows": ROWS,
        "accepted": 0,
        "repeated": ROWS - 1,
        "orders": {"completed": ROWS - 2},
        "standing": [],
    }
    (bad,) = document["refused"]
    assert (bad["line"], bad["externalId"], bad["code"]) == (BAD + 2, f"MANY-{BAD}", "CHARACTERISTIC_INVALID")
    assert "`wifiApp` is 'perhaps', a boolean is needed" in bad["message"]
    _nothing_doubled(turnup)


def _nothing_doubled(turnup: Program) -> None:
    """Each order has resources of its own, and NetBox knows of no others."""
    orders = asked(turnup, "select external_id from orders where id = root")
    assert len(set(orders)) == len(orders) == ROWS - 2
    given = asked(turnup, "select root, name, objects from allocations where state <> 'released'")
    assert Counter(name for _, name, _ in given) == dict.fromkeys(("port", "ont", "vlan", "ipv4", "ipv6"), ROWS - 2)
    assert set(Counter(objects for _, _, objects in given).values()) == {1}
    audit = turnup("inventory", "audit", "--json")
    assert audit.code == 0, audit.out


def test_the_orders_are_followed_from_the_first_event_to_ctrl_c(turnup: Program, tmp_path: Path) -> None:
    """What happened in the test before, and what happens meanwhile."""
    log = tmp_path / "changes.jsonl"
    with log.open("w") as file:
        follow = subprocess.Popen(
            turnup.command("orders", "--follow", "--since", "0", "--json"), cwd=ROOT, env=turnup.environment(), stdout=file, text=True
        )
        assert turnup("run", "playbooks/superfibre-200.yaml").code == 0
        until(lambda: _last(log, "SF200-CUST-4821") == "completed", "the last change")
        follow.send_signal(signal.SIGINT)
        assert follow.wait(timeout=30) == 0
    changes = [json.loads(line) for line in log.read_text().splitlines()]
    numbers = [change["number"] for change in changes]
    assert numbers == sorted(set(numbers))
    told = {change["order"]: change["state"] for change in changes}
    assert told == dict(asked(turnup, "select id, state from orders where id = root"))


def _last(log: Path, external_id: str) -> str:
    """Of lines that are complete."""
    changes: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().rpartition("\n")[0].splitlines()]
    return next((change["state"] for change in reversed(changes) if change["externalId"] == external_id), "")
