"""What became of a transaction on the OLT when the process that ran it, or the device, is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pushes
import pytest
from lab_targets import Target, ssh_target
from nornir.core.inventory import Host
from olt_changes import described, v_ani
from pushes import at_the, code, undone

from engine.ports import Change, CheckRequest, Push, TransactionState
from lab.standin import running
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


class TestResolve:
    """What became of a transaction when the process that ran it is gone."""

    def test_nothing_had_been_committed(self, olt: Target, host: Host) -> None:
        assert KIND.resolve(push_of(v_ani("3.11")), host).state is TransactionState.REVERSED

    def test_it_had_been_confirmed(self, olt: Target, host: Host) -> None:
        assert KIND.push(push_of(v_ani("3.11")), host).state is TransactionState.CONFIRMED
        assert KIND.resolve(push_of(v_ani("3.11")), host).state is TransactionState.CONFIRMED
        assert KIND.push(push_of(undone(v_ani("3.11"))), host).state is TransactionState.CONFIRMED

    def test_it_was_pending(self, olt: Target, host: Host) -> None:
        push = push_of(v_ani("3.11"), timeout=60, holds=at_the(2, lambda: (_ for _ in ()).throw(KeyboardInterrupt)))
        with pytest.raises(KeyboardInterrupt):
            KIND.push(push, host)
        assert olt.remote.state()["pending"]["persist"] == push.transaction
        assert KIND.resolve(push, host).state is TransactionState.REVERSED
        assert not holds_line(olt, "3.11")

    def test_the_device_holds_something_else(self, olt: Target, host: Host) -> None:
        outcome = KIND.resolve(push_of(described("CT-3.11", "wanted", "before"), timeout=0.2), host)
        assert outcome.state is TransactionState.UNKNOWN
        assert "neither" in str(outcome.trouble)

    def test_it_cannot_be_asked_now(self, olt: Target, opened: Callable[[Host], Host]) -> None:
        outcome = KIND.resolve(push_of(v_ani("3.11")), opened(olt.host(port=9)))
        assert (outcome.state, code(outcome)) == (TransactionState.NOT_ATTEMPTED, "TARGET_UNREACHABLE")

    def test_another_session_holds_the_lock(self, olt: Target, host: Host, opened: Callable[[Host], Host]) -> None:
        other = netconf_of(opened(olt.host()))
        other.connection.lock("candidate")
        outcome = KIND.resolve(push_of(v_ani("3.11")), host)
        assert (outcome.state, code(outcome)) == (TransactionState.NOT_ATTEMPTED, "TARGET_LOCKED")
        other.close()


def test_a_device_that_is_gone_after_the_commit_leaves_the_transaction_open(tmp_path: Path, opened: Callable[[Host], Host]) -> None:
    """Its state is not known until it can be asked; when it is back, it is."""
    with running("olt", "OLT-EAST-07", tmp_path / "OLT-EAST-07", lab=tmp_path) as endpoint:
        mine = ssh_target(endpoint, "bbf-olt", tmp_path)
        host = opened(mine.host())
        push = push_of(v_ani("1.1"), timeout=1, holds=at_the(2, mine.remote.kill))
        outcome = KIND.push(push, host)
    assert (outcome.state, code(outcome)) == (TransactionState.OPEN, "TARGET_LOST")
    assert KIND.resolve(push, host).state is TransactionState.NOT_ATTEMPTED
    with running("olt", "OLT-EAST-07", tmp_path / "OLT-EAST-07", lab=tmp_path):
        assert KIND.resolve(push, host).state is TransactionState.REVERSED


def test_day_zero_is_all_that_the_device_holds(olt: Target, host: Host) -> None:
    text = KIND.day_zero(host)
    assert text.count("<name>CT-") == 48
    assert "TDP-RES-50M" in text
