"""Commands around orders: exit codes, JSON documents, what is said to people. The order layer is real, NetBox and devices are not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.documents import OrderDocument
from engine.errors import InventoryDenied
from engine.executor import LocalExecutor
from engine.ports import Question
from engine.worker_lock import sole_worker
from tests.null_world import NullWorld, refused
from tests.unit.turnup.conftest import PLAYBOOKS, Turnup
from turnup.cli.output import Output
from turnup.screen.watch import PlainWatch

FIRST = PLAYBOOKS / "superfibre-200.yaml"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """An order was shown: what it does from then on is shown as it happens."""
    shown, update = threading.Event(), PlainWatch.update

    def updated(screen: PlainWatch, document: OrderDocument) -> None:
        update(screen, document)
        shown.set()

    monkeypatch.setattr(PlainWatch, "update", updated)
    return shown


def test_run_ends_with_one_document(turnup: Turnup, world: NullWorld) -> None:
    said = turnup("run", FIRST, "--json")
    assert said.code == 0
    document = said.document
    assert document["order"].items() >= {"id": "PO-2024-00847", "externalId": "SF200-CUST-4821", "state": "completed"}.items()
    assert document["repeated"] is False
    assert [order["id"] for order in document["orders"]] == ["PO-2024-00847", "SO-2024-03291", "RO-2024-07814"]
    assert {item["level"] for item in document["items"]} == {"product", "service", "resource"}
    assert all({"id", "specification", "level", "state", "dependsOn", "parent"} <= set(item) for item in document["items"])
    assert all(set(line) == {"rfs", "resource", "type", "value"} for line in document["allocations"])
    assert [service["id"] for service in document["services"]] == ["SI-INT-4821", "SI-WIFI-4821", "SI-CPE-4821"]
    assert [product["id"] for product in document["products"]] == ["PI-BB-4821"]
    assert {target["state"] for target in document["targets"]} == {"done"}
    assert all({"name", "platform", "state", "transaction"} <= set(target) for target in document["targets"])
    assert "POI-001" in said.err  # progress


def test_run_for_people(turnup: Turnup, world: NullWorld, seen: threading.Event) -> None:
    world.targets.fail = lambda _: None if seen.wait(20) else refused("nobody looked")
    said = turnup("run", FIRST)
    assert said.code == 0
    for text in (
        "Plan: 2 branches side by side",
        "ROI-002 VLAN-Service  after ROI-001",
        "ROI-003 RFS:IP-Profile: completed",
        "Timeline",
        "0 min   product order PO-2024-00847 acknowledged",
        "reserved in NetBox: port, ont, vlan, ipv4, ipv6",
        "Bandwidth Policy",
        "SI-INT-4821    CFS:Internet-Access",
        "PI-BB-4821",
        "✔ online (SOI-001): seen",
        "✔ completed  PO-2024-00847",
    ):
        assert text in said.out
    assert said.err == ""


def test_running_again_orders_nothing_and_says_so(turnup: Turnup, world: NullWorld) -> None:
    turnup("run", FIRST)
    again = turnup("run", FIRST)
    assert again.code == 0
    assert "was ordered before, nothing is ordered twice" in again.out
    assert turnup("run", FIRST, "--json").document["repeated"] is True
    assert len(turnup("orders", "--json").document["orders"]) == 1


def test_no_secret_is_ever_shown(turnup: Turnup, world: NullWorld) -> None:
    texts = [
        turnup(*command).out
        for command in (("run", FIRST), ("run", FIRST, "--json"), ("plan", FIRST, "--json"), ("show", "SF200-CUST-4821"))
    ]
    secrets = world.at.secrets([world.at.store.tree("SF200-CUST-4821")])
    assert len(secrets) >= 2  # WPA3 passphrase, RADIUS password
    assert not [secret for secret in secrets for text in texts if secret in text]


def test_a_shortage_holds_the_order(turnup: Turnup, world: NullWorld) -> None:
    world.inventory.left["olt-port"] = 0
    said = turnup("run", FIRST)
    assert said.code == 3
    assert "RESOURCE_EXHAUSTED" in said.out
    assert "resource exhaustion: no free olt-port" in said.out
    assert "What to do: " in said.out
    assert "held  PO-2024-00847" in said.out
    held = turnup("run", FIRST, "--json")
    assert held.code == 3
    assert held.document["order"]["state"] == "held"
    assert turnup("orders", "--state", "held", "--json").document["orders"][0]["reason"].startswith("resource exhaustion")
    assert "no orders that are completed" in turnup("orders", "--state", "completed").out


def test_what_a_device_refuses_is_said_in_its_own_words(turnup: Turnup, world: NullWorld) -> None:
    world.targets.fail = lambda push: refused("bad-element: tcont is unknown here") if push.target == "OLT-EAST-07" else None
    said = turnup("run", FIRST, "--json")
    assert said.code == 3
    states = {target["name"]: target for target in said.document["targets"]}
    assert states["OLT-EAST-07"]["state"] == "held"
    assert states["OLT-EAST-07"]["message"] == "bad-element: tcont is unknown here"
    assert (states["DHCP-EAST-01"]["state"], states["DHCP-EAST-01"]["platform"]) == ("notAttempted", "kea")
    assert states["logistics"]["state"] == "done"


def test_what_cannot_go_on_has_failed(turnup: Turnup, world: NullWorld) -> None:
    said = turnup("run", FIRST, "--checksum", "0123456789abcdef", "--json")
    assert said.code == 1
    assert said.document["order"]["state"] == "failed"
    assert "has checksum" in said.document["order"]["reason"]
    assert "CHECKSUM_MISMATCH" in turnup("run", FIRST).out
    assert world.inventory.given == {}
    assert world.targets.pushes == []


def test_the_checksum_of_the_plan_is_the_checksum_of_the_run(turnup: Turnup, world: NullWorld) -> None:
    planned = turnup("plan", FIRST, "--json")
    assert planned.code == 0
    assert turnup("orders", "--json").document == {"orders": []}
    assert world.inventory.given == {}
    assert turnup("run", FIRST, "--checksum", planned.document["checksum"]).code == 0


def test_plan_as_a_document_and_for_people(turnup: Turnup, world: NullWorld) -> None:
    document = turnup("plan", FIRST, "--json").document
    assert (document["dryRun"], document["externalId"]) == (True, "SF200-CUST-4821")
    assert len([item for item in document["items"] if item["level"] == "resource"]) == 7
    assert {change["target"] for change in document["changes"]} >= {"OLT-EAST-07", "BNG-EAST-01", "logistics"}
    assert all(change["change"].startswith("+ ") for change in document["changes"])
    said = turnup("plan", FIRST).out
    assert "Allocations (expected: nothing was taken)" in said
    assert f"--checksum {document['checksum']}" in said


def test_a_plan_of_what_was_ordered_says_that_a_run_orders_nothing_more(turnup: Turnup, world: NullWorld) -> None:
    assert turnup("plan", FIRST, "--json").document["ordered"] is None
    turnup("submit", FIRST)
    assert turnup("plan", FIRST, "--json").document["ordered"] == "PO-2024-00847"
    said = turnup("plan", FIRST).out
    assert "SF200-CUST-4821 was ordered before as PO-2024-00847: a run orders nothing more" in said
    assert "sends exactly this" not in said


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"offering: PO": "offering: [PO"}, "PLAYBOOK_INVALID", "not YAML"),
        ({"ssid:": "sid:"}, "CHARACTERISTIC_INVALID", ":25: PS-RBA-01: unknown characteristic `sid`, did you mean `ssid`?"),
        ({"PO-SF200H": "PO-SF20H"}, "UNKNOWN_SPECIFICATION", ":20: unknown product offering `PO-SF20H`, did you mean `PO-SF200H`?"),
        ({"Model: HG8245H": "Model: HG8245X"}, "CHARACTERISTIC_INVALID", "`routerModel` is 'HG8245X'; legal values: HG8245H, HG8245Q2"),
        ({"wifiApp: true": "uploadSpeed: 100"}, "CHARACTERISTIC_INVALID", "`uploadSpeed` is 100; SuperFibre 200 Home fixes it to 50"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["run", "submit", "plan"])
def test_bad_input_is_coded_and_leaves_nothing(
    command: str, changes: dict[str, str], code: str, said: str, turnup: Turnup, world: NullWorld, playbook: Callable[..., Path]
) -> None:
    path = playbook(**changes)
    answer = turnup(command, path, "--json")
    assert answer.code == 2
    assert answer.document["error"]["code"] == code
    assert said in answer.document["error"]["message"]
    assert answer.document["error"]["remedy"]
    for_people = turnup(command, path)
    assert (for_people.code, for_people.out) == (2, "")
    assert code in for_people.err
    assert "What to do: " in for_people.err
    assert "Traceback" not in for_people.err
    assert turnup("orders", "--json").document == {"orders": []}
    assert world.inventory.calls == 0


def test_another_order_under_the_same_external_id(turnup: Turnup, world: NullWorld, playbook: Callable[..., Path]) -> None:
    turnup("submit", FIRST)
    for command in ("run", "submit", "plan"):
        answer = turnup(command, playbook(SmithHome="OtherHome"), "--json")
        assert answer.code == 2
        assert answer.document["error"]["code"] == "DUPLICATE_ORDER"
    assert len(turnup("orders", "--json").document["orders"]) == 1


def test_netbox_that_refuses_the_token_is_a_case_for_a_person(turnup: Turnup, world: NullWorld) -> None:
    def denied() -> None:
        raise InventoryDenied("NetBox refused the token")

    world.inventory.trouble = denied
    said = turnup("run", FIRST)
    assert said.code == 3
    assert "INVENTORY_DENIED" in said.out
    assert "Check TURNUP_NETBOX__TOKEN" in said.out
    document = turnup("run", FIRST, "--json").document
    assert (document["order"]["state"], document["order"]["reason"]) == ("held", "NetBox refused the token")
    assert {target["state"] for target in document["targets"]} <= {"notAttempted"}


def test_submit_says_who_works(turnup: Turnup, world: NullWorld, home: Path) -> None:
    alone = turnup("submit", FIRST, "--json").document
    assert alone["order"] == {"id": "PO-2024-00847", "externalId": "SF200-CUST-4821", "state": "acknowledged", "scheduled": False}
    assert alone["worker"] == {"running": False, "start": "turnup worker"}
    assert "no process works the lanes: `turnup worker` starts one" in turnup("submit", FIRST).out
    with sole_worker(home / "worker.lock"):
        worked = turnup("submit", FIRST, "--json").document
        assert worked["worker"]["running"] is True
        assert worked["repeated"] is True
        assert f"process {worked['worker']['pid']} works the lanes" in turnup("submit", FIRST).out
        assert turnup("worker").code == 2


def test_who_works_a_database_of_many_machines_is_not_known(turnup: Turnup, shared_world: NullWorld) -> None:
    assert turnup("submit", FIRST, "--json").document["worker"] == {"running": None}
    assert "whoever works the lanes goes on with it" in turnup("submit", FIRST).out


def test_run_follows_when_another_process_works(turnup: Turnup, world: NullWorld, home: Path) -> None:
    executor = LocalExecutor(world.at)
    with sole_worker(home / "worker.lock"):
        executor.start()
        try:
            said = turnup("run", FIRST)
        finally:
            executor.stop()
    assert said.code == 0
    assert "works the lanes; this one follows" in said.out
    assert "✔ completed  PO-2024-00847" in said.out


def test_run_takes_over_when_the_worker_ends(turnup: Turnup, world: NullWorld, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, leave, note = threading.Event(), threading.Event(), Output.note

    def idle_worker() -> None:
        with sole_worker(home / "worker.lock"):
            inside.set()
            assert leave.wait(20)

    def noted(output: Output, text: str) -> None:
        note(output, text)
        if "takes over when that one ends" in text:
            leave.set()

    monkeypatch.setattr(Output, "note", noted)
    other = threading.Thread(target=idle_worker)
    other.start()
    assert inside.wait(20)
    said = turnup("run", FIRST)
    other.join()
    assert said.code == 0
    assert leave.is_set()
    assert "takes over when that one ends" in said.out


def test_the_end_does_not_wait_for_ever_for_what_nobody_waits_for(
    turnup: Turnup, world: NullWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turnup.following.PATIENCE", 0.2)

    def not_online(question: Question) -> bool:
        return question.step != online()

    def online() -> int:
        return next(step.id for step in world.at.store.tree("SF200-CUST-4821").steps.values() if step.kind == "online")

    world.targets.done = not_online
    said = turnup("run", FIRST)
    assert said.code == 0
    assert "online (SOI-001): not seen yet" in said.out


def test_show_by_any_id(turnup: Turnup, world: NullWorld) -> None:
    turnup("run", FIRST)
    documents = [turnup("show", name, "--json").document for name in ("PO-2024-00847", "SO-2024-03291", "RO-2024-07814", "SF200-CUST-4821")]
    assert all(document == documents[0] for document in documents)
    assert documents[0]["history"]
    assert all(transaction["sent"] for transaction in documents[0]["transactions"])
    said = turnup("show", "RO-2024-07814").out
    for text in (
        "PO-2024-00847 → SO-2024-03291 → RO-2024-07814",
        "Allocations",
        "Services",
        "Targets",
        "History",
        "OLT-EAST-07 · ✔ confirmed",
    ):
        assert text in said


def test_show_of_an_order_that_was_not_worked_yet(turnup: Turnup, world: NullWorld) -> None:
    turnup("submit", FIRST)
    said = turnup("show", "PO-2024-00847")
    assert said.code == 0
    assert "acknowledged" in said.out
    assert turnup("show", "PO-2024-00847", "--json").document["allocations"] == []


def test_orders_lists_them(turnup: Turnup, world: NullWorld) -> None:
    assert turnup("orders").out == "no orders\n"
    turnup("submit", FIRST)
    listed = turnup("orders", "--json").document["orders"]
    assert listed[0].items() >= {"id": "PO-2024-00847", "state": "acknowledged", "customer": "CUST-4821"}.items()
    assert "SF200-CUST-4821" in turnup("orders").out


def test_an_order_that_nobody_knows(turnup: Turnup, world: NullWorld) -> None:
    answer = turnup("show", "PO-2024-99999", "--json")
    assert answer.code == 2
    assert answer.document["error"]["code"] == "UNKNOWN_ORDER"


def test_waiting_for_the_outside_is_followed_until_it_happens(turnup: Turnup, world: NullWorld) -> None:
    looks: list[Question] = []

    def delivered_later(question: Question) -> bool:
        if question.until == "delivered":
            looks.append(question)
        return question.until != "delivered" or len(looks) > 10

    world.targets.done = delivered_later
    said = turnup("run", FIRST)
    assert said.code == 0
    assert "wait at logistics: waiting" in said.out
    assert "product order PO-2024-00847: pending" in said.out
    assert "✔ completed  PO-2024-00847" in said.out
