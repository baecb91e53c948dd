"""Transactions on Kea, FreeRADIUS, the ACS, the cloud controller and logistics, over real sockets."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pushes
import pytest
from document_changes import change, delete, parcel, preset, provision, put, radcheck, radreply, reservation4, reservation6, tag
from lab_targets import Target
from nornir.core.inventory import Host
from pushes import READBACK, at_the, code, undone

from engine.ports import Change, Outcome, TransactionState
from tasks.kinds import for_platform

System = Callable[[str], Target]
Opened = Callable[[Host], Host]


def pushed(target: Target, host: Host, change_: Change, **other: Any) -> Outcome:
    return for_platform(target.platform).push(pushes.push_of(target.name, change_, READBACK, **other), host)


LINES = {
    "kea": lambda n: change(put(*reservation4(n)), put(*reservation6(n))),
    "radius": lambda n: change(put(*radcheck(f"SI-{n}", f"secret-{n}")), put(*radreply(f"SI-{n}", f"10.42.17.{n}"))),
    "acs": lambda n: change(put(*provision(f"residential-{n}")), put(*preset(f"HWT{n}", f"residential-{n}", f"SI-{n}"))),
    "cloudwifi": lambda n: change(put(*tag(n)), put(*tag(n + 100))),
    "logistics": lambda n: change(put(*parcel(f"RO-{n}/ROI-1", f"HWT-{n}")), put(*parcel(f"RO-{n}/ROI-2", f"HWT-{n}-2"))),
}
"""Two documents for a line, by kind of system; the number keeps the tests apart."""

WRITES = {
    "kea": ("reservation-add", "reservation-add"),
    "acs": ("PUT /provisions/*", "PUT /presets/*"),
    "cloudwifi": ("POST *", "POST *"),
    "logistics": ("POST *", "POST *"),
}
"""The operations that write the first and the second document."""


def held(target: Target) -> Any:
    """What the system holds, without what changes by itself."""
    state = target.remote.state()
    match target.endpoint.kind:
        case "logistics":
            return sorted(parcel["order"]["externalId"] for parcel in state["parcels"] if parcel["status"] != "cancelled")
        case "acs":
            return state["presets"], state["provisions"]
        case "kea":
            return {name: server["reservations"] for name, server in state.items()}
        case "radius":
            return {name: [{**row, "id": 0} for row in rows] for name, rows in state.items()}
        case _:
            return state


@pytest.mark.parametrize("kind", LINES)
class TestEverySystem:
    def test_a_change_is_confirmed_twice_the_same_and_its_reverse_takes_it_back(self, kind: str, system: System, opened: Opened) -> None:
        target = system(kind)
        host, line, before = opened(target.host()), LINES[kind](21), held(target)
        outcome = pushed(target, host, line)
        assert (outcome.state, outcome.trouble) == (TransactionState.CONFIRMED, None)
        assert [check.evidence for check in outcome.checks] == ["read back 2 as sent"]
        after = held(target)
        assert after != before
        assert pushed(target, host, line) == outcome
        assert held(target) == after
        assert pushed(target, host, undone(line)).state is TransactionState.CONFIRMED
        assert held(target) == before

    def test_unreachable(self, kind: str, system: System, opened: Opened) -> None:
        target = system(kind)
        host = opened(target.host(urls=dict.fromkeys(target.access.urls, "http://127.0.0.1:9") | {"": _nowhere(kind)}))
        outcome = pushed(target, host, LINES[kind](22))
        assert (outcome.state, code(outcome)) == (TransactionState.NOT_ATTEMPTED, "TARGET_UNREACHABLE")

    def test_without_a_url(self, kind: str, system: System, opened: Opened) -> None:
        target = system(kind)
        outcome = pushed(target, opened(target.host(urls={})), LINES[kind](22))
        assert (outcome.state, code(outcome)) == (TransactionState.NOT_ATTEMPTED, "SETTINGS_INVALID")

    def test_an_unknown_kind_of_document(self, kind: str, system: System, opened: Opened) -> None:
        target = system(kind)
        outcome = pushed(target, opened(target.host()), change(put("frobnicate", "1/2", {"a": 1})))
        assert (outcome.state, code(outcome)) == (TransactionState.REFUSED, "TARGET_REFUSED")

    @pytest.mark.parametrize("call", [1, 2])
    def test_the_lane_is_no_longer_ours(self, kind: str, system: System, opened: Opened, call: int) -> None:
        target = system(kind)
        before = held(target)
        outcome = pushed(target, opened(target.host()), LINES[kind](23), holds=at_the(call, lambda: None, answer=False))
        assert code(outcome) == "LEASE_LOST"
        assert held(target) == before

    def test_resolved_by_what_it_holds(self, kind: str, system: System, opened: Opened) -> None:
        target = system(kind)
        host, line, before = opened(target.host()), LINES[kind](24), held(target)
        push = pushes.push_of(target.name, line)
        resolve = for_platform(target.platform).resolve
        assert resolve(push, host).state is TransactionState.REVERSED
        half = change(json.loads(line.forward)[0])
        assert pushed(target, host, half).state is TransactionState.CONFIRMED
        assert resolve(push, host).state is TransactionState.REVERSED
        assert held(target) == before
        assert pushed(target, host, line).state is TransactionState.CONFIRMED
        assert resolve(push, host).state is TransactionState.CONFIRMED
        assert pushed(target, host, undone(line)).state is TransactionState.CONFIRMED


def _nowhere(kind: str) -> str:
    return "sqlite:////nowhere/radius.db" if kind == "radius" else "http://127.0.0.1:9"


@pytest.mark.parametrize("kind", WRITES)
class TestHttpSystems:
    def test_wrong_credentials(self, kind: str, system: System, opened: Opened) -> None:
        target = system(kind)
        wrong = {"password": "not-it"} if target.access.password else {"api_key": "not-it"}
        outcome = pushed(target, opened(target.host(**wrong)), LINES[kind](31))
        assert (outcome.state, code(outcome)) == (TransactionState.NOT_ATTEMPTED, "TARGET_DENIED")
        assert "not-it" not in str(outcome)

    @pytest.mark.parametrize(("do", "code_"), [("drop", "TARGET_LOST"), ("hang", "TARGET_TIMEOUT")])
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_the_second_write_is_lost_and_both_are_taken_back(
        self, kind: str, system: System, opened: Opened, do: str, code_: str, when: str
    ) -> None:
        target = system(kind)
        before, (first, second) = held(target), WRITES[kind]
        target.remote.fail(second, "slow", seconds=0, times=1) if first == second else None
        target.remote.fail(second, do, when=when, times=1 if do == "hang" else 3)
        outcome = pushed(target, opened(target.host(timeout=0.5)), LINES[kind](32))
        if outcome.state is TransactionState.CONFIRMED:  # it may be repeated, and was
            assert kind == "acs"
            outcome = pushed(target, opened(target.host()), undone(LINES[kind](32)))
        else:
            assert (outcome.state, code(outcome)) == (TransactionState.REVERSED, code_)
        assert held(target) == before

    def test_it_cannot_be_taken_back(self, kind: str, system: System, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tasks.kinds.documents._TO_UNDO", 0.5)
        target = system(kind)
        back = {"kea": "reservation-del"}.get(kind, "DELETE *")
        target.remote.fail(back, "refuse", times=None, status=500)
        host = opened(target.host())
        outcome = pushed(target, host, LINES[kind](33), holds=at_the(2, lambda: None, answer=False))
        assert outcome.state is TransactionState.UNKNOWN
        assert "could not be taken back" in str(outcome.trouble)
        target.remote.heal()
        assert pushed(target, host, undone(LINES[kind](33))).state is TransactionState.CONFIRMED

    def test_slow_is_no_error(self, kind: str, system: System, opened: Opened) -> None:
        target = system(kind)
        target.remote.fail(WRITES[kind][0], "slow", seconds=0.3)
        host = opened(target.host())
        assert pushed(target, host, LINES[kind](34)).state is TransactionState.CONFIRMED
        assert pushed(target, host, undone(LINES[kind](34))).state is TransactionState.CONFIRMED


class TestKea:
    def test_the_reservations_survive_a_restart(self, system: System, opened: Opened, lab_folder: Path) -> None:
        target = system("kea")
        assert pushed(target, opened(target.host()), LINES["kea"](41)).state is TransactionState.CONFIRMED
        files = [path.read_text() for path in (lab_folder / "kea").glob("kea-dhcp*.conf")]
        assert len(files) == 2
        assert all(":29" in text for text in files)
        assert pushed(target, opened(target.host()), undone(LINES["kea"](41))).state is TransactionState.CONFIRMED

    def test_an_address_that_is_taken(self, system: System, opened: Opened) -> None:
        target = system("kea")
        host, before = opened(target.host()), held(target)
        assert pushed(target, host, change(put(*reservation4(42)))).state is TransactionState.CONFIRMED
        outcome = pushed(target, host, change(put(*reservation6(43)), put(*reservation4(43, "10.42.17.42"))))
        assert (outcome.state, code(outcome)) == (TransactionState.REVERSED, "TARGET_REFUSED")
        assert "result 1" in str(outcome.trouble)
        assert "already" in str(outcome.trouble)
        assert pushed(target, host, undone(change(put(*reservation4(42))))).state is TransactionState.CONFIRMED
        assert held(target) == before

    def test_an_address_outside_of_its_subnet(self, system: System, opened: Opened) -> None:
        target = system("kea")
        outcome = pushed(target, opened(target.host()), change(put(*reservation4(44, "192.0.2.1"))))
        assert (outcome.state, code(outcome)) == (TransactionState.REFUSED, "TARGET_REFUSED")

    def test_the_configuration_cannot_be_written(self, system: System, opened: Opened) -> None:
        target = system("kea")
        before = held(target)
        target.remote.fail("config-write", "refuse")
        outcome = pushed(target, opened(target.host()), LINES["kea"](45))
        assert (outcome.state, code(outcome)) == (TransactionState.REVERSED, "TARGET_REFUSED")
        assert held(target) == before

    def test_a_reservation_is_updated_and_taken_back_exactly(self, system: System, opened: Opened) -> None:
        target = system("kea")
        host, old, new = opened(target.host()), reservation4(46), reservation4(46, "10.42.17.146")
        assert pushed(target, host, change(put(*old))).state is TransactionState.CONFIRMED
        before = held(target)
        move = change(put(*new, was=old[2]))
        assert pushed(target, host, move).state is TransactionState.CONFIRMED
        assert pushed(target, host, undone(move)).state is TransactionState.CONFIRMED
        assert held(target) == before

    def test_what_somebody_else_changed_is_not_overwritten(self, system: System, opened: Opened) -> None:
        target = system("kea")
        host, mine, other = opened(target.host()), reservation4(47), reservation4(47, "10.42.17.200")
        assert pushed(target, host, change(put(*other))).state is TransactionState.CONFIRMED
        outcome = pushed(target, host, change(put(*mine)))
        assert (outcome.state, code(outcome)) == (TransactionState.REFUSED, "TARGET_REFUSED")
        assert "ip-address" in str(outcome.trouble)


class TestRadius:
    def database(self, target: Target) -> Path:
        return Path(target.access.urls[""].removeprefix("sqlite:///"))

    def test_the_rows_are_as_freeradius_reads_them(self, system: System, opened: Opened) -> None:
        target = system("radius")
        host = opened(target.host())
        group = ("radusergroup", "SI-51/BW-200-50-RES", {"priority": 1})
        line = change(put(*radcheck("SI-51", "pw")), put(*radreply("SI-51", "10.42.17.51")), put(*group))
        assert pushed(target, host, line).state is TransactionState.CONFIRMED
        rows = target.remote.state()
        assert [(row["username"], row["attribute"], row["op"], row["value"]) for row in rows["radcheck"]] == [
            ("SI-51", "Cleartext-Password", ":=", "pw")
        ]
        assert [(row["username"], row["groupname"], row["priority"]) for row in rows["radusergroup"]] == [("SI-51", "BW-200-50-RES", 1)]
        assert pushed(target, host, undone(line)).state is TransactionState.CONFIRMED

    def test_the_database_is_locked(self, system: System, opened: Opened) -> None:
        target = system("radius")
        with contextlib.closing(sqlite3.connect(self.database(target), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            outcome = pushed(target, opened(target.host(timeout=0.3)), LINES["radius"](52))
            other.execute("ROLLBACK")
        assert (outcome.state, code(outcome)) == (TransactionState.NOT_ATTEMPTED, "TARGET_LOCKED")
        assert outcome.trouble is not None
        assert outcome.trouble.may_retry

    def test_a_refused_row_leaves_none(self, system: System, opened: Opened) -> None:
        target = system("radius")
        before = held(target)
        wrong = change(put(*radcheck("SI-53", "pw-53")), put("radreply", "SI-53/Class", {"op": ":=", "colour": "blue"}))
        outcome = pushed(target, opened(target.host()), wrong)
        assert (outcome.state, code(outcome)) == (TransactionState.REVERSED, "TARGET_REFUSED")
        assert "colour" in str(outcome.trouble)
        assert held(target) == before

    def test_a_constraint_of_the_database_is_told_without_the_password(self, system: System, opened: Opened) -> None:
        target = system("radius")
        outcome = pushed(target, opened(target.host()), change(put("radcheck", "SI-54/Cleartext-Password", {"op": None, "value": "pw-54"})))
        assert (outcome.state, code(outcome)) == (TransactionState.REFUSED, "TARGET_REFUSED")
        assert "pw-54" not in str(outcome)
        assert "NOT NULL" in str(outcome.trouble)

    def test_doubled_rows_are_not_guessed_at(self, system: System, opened: Opened) -> None:
        target = system("radius")
        with contextlib.closing(sqlite3.connect(self.database(target))) as other:
            row = ("SI-55", "Cleartext-Password", ":=", "x")
            other.executemany("INSERT INTO radcheck (username, attribute, op, value) VALUES (?, ?, ?, ?)", [row, row])
            other.commit()
            outcome = pushed(target, opened(target.host()), LINES["radius"](55))
            assert (outcome.state, code(outcome)) == (TransactionState.REFUSED, "TARGET_REFUSED")
            other.execute("DELETE FROM radcheck WHERE username = 'SI-55'")
            other.commit()

    def test_an_empty_file_is_no_radius_database(self, system: System, opened: Opened, tmp_path: Path) -> None:
        target = system("radius")
        (tmp_path / "empty.db").touch()
        host = opened(target.host(urls={"": f"sqlite:///{tmp_path / 'empty.db'}"}))
        outcome = pushed(target, host, LINES["radius"](56))
        assert (outcome.state, code(outcome)) == (TransactionState.REFUSED, "TARGET_REFUSED")
        assert "no such table" in str(outcome.trouble)


class TestAcs:
    def test_not_found(self, system: System, opened: Opened) -> None:
        target = system("acs")
        before = held(target)
        target.remote.fail("PUT /presets/*", "refuse", status=404, error={"message": "no such collection"})
        outcome = pushed(target, opened(target.host()), LINES["acs"](61))
        assert (outcome.state, code(outcome)) == (TransactionState.REVERSED, "TARGET_REFUSED")
        assert "404" in str(outcome.trouble)
        assert "no such collection" in str(outcome.trouble)
        assert held(target) == before

    def test_a_script_that_is_none(self, system: System, opened: Opened) -> None:
        target = system("acs")
        outcome = pushed(target, opened(target.host()), change(put("provision", "broken", {"script": "declare("})))
        assert (outcome.state, code(outcome)) == (TransactionState.REFUSED, "TARGET_REFUSED")

    def test_not_available_for_a_moment(self, system: System, opened: Opened) -> None:
        target = system("acs")
        target.remote.fail("PUT /presets/*", "refuse", status=503, times=2)
        host = opened(target.host())
        assert pushed(target, host, LINES["acs"](62)).state is TransactionState.CONFIRMED
        assert pushed(target, host, undone(LINES["acs"](62))).state is TransactionState.CONFIRMED


class TestCloudWifi:
    def test_the_number_of_the_device_is_learned_also_when_it_was_registered_before(self, system: System, opened: Opened) -> None:
        target = system("cloudwifi")
        host, line = opened(target.host()), change(put(*tag(71)))
        learned = pushed(target, host, line).learned
        assert list(learned) == [f"inventory/{tag(71)[1]}"]
        assert learned[f"inventory/{tag(71)[1]}"]["id"].startswith("CW-")
        assert pushed(target, host, line).learned == learned

    def test_an_unknown_model(self, system: System, opened: Opened) -> None:
        target = system("cloudwifi")
        outcome = pushed(target, opened(target.host()), change(put(*tag(72, model="TOASTER"))))
        assert (outcome.state, code(outcome)) == (TransactionState.REFUSED, "TARGET_REFUSED")
        assert "device type" in str(outcome.trouble)


class TestLogistics:
    def test_a_parcel_is_sent_once_and_tells_its_tracking_code_and_where_to_call_back(self, system: System, opened: Opened) -> None:
        target = system("logistics")
        host = opened(target.host(urls={**target.access.urls, "callback": "http://127.0.0.1:9/hooks/{externalId}"}))
        line = change(put(*parcel("RO-81/ROI-1", "HWT-81")))
        learned = pushed(target, host, line).learned["shippingOrder/RO-81/ROI-1"]
        assert learned["tracking_code"].startswith("LP")
        assert pushed(target, host, line).learned["shippingOrder/RO-81/ROI-1"] == learned
        (mine,) = [one for one in target.remote.state()["parcels"] if one["order"]["externalId"] == "RO-81/ROI-1"]
        assert mine["callback"] == "http://127.0.0.1:9/hooks/RO-81%2FROI-1"
        assert pushed(target, host, undone(line)).state is TransactionState.CONFIRMED

    def test_out_of_stock(self, system: System, opened: Opened) -> None:
        target = system("logistics")
        target.remote.fail("POST *", "exhaust")
        outcome = pushed(target, opened(target.host()), LINES["logistics"](82))
        assert (outcome.state, code(outcome)) == (TransactionState.REFUSED, "TARGET_REFUSED")
        assert "none left" in str(outcome.trouble)

    def test_an_order_is_not_changed_by_another_put(self, system: System, opened: Opened) -> None:
        target = system("logistics")
        host, old = opened(target.host()), parcel("RO-83/ROI-1", "HWT-83")
        assert pushed(target, host, change(put(*old))).state is TransactionState.CONFIRMED
        new = parcel("RO-83/ROI-1", "HWT-84")
        assert pushed(target, host, change(put(*new, was=old[2]))).state is TransactionState.REFUSED
        assert pushed(target, host, change(delete(*old[:2], old[2]))).state is TransactionState.CONFIRMED


def test_secrets_are_in_no_repr(system: System) -> None:
    target = system("kea")
    access = replace(target.access, api_key="key-1", urls={"": "postgresql://u:pw-1@host/db"})
    for secret in (access.password, "key-1", "pw-1"):
        assert secret is not None
        assert secret not in repr(access)
