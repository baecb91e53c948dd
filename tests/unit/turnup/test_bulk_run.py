"""`turnup run` and `turnup submit` of many orders: one document, exit codes, what is said to people. The network is the null world."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InventoryUnreachable
from engine.executor import LocalExecutor
from engine.worker_lock import sole_worker
from tests.null_world import NullWorld
from tests.unit.turnup.conftest import Turnup

HEADER = "externalId,offering,customer.id,customer.name,address.exchange,characteristics.ssid"


def order(number: int, **changes: str) -> str:
    """A row of its own."""
    cells = {
        "id": f"ROW-{number}",
        "offering": "PO-SF200H",
        "customer": f"CUST-{number}",
        "name": "Jane",
        "site": "EAST-07",
        "ssid": "Home",
    }
    return ",".join({**cells, **changes}.values())


@pytest.fixture
def bulk(tmp_path: Path) -> Callable[[Iterable[str]], Path]:
    """Writes a CSV file with these rows; the first is on line 2."""

    def write(rows: Iterable[str]) -> Path:
        path = tmp_path / "orders.csv"
        path.write_text("\n".join([HEADER, *rows, ""]), "utf-8")
        return path

    return write


Bulk = Callable[[Iterable[str]], Path]


def test_a_run_ends_with_one_document(turnup: Turnup, world: NullWorld, bulk: Bulk) -> None:
    path = bulk(order(number) for number in range(12))
    said = turnup("run", path, "--json")
    assert said.code == 0
    assert said.document == {
        "file": str(path),
        "rows": 12,
        "accepted": 12,
        "repeated": 0,
        "refused": [],
        "orders": {"completed": 12},
        "scheduled": 0,
        "standing": [],
        "worker": {},
    }
    assert "accept: 12 of 12" in said.err
    assert "complete: 12 of 12" in said.err


def test_a_run_for_people(turnup: Turnup, world: NullWorld, bulk: Bulk) -> None:
    said = turnup("run", bulk([order(1), order(2, ssid="x" * 40)]))
    assert said.code == 1
    for text in ("accept: 2 of 2; 1 accepted, 1 refused", "✔ 1 completed", "Rows that were refused", "orders.csv:3", "ROW-2",
                 "CHARACTERISTIC_INVALID", "2 rows: 1 accepted, 1 refused"):  # fmt: skip
        assert text in said.out
    assert said.err == ""


def test_running_again_orders_nothing_twice(turnup: Turnup, world: NullWorld, bulk: Bulk) -> None:
    turnup("run", bulk([order(1), order(2)]))
    again = turnup("run", bulk([order(1), order(2), order(3)]), "--json")
    assert again.code == 0
    assert (again.document["accepted"], again.document["repeated"], again.document["orders"]) == (1, 2, {"completed": 3})
    assert len(turnup("orders", "--json").document["orders"]) == 3
    assert "0 accepted, 3 ordered before (nothing was ordered twice)" in turnup("run", bulk([order(1), order(2), order(3)])).out


def test_bad_rows_do_not_stop_the_others(turnup: Turnup, world: NullWorld, bulk: Bulk) -> None:
    rows = [
        order(1),
        order(2, offering="PO-SF20H"),
        order(3, customer=""),
        order(1, ssid="OtherHome"),
        order(1),
        order(4, ssid=""),
        order(3),
        "ROW-5,PO-SF200H",
    ]
    said = turnup("run", bulk(rows), "--json")
    assert said.code == 1
    document = said.document
    assert {name: document[name] for name in ("rows", "accepted", "repeated", "orders")} == {
        "rows": 8, "accepted": 3, "repeated": 1, "orders": {"completed": 3},
    }  # fmt: skip
    assert [(row["line"], row["externalId"], row["code"]) for row in document["refused"]] == [
        (3, "ROW-2", "UNKNOWN_SPECIFICATION"),
        (4, "ROW-3", "PLAYBOOK_INVALID"),
        (5, "ROW-1", "DUPLICATE_ORDER"),
        (9, "ROW-5", "PLAYBOOK_INVALID"),
    ]
    assert "did you mean `PO-SF200H`?" in document["refused"][0]["message"]
    assert "(line 2 of this file)" in document["refused"][2]["message"]
    assert all(row["remedy"] for row in document["refused"])


@pytest.mark.parametrize("command", ["run", "submit"])
def test_when_no_row_can_be_accepted_it_is_bad_input(command: str, turnup: Turnup, world: NullWorld, bulk: Bulk) -> None:
    said = turnup(command, bulk([order(1, offering="PO-1"), order(2, customer="")]), "--json")
    assert said.code == 2
    assert (said.document["orders"], len(said.document["refused"])) == ({}, 2)
    assert turnup("orders", "--json").document == {"orders": []}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("externalId,offering,customer.id,address.exchnge\n", "unknown column `address.exchnge`"),
        ("", "has no orders"),
        (f'{HEADER}\n{order(1)}\n"{order(2)}', ":3: not CSV"),
    ],
)
@pytest.mark.parametrize("command", ["run", "submit"])
def test_a_file_that_cannot_be_read_is_bad_input(
    command: str, text: str, said: str, turnup: Turnup, world: NullWorld, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(text, "utf-8")
    answer = turnup(command, path, "--json")
    assert answer.code == 2
    assert answer.document["error"]["code"] == "PLAYBOOK_INVALID"
    assert said in answer.document["error"]["message"]
    assert turnup("orders", "--json").document == {"orders": []}
    assert turnup("run", tmp_path / "missing.csv").code == 2


def test_what_is_of_one_order_only(turnup: Turnup, world: NullWorld, bulk: Bulk) -> None:
    path = bulk([order(1)])
    assert turnup("run", path, "--checksum", "0123456789abcdef", "--json").document["error"]["code"] == "BAD_INPUT"
    assert "holds many orders" in turnup("plan", path).err
    assert turnup("orders", "--json").document == {"orders": []}


def test_what_stands_still_is_told_by_reason(turnup: Turnup, world: NullWorld, bulk: Bulk) -> None:
    world.inventory.left["olt-port"] = 2
    path = bulk(order(number) for number in range(5))
    said = turnup("run", path, "--json")
    assert said.code == 3
    assert said.document["orders"] == {"held": 3, "completed": 2}
    (reason,) = said.document["standing"]
    assert {name: reason[name] for name in ("count", "state", "code", "message")} == {
        "count": 3, "state": "held", "code": "RESOURCE_EXHAUSTED", "message": "resource exhaustion: no free olt-port",
    }  # fmt: skip
    people = turnup("run", path)
    assert people.code == 3
    for text in ("What stands still, and why", "RESOURCE_EXHAUSTED", "no free olt-port", "■ 3 held"):
        assert text in people.out


def test_one_that_failed_makes_the_run_fail(turnup: Turnup, world: NullWorld, bulk: Bulk) -> None:
    path = bulk(order(number) for number in (1, 2))
    turnup("submit", path)
    with world.at.store.unit() as unit:
        (tree,) = unit.trees(["PO-2024-00847"]).values()
        tree.root.checksum = "not what it would be"
        tree.touch()
    said = turnup("run", path, "--json")
    assert said.code == 1
    assert said.document["orders"] == {"completed": 1, "failed": 1}
    assert said.document["standing"][0]["code"] == "CHECKSUM_MISMATCH"


def test_submit_says_who_works(turnup: Turnup, world: NullWorld, bulk: Bulk, home: Path) -> None:
    path = bulk([order(1), order(2)])
    alone = turnup("submit", path, "--json")
    assert alone.code == 0
    assert alone.document["orders"] == {"acknowledged": 2}
    assert alone.document["worker"] == {"running": False, "start": "turnup worker"}
    with sole_worker(home / "worker.lock"):
        assert turnup("submit", path, "--json").document["worker"]["running"] is True
    assert "no process works the lanes: `turnup worker` starts one" in turnup("submit", path).out
    assert turnup("submit", bulk([order(1), order(3, offering="")])).code == 1


def test_who_works_a_database_of_many_machines_is_not_known(turnup: Turnup, shared_world: NullWorld, bulk: Bulk) -> None:
    path = bulk([order(1)])
    assert turnup("submit", path, "--json").document["worker"] == {"running": None}
    assert "whoever works the lanes goes on with it" in turnup("submit", path).out


def test_a_run_follows_when_another_process_works(turnup: Turnup, world: NullWorld, bulk: Bulk, home: Path) -> None:
    executor = LocalExecutor(world.at)
    with sole_worker(home / "worker.lock"):
        executor.start()
        try:
            said = turnup("run", bulk(order(number) for number in range(5)))
        finally:
            executor.stop()
    assert said.code == 0
    assert "works the lanes; this one follows" in said.out


def test_netbox_gone_in_the_middle_is_not_the_rows_fault(
    turnup: Turnup, world: NullWorld, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, site, asked = bulk(order(number) for number in range(1, 5)), world.inventory.site, 0

    def gone(name: str) -> Any:
        nonlocal asked
        asked += 1
        if asked > 5:  # after the first two
            raise InventoryUnreachable("NetBox does not answer")
        return site(name)

    monkeypatch.setattr(world.inventory, "site", gone)
    monkeypatch.setattr("turnup.bulk.accepting.TOGETHER", 2)
    said = turnup("run", path, "--json")
    assert said.code == 1
    assert said.document["error"]["code"] == "INVENTORY_UNREACHABLE"
    assert "the same command goes on with the rest" in said.document["error"]["message"]
    asked = -1000
    again = turnup("run", path, "--json").document
    assert (again["orders"], again["refused"]) == ({"completed": 4}, [])
    assert (again["repeated"], again["accepted"]) == (2, 2)


@pytest.mark.parametrize("name", ["orders.jsonl", "orders.yaml"])
def test_the_other_formats(name: str, turnup: Turnup, world: NullWorld, tmp_path: Path) -> None:
    data = [
        {"externalId": f"J-{n}", "offering": "PO-SF200H", "customer": {"id": f"CUST-{n}"}, "address": {"exchange": "EAST-07"}}
        for n in range(3)
    ]  # fmt: skip
    text = "".join(json.dumps(each) + ("\n---\n" if name.endswith("yaml") else "\n") for each in data)
    (tmp_path / name).write_text(text + ("{}\n" if name.endswith("jsonl") else ""), "utf-8")
    said = turnup("run", tmp_path / name, "--json")
    assert said.code == (1 if name.endswith("jsonl") else 0)
    assert said.document["orders"] == {"completed": 3}


def test_an_interrupted_run_says_how_to_go_on(turnup: Turnup, world: NullWorld, bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    path = bulk([order(1)])
    monkeypatch.setattr("turnup.bulk.running.Overview.counts", interrupted)
    said = turnup("run", path)
    assert said.code == 130
    assert f"the same `turnup run {path}` again" in said.out
    assert "`turnup orders --follow`" in said.out
    assert turnup("show", "ROW-1").code == 0


def test_two_thousand_rows(turnup: Turnup, world: NullWorld, tmp_path: Path) -> None:
    """Small orders, of one RFS: it is the file that is large. One row is bad, one is there twice."""
    rows = [f"ROW-{n},resource,RFS:GPON-Bearer,CUST-{n},EAST-07,EAST-07,1G,HG8245H" for n in range(2000)]
    rows[700], rows[1500] = rows[700].replace(",1G,", ",2G,"), rows[3]
    names = ("oltArea", "bearerSpeed", "ontModel")
    header = ",".join(["externalId,level,specification,customer.id,address.exchange", *(f"characteristics.{name}" for name in names)])
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([header, *rows]), "utf-8")
    said = turnup("run", path, "--json")
    assert said.code == 1
    document = said.document
    assert (document["rows"], document["accepted"], document["repeated"], document["orders"]) == (2000, 1998, 1, {"completed": 1998})
    assert [(row["line"], row["externalId"]) for row in document["refused"]] == [(702, "ROW-700")]
    assert len(world.inventory.given) == 1998 * 2  # port and ONT
