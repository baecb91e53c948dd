"""Transactions on Kea, FreeRADIUS, the ACS, the cloud controller and logistics: what is particular to each."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path

from document_changes import change, delete, parcel, put, radcheck, radreply, reservation4, reservation6, tag
from document_pushes import LINES, Opened, System, held, pushed
from lab_targets import Target
from pushes import code, undone

from engine.ports import TransactionState


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
