"""From standing still to completed, by people's answers: on the embedded lab, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine.ports import Push, TransactionState
from engine.steps.wanted import work_of
from inventory.client import NetBox
from tests.integration.failures.machine import NETBOX, OLT, SWITCH, Machine
from tests.integration.failures.test_device_trouble import configuration
from tests.integration.failures.verdict import Verdict

FULL = {"error-message": "forwarding table is full"}


def held(machine: Machine, playbook: Path) -> dict[str, Any]:
    """Run the order until it stands still; its case."""
    ended = machine("run", playbook, "--json")
    assert ended.code == 3, ended.out + ended.err
    (case,) = ended.document["cases"]
    found: dict[str, Any] = case
    return found


def goes_on(machine: Machine, playbook: Path) -> Verdict:
    """Run it on to its end: nothing stands still any more."""
    done = machine("run", playbook, "--json")
    assert done.code == 0, done.out + done.err
    assert done.document["cases"] == []
    return Verdict(done.document)


def answered(machine: Machine, case: dict[str, Any], *answer: str) -> None:
    done = machine("fallout", "answer", case["id"], *answer, "--as", "jane", "--json")
    assert done.code == 0, done.out + done.err
    assert (done.document["case"]["state"], done.document["case"]["answeredBy"]) == ("answered", "jane")


def test_a_device_that_refused_is_tried_again_when_it_is_healed(machine: Machine) -> None:
    playbook = machine.playbook()
    machine.fail(OLT, "commit", "refuse", error={"error-message": "card LC3 restarts"}, times=None)
    case = held(machine, playbook)
    assert (case["queue"], case["type"], case["target"], case["item"]) == ("provisioning", "refused", OLT, "ROI-001")
    machine.heal()
    answered(machine, case, "retry")
    ended = goes_on(machine, playbook)
    assert ended.state == "completed"
    closed = machine("fallout", "show", case["id"], "--json").document["case"]
    assert (closed["state"], closed["answer"]) == ("answered", "retry")


def test_a_retry_that_does_not_help_is_a_new_case_that_follows(machine: Machine) -> None:
    playbook = machine.playbook()
    machine.fail(SWITCH, "commit", "refuse", error=FULL, times=None)
    first = held(machine, playbook)
    answered(machine, first, "retry")
    second = held(machine, playbook)
    assert (second["follows"], second["state"], second["assignee"]) == (first["id"], "taken", "jane")
    told = machine("fallout", "show", second["id"]).out
    assert "What was tried before" in told
    assert "retry, by jane" in told
    machine.heal()
    answered(machine, second, "retry")
    goes_on(machine, playbook)


@pytest.fixture
def kept_back(machine: Machine) -> Iterator[None]:
    """Planning keeps all ports of the exchange back."""
    client = NetBox(machine.endpoint(NETBOX).url or "", machine.credentials.netbox_token)
    try:
        names = [f"LC3/P{number}" for number in range(12, 17)]
        ports = client.read("dcim/interfaces", {"name": names, "fields": "id"})
        for state in ("reserved", "free"):
            client.update("dcim/interfaces", [{"id": port["id"], "custom_fields": {"alloc_state": state}} for port in ports])
            if state == "reserved":
                yield
    finally:
        client.close()


@pytest.mark.usefixtures("kept_back")
def test_planning_answers_with_a_port(machine: Machine) -> None:
    playbook = machine.playbook()
    case = held(machine, playbook)
    assert (case["queue"], case["type"], case["kind"], case["waitsFor"]) == ("network-planning", "exhausted", "reserve", "olt-port:EAST-07")
    answered(machine, case, "retry", "--with", "port=OLT-EAST-07:LC1/P1")
    again = held(machine, playbook)
    assert again["trouble"]["code"] == "RESOURCE_NOT_FREE"
    assert "port OLT-EAST-07:LC1/P1 cannot be had: it is in use" in again["trouble"]["message"]
    answered(machine, again, "retry", "--with", "port=OLT-EAST-07:LC3/P14")
    ended = goes_on(machine, playbook)
    assert ended.value("OLT Port") == "OLT-EAST-07, LC3, Port 14"
    assert machine("inventory", "audit").code == 0


def by_hand(machine: Machine, order: str, step: str, target: str) -> None:
    """Do on a device what the order wants there, past the order."""
    with machine.wired() as wiring:
        at, tree = wiring.workplace, wiring.store.tree(order)
        work = work_of(at.scope(tree), tree.steps[step], at.targets)
        change = at.targets.change(target, [], work.fragments, {})
        assert at.targets.push(Push("by-hand", target, change)).state is TransactionState.CONFIRMED


def test_done_by_hand_is_looked_at_before_it_is_believed(machine: Machine) -> None:
    playbook = machine.playbook()
    machine.fail(SWITCH, "edit-config", "refuse", error=FULL, times=None)
    case = held(machine, playbook)
    before = configuration(machine, SWITCH)
    answered(machine, case, "done")
    false = held(machine, playbook)
    assert (false["trouble"]["code"], false["follows"]) == ("NOT_AS_SAID", case["id"])
    assert f"{SWITCH} does not hold what is wanted: +" in false["trouble"]["message"]
    assert configuration(machine, SWITCH) == before
    machine.heal()
    by_hand(machine, case["root"], case["step"], SWITCH)
    machine.fail(SWITCH, "edit-config", "refuse", error=FULL, times=None)  # whoever sends something now is refused
    after = configuration(machine, SWITCH)
    answered(machine, false, "done")
    ended = goes_on(machine, playbook)
    assert ended.state == "completed"
    assert configuration(machine, SWITCH) == after
    steps = [step for item in ended.document["items"] for step in item["steps"]]
    assert next(step for step in steps if step["key"] == case["step"])["evidence"] == "done by hand, read back as wanted"


def test_the_app_is_skipped(machine: Machine) -> None:
    playbook = machine.playbook()
    machine.fail("cloudwifi", "POST *", "refuse", status=422, error={"message": "no more registrations"}, times=None)
    case = held(machine, playbook)
    assert [each["answer"] for each in case["answers"]] == ["retry", "done", "skip", "undo"]
    answered(machine, case, "skip")
    ended = goes_on(machine, playbook)
    assert ended.state == "completed"
    assert ended.value("Platform Registration") is None


def test_an_order_is_taken_back_by_an_answer(machine: Machine) -> None:
    """The parcel was delivered: it cannot be cancelled any more, but taken back, and then nothing of it is left on a device."""
    playbook = machine.playbook()
    before = {device: configuration(machine, device) for device in (OLT, SWITCH)}
    machine.fail(SWITCH, "commit", "refuse", error=FULL, times=None)
    case = held(machine, playbook)
    late = machine("fallout", "answer", case["id"], "cancel", "--json")
    assert (late.code, late.error["code"]) == (2, "ANSWER_NOT_POSSIBLE")
    answered(machine, case, "undo")
    machine.heal()
    done = machine("run", playbook, "--json")
    assert (done.code, done.document["order"]["state"], done.document["cases"]) == (1, "cancelled", [])
    assert {device: configuration(machine, device) for device in (OLT, SWITCH)} == before


def test_of_two_people_at_once_one_is_heard(machine: Machine) -> None:
    """Each is a process of its own on the same file."""
    playbook = machine.playbook()
    machine.fail(SWITCH, "commit", "refuse", error=FULL, times=None)
    case = held(machine, playbook)
    machine.heal()
    people = ("jane", "paul")
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda name: machine.process("fallout", "answer", case["id"], "retry", "--as", name, "--json"), people))
    assert sorted(each.code for each in done) == [0, 2]
    winner = people[[each.code for each in done].index(0)]
    (late,) = [each for each in done if each.code == 2]
    assert late.error["code"] == "CASE_ANSWERED"
    assert f"{case['id']} was answered by {winner} at " in late.error["message"]
    goes_on(machine, playbook)


def test_a_policy_shows_how_far_its_retries_are(machine: Machine) -> None:
    playbook = machine.playbook()
    machine.fail(SWITCH, "lock", "refuse", error={"error-tag": "lock-denied", "error-message": "another session"}, times=None)
    case = held(machine, playbook)
    assert (case["queue"], case["type"], case["tries"]) == ("noc", "locked", 7)
    items = machine("show", case["root"], "--json").document["items"]
    (decision,) = [step["decision"] for item in items for step in item["steps"] if step["key"] == case["step"]]
    assert (decision["appliesTo"], decision["retries"], decision["limit"], decision["nextTry"]) == ("locked", 6, 6, None)
    assert "tried again 6 of 6 times" in machine("show", case["root"]).out
    machine.heal()
    answered(machine, case, "retry")
    goes_on(machine, playbook)


def test_a_port_that_is_bad_is_exchanged_and_nothing_is_left_on_it(machine: Machine) -> None:
    playbook = machine.playbook()
    before = machine.holds(OLT)[OLT]["running"]
    machine.fail(OLT, "commit", "refuse", error={"error-message": "transceiver is dead"}, times=None)
    case = held(machine, playbook)
    assert case["answers"][0]["typed"] == "retry [--with port=DEVICE:PORT]"
    machine.heal()
    answered(machine, case, "retry", "--with", f"port={OLT}:LC3/P16")
    ended = goes_on(machine, playbook)
    ports = [line["value"] for line in ended.document["allocations"] if line["resource"] == "OLT Port"]
    assert ports == [f"{OLT}, LC3, Port 16"]
    sent = "\n".join(one["sent"] for one in ended.document["transactions"] if one["target"] == OLT and one["state"] == "confirmed")
    assert "v-ani-3.16." in sent
    bad = {line for line in sent.splitlines() if "v-ani-3." in line and "v-ani-3.16." not in line}
    assert bad == set()
    assert machine.holds(OLT)[OLT]["running"] != before
    assert machine("inventory", "audit").code == 0
    assert machine("check", "--all").code == 0


def test_what_was_taken_away_by_hand_is_looked_at_before_it_is_believed(machine: Machine) -> None:
    before = configuration(machine, SWITCH)
    made = machine.playbook()
    goes_on(machine, made)
    (product,) = machine("show", made.stem.replace("order-", "SF200-CUST-"), "--json").document["products"]
    end = machine.folder / f"end-{product['id']}.yaml"
    end.write_text(f"{{externalId: end-{product['id']}, action: delete, product: {product['id']}}}", "utf-8")
    machine.fail(SWITCH, "edit-config", "refuse", error=FULL, times=None)
    case = held(machine, end)
    assert (case["kind"], case["target"]) == ("remove", SWITCH)
    answered(machine, case, "done")
    false = held(machine, end)
    assert (false["trouble"]["code"], false["follows"]) == ("NOT_AS_SAID", case["id"])
    assert f"{SWITCH} holds still what was to go: -" in false["trouble"]["message"]
    machine.heal()
    with machine.wired() as wiring:
        at = wiring.workplace
        key = next(item.instance for item in wiring.store.tree(case["root"]).items.values() if item.id == case["item"])
        applied = at.store.database.look(lambda tx: at.configurations.applied(tx, SWITCH, [key or ""]))
        others = at.store.database.look(
            lambda tx: at.configurations.others(tx, SWITCH, [key or ""], [n for f in applied.values() for n in at.targets.nodes(f)])
        )
        change = at.targets.change(SWITCH, list(applied.values()), [], others)
        assert at.targets.push(Push("taken-away", SWITCH, change)).state is TransactionState.CONFIRMED
    assert configuration(machine, SWITCH) == before
    machine.fail(SWITCH, "edit-config", "refuse", error=FULL, times=None)  # whoever sends something now is refused
    answered(machine, false, "done")
    ended = goes_on(machine, end)
    assert ended.state == "completed"
    machine.heal()
    assert configuration(machine, SWITCH) == before
    assert machine("inventory", "audit").code == 0
    assert machine("check", "--all").code == 0
