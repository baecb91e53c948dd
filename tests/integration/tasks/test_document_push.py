"""Transactions on Kea, FreeRADIUS, the ACS, the cloud controller and logistics: what holds for all of them, over real sockets."""

from __future__ import annotations

import json

import pushes
import pytest
from document_changes import change, put
from document_pushes import LINES, WRITES, Opened, System, held, pushed
from pushes import code, undone

from engine.ports import CheckRequest, TransactionState
from tasks.kinds import for_platform


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

    def test_the_lane_is_no_longer_ours_before_anything_is_written(self, kind: str, system: System, opened: Opened) -> None:
        target = system(kind)
        before = held(target)
        outcome = pushed(target, opened(target.host()), LINES[kind](23), holds=lambda: False)
        assert (outcome.state, code(outcome)) == (TransactionState.NOT_ATTEMPTED, "LEASE_LOST")
        assert held(target) == before

    @pytest.mark.parametrize("checks", [(), (CheckRequest(1, "nowhere", {}),)])
    def test_who_was_frozen_and_lost_the_lane_takes_nothing_back(
        self, kind: str, system: System, opened: Opened, checks: tuple[CheckRequest, ...]
    ) -> None:
        target = system(kind)
        before, host, answers = held(target), opened(target.host()), iter([True])
        push = pushes.push_of(target.name, LINES[kind](23), *checks, holds=lambda: next(answers, False))
        outcome = for_platform(target.platform).push(push, host)
        assert (outcome.state, code(outcome)) == (TransactionState.OPEN, "LEASE_LOST")
        # what a database had not committed is gone by itself; else the newer owner finds it as it was sent
        kept = held(target) != before
        resolved = for_platform(target.platform).resolve(pushes.push_of(target.name, LINES[kind](23)), host)
        assert resolved.state is (TransactionState.CONFIRMED if kept else TransactionState.REVERSED)
        assert kept is (kind != "radius")
        if kept:
            assert pushed(target, host, undone(LINES[kind](23))).state is TransactionState.CONFIRMED
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
        push = pushes.push_of(target.name, LINES[kind](33), CheckRequest(1, "nowhere", {}))
        outcome = for_platform(target.platform).push(push, host)
        assert outcome.state is TransactionState.UNKNOWN
        assert "could not be taken back" in str(outcome.trouble)
        target.remote.heal()
        assert pushed(target, host, undone(LINES[kind](33))).state is TransactionState.CONFIRMED

    def test_it_cannot_be_asked_while_it_is_taken_back_and_is_resolved_later(
        self, kind: str, system: System, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tasks.kinds.documents._TO_UNDO", 0.5)
        target = system(kind)
        before, host = held(target), opened(target.host())
        back = {"kea": "reservation-del"}.get(kind, "DELETE *")
        target.remote.fail(back, "drop", times=None)
        push = pushes.push_of(target.name, LINES[kind](35), CheckRequest(1, "nowhere", {}))
        assert for_platform(target.platform).push(push, host).state is TransactionState.OPEN
        half_undone = held(target)
        target.remote.heal()
        resolved = for_platform(target.platform).resolve(push, host)
        # what was not taken back is as it was sent: it stands
        assert resolved.state is (TransactionState.CONFIRMED if half_undone == held(target) else TransactionState.REVERSED)
        assert pushed(target, host, undone(LINES[kind](35))).state is TransactionState.CONFIRMED
        assert held(target) == before

    def test_slow_is_no_error(self, kind: str, system: System, opened: Opened) -> None:
        target = system(kind)
        target.remote.fail(WRITES[kind][0], "slow", seconds=0.3)
        host = opened(target.host())
        assert pushed(target, host, LINES[kind](34)).state is TransactionState.CONFIRMED
        assert pushed(target, host, undone(LINES[kind](34))).state is TransactionState.CONFIRMED
