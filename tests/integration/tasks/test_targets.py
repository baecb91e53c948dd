"""The order layer's view (`engine.ports.Targets`): render, change, push and take back on real targets, and what is never lost or shown."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pushes
import pytest
from document_changes import change, put, radcheck
from lab_targets import Target, inventory_of
from nornir.core.inventory import Host
from olt_changes import v_ani
from pushes import READBACK, code, undone

from engine.errors import TargetDenied, TargetUnknown
from engine.ports import Change, Fragment, Look, Outcome, Push, Question, Targets, TransactionState, Wanted
from tasks import kinds
from tasks.kinds.netconf import NetconfKind
from tasks.targets import NornirTargets

_V_ANI = """<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"><interface>
  <name>v-ani-{{ port.slug }}.1</name><type xmlns:x="urn:bbf:yang:bbf-xpon-if-type">x:v-ani</type><enabled>true</enabled>
  <v-ani xmlns="urn:bbf:yang:bbf-xponvani"><channel-partition>CPART-{{ port.slug }}</channel-partition><onu-id>1</onu-id>
  <expected-serial-number>{{ ont.pon_serial }}</expected-serial-number></v-ani></interface></interfaces>"""
TEMPLATES = {"bbf-olt/bearer.xml.j2": _V_ANI}
NAMES = ("OLT-EAST-07", "BNG-EAST-01", "kea", "radius")


@pytest.fixture
def targets(olt: Target, bng: Target, system: Callable[[str], Target]) -> Iterator[NornirTargets]:
    found = NornirTargets(inventory_of(olt, bng, system("kea"), system("radius")))
    yield found
    found.close()


def bearer(targets: Targets, port: str, serial: str = "HWTC02340098") -> Fragment:
    context = {"port": {"slug": port}, "ont": {"pon_serial": serial}}
    return targets.render(Wanted("OLT-EAST-07", f"SI-{port}/bearer", "bearer", context), TEMPLATES)


def test_from_template_to_device_and_back(targets: Targets, olt: Target) -> None:
    before = olt.remote.state()["running"]
    wanted = bearer(targets, "1.9")
    create = targets.change("OLT-EAST-07", [], [wanted], {})
    assert "+" in targets.show("OLT-EAST-07", create)
    assert targets.push(pushes.push_of("OLT-EAST-07", create, READBACK)).state is TransactionState.CONFIRMED
    assert not targets.change("OLT-EAST-07", [wanted], [wanted], {})
    modify = targets.change("OLT-EAST-07", [wanted], [bearer(targets, "1.9", "HWTC99999999")], {})
    assert targets.push(pushes.push_of("OLT-EAST-07", modify, READBACK)).state is TransactionState.CONFIRMED
    assert "HWTC99999999" in olt.remote.state()["running"]
    assert targets.push(pushes.push_of("OLT-EAST-07", undone(modify), READBACK)).state is TransactionState.CONFIRMED
    assert targets.push(pushes.push_of("OLT-EAST-07", undone(create), READBACK)).state is TransactionState.CONFIRMED
    assert olt.remote.state()["running"] == before


@pytest.mark.parametrize("name", NAMES)
def test_what_was_there_before_us(targets: Targets, name: str) -> None:
    fragment = targets.day_zero(name)
    if name in ("kea", "radius"):
        assert fragment is None
    else:
        assert fragment is not None
        assert (fragment.target, fragment.key) == (name, "day-0")
        assert len(targets.nodes(fragment)) >= 5


def test_an_unknown_target(targets: Targets) -> None:
    for ask in (
        lambda: targets.platform("NOWHERE"),
        lambda: targets.day_zero("NOWHERE"),
        lambda: targets.push(pushes.push_of("NOWHERE", v_ani("1.1"))),
    ):
        with pytest.raises(TargetUnknown, match="NOWHERE"):
            ask()


def test_day_zero_raises_what_went_wrong(olt: Target) -> None:
    targets = NornirTargets(inventory_of(olt, access=olt.host(password="wrong").connection_options["netconf"].extras["access"]))  # type: ignore[index]
    with pytest.raises(TargetDenied):
        targets.day_zero("OLT-EAST-07")


def test_a_failure_does_not_keep_the_next_push_from_the_target(targets: Targets, olt: Target) -> None:
    for _ in range(3):
        olt.remote.fail("edit-config", "refuse")
        assert targets.push(pushes.push_of("OLT-EAST-07", v_ani("1.10"))).state is TransactionState.REFUSED
    assert targets.push(pushes.push_of("OLT-EAST-07", v_ani("1.10"))).state is TransactionState.CONFIRMED
    assert targets.push(pushes.push_of("OLT-EAST-07", undone(v_ani("1.10")))).state is TransactionState.CONFIRMED


def test_targets_are_pushed_side_by_side(targets: Targets, olt: Target, system: Callable[[str], Target]) -> None:
    """One that hangs does not hold up another: its push ends while the first still waits."""
    olt.remote.fail("validate", "hang")
    slow: list[Outcome] = []
    thread = threading.Thread(target=lambda: slow.append(targets.push(pushes.push_of("OLT-EAST-07", v_ani("1.11"), timeout=3))))
    thread.start()
    row = change(put(*radcheck("SI-side", "pw")))
    assert targets.push(pushes.push_of("radius", row)).state is TransactionState.CONFIRMED
    assert not slow
    thread.join()
    assert code(slow[0]) == "TARGET_TIMEOUT"
    assert targets.push(pushes.push_of("radius", undone(row))).state is TransactionState.CONFIRMED


class _Broken(NetconfKind):
    """A kind with a fault of its own."""

    def __init__(self, fault: Callable[[], Any]) -> None:
        self._fault = fault

    def push(self, push: Push, host: Host) -> Outcome:
        outcome: Outcome = self._fault()
        return outcome


def test_a_fault_of_ours_is_an_unknown_outcome_without_secrets(targets: Targets, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault() -> None:
        raise ZeroDivisionError("secret-1")

    monkeypatch.setattr("tasks.kinds.KINDS", {**kinds.KINDS, "bbf-olt": _Broken(fault)})
    outcome = targets.push(pushes.push_of("OLT-EAST-07", v_ani("1.1")))
    assert (outcome.state, code(outcome)) == (TransactionState.UNKNOWN, "INTERNAL")
    assert "secret-1" not in str(outcome)


def test_a_push_that_never_ends_is_given_up(targets: Targets, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr("tasks.kinds.KINDS", {**kinds.KINDS, "bbf-olt": _Broken(gate.wait)})
    monkeypatch.setattr("tasks.targets._TO_SETTLE", 0.1)
    outcome = targets.push(pushes.push_of("OLT-EAST-07", v_ani("1.1"), timeout=0.1))
    gate.set()
    assert (outcome.state, code(outcome)) == (TransactionState.UNKNOWN, "TARGET_TIMEOUT")


def test_what_became_of_a_push(targets: Targets) -> None:
    at = "interfaces ge-0/0/1 unit 1900"
    push = pushes.push_of("BNG-EAST-01", Change(f"set {at} vlan-id 1900", f"delete {at}"))
    assert targets.resolve(push).state is TransactionState.REVERSED
    assert targets.push(push).state is TransactionState.CONFIRMED
    assert targets.resolve(push).state is TransactionState.CONFIRMED


def test_questions_to_an_unknown_or_dumb_target_have_an_answer(targets: Targets) -> None:
    assert targets.ask([]) == {}
    for name in ("NOWHERE", "OLT-EAST-07"):
        answers = targets.ask([Question(1, name, "inform", {}), Question(2, name, "online", {})])
        assert [(answer.look, answer.trouble is not None) for answer in answers.values()] == [(Look.NOT_YET, True)] * 2


def test_no_secret_is_logged(targets: Targets, system: Callable[[str], Target], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="nornir")
    caplog.set_level(logging.DEBUG, logger="tasks")
    caplog.set_level(logging.DEBUG, logger="httpx")
    caplog.set_level(logging.DEBUG, logger="sqlalchemy")
    row = change(put(*radcheck("SI-log", "secret-in-a-row")))
    assert targets.push(pushes.push_of("radius", row)).state is TransactionState.CONFIRMED
    assert targets.push(pushes.push_of("radius", undone(row))).state is TransactionState.CONFIRMED
    assert caplog.records
    for secret in ("secret-in-a-row", *(target.access.password or "-" * 9 for target in (system("kea"),))):
        assert secret not in caplog.text
