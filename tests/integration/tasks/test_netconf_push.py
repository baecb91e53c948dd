"""Transactions on the OLT over real SSH: every way in which one can end, and that nothing is left on the device by any of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pushes
import pytest
from lab_targets import Target
from nornir.core.inventory import Host
from olt_changes import described, v_ani
from pushes import at_the, code, undone

from engine.ports import Change, CheckRequest, Outcome, Push, TransactionState
from tasks.connections.netconf import netconf_of
from tasks.kinds.netconf import NetconfKind

KIND = NetconfKind()


def push_of(change: Change, *checks: CheckRequest, **other: Any) -> Push:
    return pushes.push_of("OLT-EAST-07", change, *checks, **other)


@pytest.fixture
def host(olt_host: Host) -> Host:
    return olt_host


def holds_line(olt: Target, port: str) -> bool:
    return f"v-ani-{port}.1<" in olt.remote.state()["running"]


class TestConfirmed:
    def test_a_change_is_confirmed_and_its_reverse_takes_it_back_exactly(self, olt: Target, host: Host) -> None:
        before = olt.remote.state()["running"]
        change = v_ani("1.1")
        assert KIND.push(push_of(change), host) == Outcome(TransactionState.CONFIRMED)
        assert holds_line(olt, "1.1")
        assert KIND.push(push_of(undone(change)), host).state is TransactionState.CONFIRMED
        assert olt.remote.state()["running"] == before

    def test_one_session_serves_many_transactions(self, olt: Target, host: Host) -> None:
        for change in (v_ani("1.2"), undone(v_ani("1.2")), v_ani("1.2"), undone(v_ani("1.2"))):
            assert KIND.push(push_of(change), host).state is TransactionState.CONFIRMED
        assert netconf_of(host).opened == 1

    def test_checks_pass_and_say_what_they_saw(self, olt: Target, host: Host) -> None:
        bearer = CheckRequest(7, "bearer-up", {"channel_termination": "CT-1.3", "v_ani": "v-ani-1.3.1", "serial": "HWTC02340098"})
        outcome = KIND.push(push_of(v_ani("1.3"), bearer, CheckRequest(8, "readback", {})), host)
        assert outcome.state is TransactionState.CONFIRMED
        assert [(check.step, check.passed, check.evidence) for check in outcome.checks] == [
            (7, True, "PON port CT-1.3 is up, v-ani-1.3.1 expects ONT HWTC02340098"),
            (8, True, "read back as sent"),
        ]
        assert KIND.push(push_of(undone(v_ani("1.3"))), host).state is TransactionState.CONFIRMED

    def test_the_device_is_told_the_transaction(self, olt: Target, host: Host) -> None:
        pending = []
        push = push_of(v_ani("1.4"), holds=at_the(2, lambda: pending.append(olt.remote.state()["pending"])))
        assert KIND.push(push, host).state is TransactionState.CONFIRMED
        assert pending[0]["persist"] == push.transaction
        assert KIND.push(push_of(undone(v_ani("1.4"))), host).state is TransactionState.CONFIRMED

    def test_a_kept_session_that_died_unseen_is_replaced(self, olt: Target, host: Host) -> None:
        netconf_of(host)
        olt.remote.fail("lock", "drop")
        assert KIND.push(push_of(v_ani("1.5")), host).state is TransactionState.CONFIRMED
        assert netconf_of(host).opened == 2
        assert KIND.push(push_of(undone(v_ani("1.5"))), host).state is TransactionState.CONFIRMED


class TestNotAttempted:
    """Nothing was sent that could change anything."""

    def refused_entry(self, olt: Target, host: Host) -> Outcome:
        outcome = KIND.push(push_of(v_ani("2.1"), timeout=3), host)
        assert outcome.state is TransactionState.NOT_ATTEMPTED
        assert not holds_line(olt, "2.1")
        return outcome

    def test_unreachable(self, olt: Target, opened: Callable[[Host], Host]) -> None:
        outcome = self.refused_entry(olt, opened(olt.host(port=9)))
        assert code(outcome) == "TARGET_UNREACHABLE"
        assert outcome.trouble is not None
        assert outcome.trouble.may_retry

    def test_wrong_password(self, olt: Target, opened: Callable[[Host], Host]) -> None:
        outcome = self.refused_entry(olt, opened(olt.host(password="not-it")))
        assert code(outcome) == "TARGET_DENIED"
        assert "not-it" not in str(outcome)

    def test_unknown_host_key(self, olt: Target, tmp_path: Path, opened: Callable[[Host], Host]) -> None:
        (tmp_path / "known_hosts").write_text("")
        assert code(self.refused_entry(olt, opened(olt.host(known_hosts=tmp_path / "known_hosts")))) == "HOST_KEY_UNKNOWN"

    def test_no_known_hosts_file(self, olt: Target, tmp_path: Path, opened: Callable[[Host], Host]) -> None:
        assert code(self.refused_entry(olt, opened(olt.host(known_hosts=tmp_path / "missing")))) == "HOST_KEY_UNKNOWN"

    def test_another_host_key_than_the_known_one(self, olt: Target, tmp_path: Path, opened: Callable[[Host], Host]) -> None:
        key = "AAAAC3NzaC1lZDI1NTE5AAAAIP" + "A" * 42
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{olt.endpoint.port} ssh-ed25519 {key}\n")
        assert code(self.refused_entry(olt, opened(olt.host(known_hosts=tmp_path / "known_hosts")))) == "HOST_KEY_UNKNOWN"

    def test_host_keys_are_not_asked_for_when_the_settings_say_so(
        self, olt: Target, tmp_path: Path, opened: Callable[[Host], Host]
    ) -> None:
        assert netconf_of(opened(olt.host(known_hosts=tmp_path / "missing", insecure=True))).connection.connected

    def test_a_device_that_accepts_and_hangs(self, olt: Target, opened: Callable[[Host], Host]) -> None:
        olt.remote.fail("connect", "hang")
        assert code(self.refused_entry(olt, opened(olt.host(timeout=0.5)))) == "TARGET_TIMEOUT"

    def test_a_device_that_drops_the_connection(self, olt: Target, opened: Callable[[Host], Host]) -> None:
        olt.remote.fail("connect", "drop")
        assert code(self.refused_entry(olt, opened(olt.host()))) == "TARGET_UNREACHABLE"

    def test_lock_held_by_another_session(self, olt: Target, host: Host, opened: Callable[[Host], Host]) -> None:
        other = netconf_of(opened(olt.host()))
        with other.use() as manager:
            manager.lock("candidate")
            outcome = self.refused_entry(olt, host)
            assert code(outcome) == "TARGET_LOCKED"
            assert f"session {manager.session_id}" in str(outcome.trouble)
            manager.unlock("candidate")
        other.close()
        assert KIND.push(push_of(v_ani("2.2")), host).state is TransactionState.CONFIRMED
        assert KIND.push(push_of(undone(v_ani("2.2"))), host).state is TransactionState.CONFIRMED

    def test_the_lock_hangs(self, olt: Target, host: Host) -> None:
        olt.remote.fail("lock", "hang")
        assert code(self.refused_entry(olt, host)) == "TARGET_TIMEOUT"


class TestRefused:
    """The device said no, in its own words; nothing is left."""

    def refused(self, olt: Target, host: Host, change: Change) -> Outcome:
        before = olt.remote.state()["running"]
        outcome = KIND.push(push_of(change), host)
        assert outcome.state is TransactionState.REFUSED
        assert olt.remote.state()["running"] == before
        return outcome

    def test_unknown_element(self, olt: Target, host: Host) -> None:
        outcome = self.refused(olt, host, v_ani("2.3", extra="<frobnicate>1</frobnicate>"))
        assert code(outcome) == "TARGET_REFUSED"
        assert "unknown-element" in str(outcome.trouble)
        assert "frobnicate" in str(outcome.trouble)

    def test_bad_value(self, olt: Target, host: Host) -> None:
        outcome = self.refused(olt, host, v_ani("2.3", serial="HWT2340098"))
        assert "invalid-value" in str(outcome.trouble)

    def test_dangling_leafref(self, olt: Target, host: Host) -> None:
        outcome = self.refused(olt, host, v_ani("2.3", partition="CPART-9.9"))
        assert "CPART-9.9" in str(outcome.trouble)

    def test_what_is_created_is_there_already(self, olt: Target, host: Host) -> None:
        assert KIND.push(push_of(v_ani("2.4")), host).state is TransactionState.CONFIRMED
        assert "data-exists" in str(self.refused(olt, host, v_ani("2.4")).trouble)
        assert KIND.push(push_of(undone(v_ani("2.4"))), host).state is TransactionState.CONFIRMED

    @pytest.mark.parametrize("operation", ["edit-config", "validate", "commit"])
    def test_every_rpc_may_be_refused(self, olt: Target, host: Host, operation: str) -> None:
        olt.remote.fail(operation, "refuse", error={"error-tag": "operation-failed", "error-message": "card in slot 2 is down"})
        outcome = self.refused(olt, host, v_ani("2.5"))
        assert code(outcome) == "TARGET_REFUSED"
        assert f"{operation}: operation-failed: card in slot 2 is down" in str(outcome.trouble)

    def test_the_datastore_is_in_use(self, olt: Target, host: Host) -> None:
        olt.remote.fail("commit", "refuse", error={"error-tag": "in-use", "error-message": "running is locked"})
        assert code(self.refused(olt, host, v_ani("2.5"))) == "TARGET_LOCKED"


class TestReversed:
    """It was taken back, and that is known."""

    def reversed_(self, olt: Target, host: Host, push: Push) -> Outcome:
        before = olt.remote.state()["running"]
        outcome = KIND.push(push, host)
        assert outcome.state is TransactionState.REVERSED
        assert olt.remote.state()["running"] == before
        return outcome

    def test_a_check_fails(self, olt: Target, host: Host) -> None:
        expects = CheckRequest(1, "bearer-up", {"channel_termination": "CT-3.1", "v_ani": "v-ani-3.1.1", "serial": "HWTC00000001"})
        outcome = self.reversed_(olt, host, push_of(v_ani("3.1"), expects, CheckRequest(2, "readback", {}), timeout=1))
        assert code(outcome) == "CHECK_FAILED"
        assert "expects ONT HWTC02340098 instead of HWTC00000001" in str(outcome.trouble)
        assert [check.passed for check in outcome.checks] == [False, True]

    def test_an_unknown_check_is_not_a_passed_one(self, olt: Target, host: Host) -> None:
        assert code(self.reversed_(olt, host, push_of(v_ani("3.1"), CheckRequest(1, "looks-nice", {})))) == "CHECK_FAILED"

    @pytest.mark.parametrize("call", [1, 2])
    def test_the_lane_is_no_longer_ours(self, olt: Target, host: Host, call: int) -> None:
        outcome = self.reversed_(olt, host, push_of(v_ani("3.2"), holds=at_the(call, lambda: None, answer=False)))
        assert code(outcome) == "LEASE_LOST"

    @pytest.mark.parametrize("operation", ["discard-changes", "edit-config", "validate"])
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_session_lost_before_the_commit(self, olt: Target, host: Host, operation: str, when: str) -> None:
        olt.remote.fail(operation, "drop", when=when)
        assert code(self.reversed_(olt, host, push_of(v_ani("3.3")))) == "TARGET_LOST"

    def test_an_rpc_hangs(self, olt: Target, host: Host) -> None:
        olt.remote.fail("validate", "hang")
        assert code(self.reversed_(olt, host, push_of(v_ani("3.3"), timeout=1))) == "TARGET_TIMEOUT"

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("do", ["drop", "hang"])
    def test_session_lost_in_the_commit(self, olt: Target, host: Host, when: str, do: str) -> None:
        olt.remote.fail("commit", do, when=when)
        outcome = self.reversed_(olt, host, push_of(v_ani("3.4"), timeout=2))
        assert code(outcome) == ("TARGET_LOST" if do == "drop" else "TARGET_TIMEOUT")

    @pytest.mark.parametrize("do", ["drop", "hang"])
    def test_session_lost_between_commit_and_confirmation(self, olt: Target, host: Host, do: str) -> None:
        lose = at_the(2, lambda: olt.remote.fail("commit", do))
        outcome = self.reversed_(olt, host, push_of(v_ani("3.5"), timeout=2, holds=lose))
        if do == "drop":  # when it hangs until our time is over, the device falls back at the same moment
            assert "taken back" in str(outcome.trouble)

    def test_the_device_falls_back_on_its_own_when_nothing_can_be_cancelled(self, olt: Target, host: Host) -> None:
        def lose() -> None:
            olt.remote.fail("commit", "drop")
            olt.remote.fail("cancel-commit", "refuse", times=None, error={"error-tag": "resource-denied"})

        outcome = self.reversed_(olt, host, push_of(v_ani("3.6"), timeout=1.5, holds=at_the(2, lose)))
        assert "holds what it held before" in str(outcome.trouble)

    def test_the_confirmation_is_refused(self, olt: Target, host: Host) -> None:
        lose = at_the(2, lambda: olt.remote.fail("commit", "refuse"))
        outcome = self.reversed_(olt, host, push_of(v_ani("3.7"), timeout=2, holds=lose))
        assert code(outcome) == "TARGET_LOST"
        assert "commit is refused on demand" in str(outcome.trouble)

    def test_a_changed_value_is_taken_back_as_well(self, olt: Target, host: Host) -> None:
        before = "OLT-EAST-07 LC3 port 8"
        lose = at_the(2, lambda: olt.remote.fail("commit", "drop"))
        self.reversed_(olt, host, push_of(described("CT-3.8", "other", before), timeout=2, holds=lose))


class TestConfirmedThoughTheSessionWasLost:
    def test_the_confirmation_took_effect_but_its_answer_was_lost(self, olt: Target, host: Host) -> None:
        lose = at_the(2, lambda: olt.remote.fail("commit", "drop", when="after"))
        assert KIND.push(push_of(v_ani("3.9"), timeout=3, holds=lose), host) == Outcome(TransactionState.CONFIRMED)
        assert holds_line(olt, "3.9")
        assert KIND.push(push_of(undone(v_ani("3.9"))), host).state is TransactionState.CONFIRMED

    def test_the_unlock_fails(self, olt: Target, host: Host) -> None:
        olt.remote.fail("unlock", "drop")
        assert KIND.push(push_of(v_ani("3.10")), host).state is TransactionState.CONFIRMED
        assert KIND.push(push_of(undone(v_ani("3.10"))), host).state is TransactionState.CONFIRMED
