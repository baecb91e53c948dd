"""Transactions on the BNG by the stock NAPALM driver, over real SSH: every way in which one can end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pushes
import pytest
from lab_targets import Target
from napalm.junos.junos import JunOSDriver
from nornir.core.inventory import Host
from pushes import READBACK, at_the, code, eventually, undone

from engine.ports import Change, CheckRequest, Outcome, Push, TransactionState
from tasks.connections.junos import junos_of
from tasks.kinds.junos import JunosKind

KIND = JunosKind()


def push_of(change: Change, *checks: CheckRequest, **other: Any) -> Push:
    return pushes.push_of("BNG-EAST-01", change, *checks, **other)


def unit(vlan: int, **other: str) -> Change:
    """A subscriber's unit, with its reverse."""
    at = f"interfaces ge-0/0/1 unit {vlan}"
    lines = [f'set {at} description "SI-INT-{vlan}"', f"set {at} vlan-id {other.get('tag', vlan)}", f"set {at} family inet rpf-check"]
    return Change("\n".join([*lines, *other.get("more", "").splitlines()]), f"delete {at}")


@pytest.fixture
def host(bng: Target, opened: Callable[[Host], Host]) -> Iterator[Host]:
    """The BNG as a host; afterwards no lock, no pending commit and no change in the candidate may be left, nor a session beside ours."""
    found, before = opened(bng.host()), bng.remote.state()["active"]
    yield found
    state = bng.remote.state()
    units = {" ".join(line.split()[1:5]) for line in state["active"] if line not in before}  # interfaces ge-0/0/1 unit 1101
    if units:
        cease = Change("\n".join(f"delete {unit}" for unit in units), "")
        assert KIND.push(push_of(cease), found).state is TransactionState.CONFIRMED
    assert (state["lock"], state["pending"]) == (None, False)
    assert state["candidate"] == state["active"]
    assert eventually(lambda: len(bng.remote.state()["sessions"]) <= 1)


def holds_unit(bng: Target, vlan: int) -> bool:
    return any(f"unit {vlan} " in line for line in bng.remote.state()["active"])


class TestConfirmed:
    def test_the_driver_is_napalms_own(self, host: Host) -> None:
        assert type(junos_of(host).connection) is JunOSDriver

    def test_a_change_is_confirmed_and_its_reverse_takes_it_back_exactly(self, bng: Target, host: Host) -> None:
        before = sorted(bng.remote.state()["active"])
        change, number = unit(1101), len(bng.remote.state()["commits"])
        push = push_of(change, READBACK)
        outcome = KIND.push(push, host)
        assert outcome.state is TransactionState.CONFIRMED
        assert [check.passed for check in outcome.checks] == [True]
        commits = bng.remote.state()["commits"]
        assert len(commits) == number + 2
        assert (commits[1]["log"], commits[1]["comment"]) == (push.transaction, "commit confirmed, rollback in 1mins")
        assert KIND.push(push_of(undone(change)), host).state is TransactionState.CONFIRMED
        assert sorted(bng.remote.state()["active"]) == before
        assert junos_of(host).opened == 1

    def test_what_it_holds_already_is_not_committed_again(self, bng: Target, host: Host) -> None:
        assert KIND.push(push_of(unit(1102)), host).state is TransactionState.CONFIRMED
        number = len(bng.remote.state()["commits"])
        assert KIND.push(push_of(unit(1102), READBACK), host).state is TransactionState.CONFIRMED
        assert len(bng.remote.state()["commits"]) == number

    def test_deleting_what_is_not_there_is_no_error(self, bng: Target, host: Host) -> None:
        assert KIND.push(push_of(undone(unit(1103))), host).state is TransactionState.CONFIRMED

    def test_a_kept_session_that_died_unseen_is_replaced(self, bng: Target, host: Host) -> None:
        junos_of(host)
        bng.remote.fail("lock-configuration", "drop")
        assert KIND.push(push_of(unit(1104)), host).state is TransactionState.CONFIRMED

    def test_nobody_can_commit_between_commit_and_confirmation(self, bng: Target, host: Host) -> None:
        holders = []
        push = push_of(unit(1105), holds=at_the(2, lambda: holders.append(bng.remote.state()["lock"])))
        assert KIND.push(push, host).state is TransactionState.CONFIRMED
        assert holders[0] is not None


class TestNotAttempted:
    def refused_entry(self, bng: Target, host: Host) -> Outcome:
        outcome = KIND.push(push_of(unit(1201), timeout=3), host)
        assert outcome.state is TransactionState.NOT_ATTEMPTED
        assert not holds_unit(bng, 1201)
        return outcome

    def test_unreachable(self, bng: Target, opened: Callable[[Host], Host]) -> None:
        assert code(self.refused_entry(bng, opened(bng.host(port=9)))) == "TARGET_UNREACHABLE"

    def test_wrong_password(self, bng: Target, opened: Callable[[Host], Host]) -> None:
        assert code(self.refused_entry(bng, opened(bng.host(password="not-it")))) == "TARGET_DENIED"

    def test_unknown_host_key(self, bng: Target, tmp_path: Path, opened: Callable[[Host], Host]) -> None:
        (tmp_path / "known_hosts").write_text("")
        assert code(self.refused_entry(bng, opened(bng.host(known_hosts=tmp_path / "known_hosts")))) == "HOST_KEY_UNKNOWN"

    def test_lock_held_by_another_session(self, bng: Target, host: Host, opened: Callable[[Host], Host]) -> None:
        other = junos_of(opened(bng.host()))
        other.connection.device.rpc.lock_configuration()
        outcome = self.refused_entry(bng, host)
        assert code(outcome) == "TARGET_LOCKED"
        assert f"session {other.connection.device._conn.session_id}" in str(outcome.trouble)
        other.close()

    def test_somebody_edits_the_candidate_without_a_lock(self, bng: Target, host: Host, opened: Callable[[Host], Host]) -> None:
        other = junos_of(opened(bng.host())).connection
        other.load_merge_candidate(config="set system host-name someone-elses")
        assert code(self.refused_entry(bng, host)) == "TARGET_LOCKED"
        other.discard_config()
        other.close()

    def test_a_commit_of_somebody_else_waits_to_be_confirmed(self, bng: Target, host: Host, opened: Callable[[Host], Host]) -> None:
        other = junos_of(opened(bng.host())).connection
        other.load_merge_candidate(config="set interfaces ge-0/0/1 description somebody-tests")
        other.commit_config(message="by hand", revert_in=60)
        outcome = self.refused_entry(bng, host)
        assert code(outcome) == "TARGET_LOCKED"
        assert "by hand" in str(outcome.trouble)
        other.rollback()
        other.close()

    def test_the_lock_hangs(self, bng: Target, host: Host) -> None:
        bng.remote.fail("lock-configuration", "hang")
        assert code(self.refused_entry(bng, host)) == "TARGET_TIMEOUT"

    def test_the_lane_is_no_longer_ours_before_the_commit(self, bng: Target, host: Host) -> None:
        outcome = KIND.push(push_of(unit(1202), holds=at_the(1, lambda: None, answer=False)), host)
        assert (outcome.state, code(outcome)) == (TransactionState.NOT_ATTEMPTED, "LEASE_LOST")


class TestRefused:
    def refused(self, bng: Target, host: Host, change: Change) -> Outcome:
        before = bng.remote.state()["active"]
        outcome = KIND.push(push_of(change), host)
        assert outcome.state is TransactionState.REFUSED
        assert code(outcome) == "TARGET_REFUSED"
        assert bng.remote.state()["active"] == before
        return outcome

    def test_syntax_error(self, bng: Target, host: Host) -> None:
        assert "frobnicate" in str(self.refused(bng, host, unit(1301, more="set frobnicate 1")).trouble)

    def test_bad_value(self, bng: Target, host: Host) -> None:
        self.refused(bng, host, unit(1301, tag="99999"))

    def test_a_policer_that_is_not_there(self, bng: Target, host: Host) -> None:
        outcome = self.refused(bng, host, unit(1301, more="set interfaces ge-0/0/1 unit 1301 family inet policer input NOT-THERE"))
        assert "NOT-THERE" in str(outcome.trouble)

    @pytest.mark.parametrize("operation", ["load-configuration", "commit-configuration"])
    def test_every_rpc_may_be_refused_and_nothing_of_it_is_committed_later(self, bng: Target, host: Host, operation: str) -> None:
        bng.remote.fail(operation, "refuse", error={"error-message": "the other routing engine is not ready"})
        assert "the other routing engine is not ready" in str(self.refused(bng, host, unit(1302)).trouble)
        assert KIND.push(push_of(unit(1303)), host).state is TransactionState.CONFIRMED
        assert holds_unit(bng, 1303)
        assert not holds_unit(bng, 1302)


class TestReversed:
    def reversed_(self, bng: Target, host: Host, push: Push) -> Outcome:
        before = sorted(bng.remote.state()["active"])
        outcome = KIND.push(push, host)
        assert outcome.state is TransactionState.REVERSED
        assert sorted(bng.remote.state()["active"]) == before
        return outcome

    def test_a_check_fails(self, bng: Target, host: Host) -> None:
        assert code(self.reversed_(bng, host, push_of(unit(1401), CheckRequest(1, "looks-nice", {})))) == "CHECK_FAILED"

    def test_the_lane_is_no_longer_ours_before_the_confirmation(self, bng: Target, host: Host) -> None:
        assert code(self.reversed_(bng, host, push_of(unit(1401), holds=at_the(2, lambda: None, answer=False)))) == "LEASE_LOST"

    @pytest.mark.parametrize("operation", ["load-configuration", "get-configuration", "commit-configuration"])
    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("do", ["drop", "hang"])
    def test_session_lost_on_the_way(self, bng: Target, host: Host, operation: str, when: str, do: str) -> None:
        bng.remote.fail(operation, do, when=when)
        outcome = self.reversed_(bng, host, push_of(unit(1402), timeout=1))
        assert code(outcome) == ("TARGET_LOST" if do == "drop" else "TARGET_TIMEOUT")

    def test_session_lost_between_commit_and_confirmation(self, bng: Target, host: Host) -> None:
        lose = at_the(2, lambda: bng.remote.fail("commit-configuration", "drop"))
        assert "taken back" in str(self.reversed_(bng, host, push_of(unit(1403), timeout=2, holds=lose)).trouble)

    def test_the_router_falls_back_on_its_own_while_nobody_can_reach_it(self, bng: Target, host: Host) -> None:
        def lose() -> None:
            bng.remote.fail("commit-configuration", "drop")
            bng.remote.fail("lock-configuration", "refuse", times=6, error={"error-tag": "resource-denied"})

        self.reversed_(bng, host, push_of(unit(1404), timeout=4, holds=at_the(2, lose)))

    def test_the_confirmation_is_refused(self, bng: Target, host: Host) -> None:
        lose = at_the(2, lambda: bng.remote.fail("commit-configuration", "refuse", error={"error-message": "not now"}))
        assert "not now" in str(self.reversed_(bng, host, push_of(unit(1405), holds=lose)).trouble)


class TestConfirmedThoughTheSessionWasLost:
    def test_the_confirmation_took_effect_but_its_answer_was_lost(self, bng: Target, host: Host) -> None:
        lose = at_the(2, lambda: bng.remote.fail("commit-configuration", "drop", when="after"))
        assert KIND.push(push_of(unit(1501), timeout=3, holds=lose), host) == Outcome(TransactionState.CONFIRMED)
        assert holds_unit(bng, 1501)

    def test_the_unlock_fails(self, bng: Target, host: Host) -> None:
        bng.remote.fail("unlock-configuration", "drop")
        assert KIND.push(push_of(unit(1502)), host).state is TransactionState.CONFIRMED


class TestResolve:
    def test_nothing_had_been_committed(self, bng: Target, host: Host) -> None:
        assert KIND.resolve(push_of(unit(1601)), host).state is TransactionState.REVERSED

    def test_it_had_been_confirmed(self, bng: Target, host: Host) -> None:
        assert KIND.push(push_of(unit(1602)), host).state is TransactionState.CONFIRMED
        assert KIND.resolve(push_of(unit(1602)), host).state is TransactionState.CONFIRMED

    def test_it_cannot_be_asked_now(self, bng: Target, opened: Callable[[Host], Host]) -> None:
        outcome = KIND.resolve(push_of(unit(1604)), opened(bng.host(port=9)))
        assert (outcome.state, code(outcome)) == (TransactionState.NOT_ATTEMPTED, "TARGET_UNREACHABLE")

    def test_it_was_pending(self, bng: Target, host: Host) -> None:
        push = push_of(unit(1603), timeout=60, holds=at_the(2, lambda: (_ for _ in ()).throw(KeyboardInterrupt)))
        with pytest.raises(KeyboardInterrupt):
            KIND.push(push, host)
        assert bng.remote.state()["pending"]
        assert KIND.resolve(push, host).state is TransactionState.REVERSED
        assert not holds_unit(bng, 1603)

    def test_a_pending_commit_of_somebody_else_is_left_alone(self, bng: Target, host: Host, opened: Callable[[Host], Host]) -> None:
        other = junos_of(opened(bng.host())).connection
        other.load_merge_candidate(config="set interfaces ge-0/0/1 description somebody-tests")
        other.commit_config(message="by hand", revert_in=600)
        outcome = KIND.resolve(push_of(unit(1604), timeout=0.1), host)
        assert (outcome.state, code(outcome)) == (TransactionState.NOT_ATTEMPTED, "TARGET_LOCKED")
        assert "not ours" in str(outcome.trouble)
        assert bng.remote.state()["pending"]
        other.rollback()
        other.close()


def test_day_zero_is_the_active_configuration(bng: Target, host: Host) -> None:
    lines = KIND.day_zero(host).splitlines()
    assert "set interfaces ge-0/0/1 flexible-vlan-tagging" in lines
    assert all(line.startswith("set ") for line in lines if line)
