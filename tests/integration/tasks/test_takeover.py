"""Taking a lane over: the former owner's session is ended when it still holds the lock, and no other one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pushes
import pytest
from lab_targets import Target
from nornir.core.inventory import Host
from olt_changes import v_ani
from pushes import at_the, code
from test_junos_push import push_of as bng_push
from test_junos_push import unit

from engine.errors import LeaseLost
from engine.ports import Change, Push, TransactionState
from tasks.connections.junos import junos_of
from tasks.connections.netconf import netconf_of
from tasks.kinds.junos import JUNOS
from tasks.kinds.netconf import NETCONF


def olt_push(change: Change, **how: Any) -> Push:
    return pushes.push_of("OLT-EAST-07", change, **how)


def lost(_: str) -> None:
    raise LeaseLost("a newer owner")


@pytest.mark.parametrize("mine", [True, False])
def test_a_frozen_session_of_the_former_owner_of_an_olt(olt: Target, opened: Callable[[Host], Host], mine: bool) -> None:
    frozen = netconf_of(opened(olt.host()))
    frozen.connection.lock("candidate")
    session = str(frozen.connection.session_id)
    push = replace(olt_push(v_ani("3.11")), old_session=session if mine else "")
    outcome = NETCONF.resolve(push, opened(olt.host()))
    assert outcome.state is (TransactionState.REVERSED if mine else TransactionState.NOT_ATTEMPTED)
    assert (int(session) in olt.remote.state()["sessions"]) is not mine
    frozen.close()


def test_a_frozen_session_of_the_former_owner_of_a_bng(bng: Target, opened: Callable[[Host], Host]) -> None:
    with junos_of(opened(bng.host())).use(wait=5) as driver:
        driver.device.rpc.lock_configuration()
        push = replace(bng_push(unit(1699)), old_session=str(driver.device._conn.session_id))
        assert JUNOS.resolve(replace(push, old_session="0"), opened(bng.host())).state is TransactionState.NOT_ATTEMPTED
        assert JUNOS.resolve(push, opened(bng.host())).state is TransactionState.REVERSED


def test_who_lost_the_lane_sends_nothing(olt: Target, bng: Target, opened: Callable[[Host], Host]) -> None:
    for kind, target, push in ((NETCONF, olt, olt_push(v_ani("3.12"))), (JUNOS, bng, bng_push(unit(1698)))):
        outcome = kind.push(replace(push, began=lost), opened(target.host()))
        assert (outcome.state, code(outcome)) == (TransactionState.NOT_ATTEMPTED, "LEASE_LOST")


def test_the_session_is_told_before_the_lock_is_taken(olt: Target, opened: Callable[[Host], Host]) -> None:
    host, told = opened(olt.host()), list[str]()
    push = replace(olt_push(v_ani("3.13"), holds=at_the(2, lambda: None, answer=False)), began=told.append)
    assert NETCONF.push(push, host).state is TransactionState.REVERSED
    assert told == [str(netconf_of(host).connection.session_id)]


def test_who_lost_the_lane_within_a_transaction_takes_nothing_back(olt: Target, opened: Callable[[Host], Host]) -> None:
    """Its session is ended by the new owner while the commit waits to be confirmed; what becomes of it is the new owner's matter."""
    ended: list[str] = []
    answers = [True, True, False]

    def holds() -> bool:
        if len(answers) == 2:  # before the confirmation
            netconf_of(opened(olt.host())).connection.kill_session(ended[0])
        return answers.pop(0)

    push = replace(olt_push(v_ani("3.14"), holds=holds), began=ended.append)
    assert NETCONF.push(push, opened(olt.host())).state is TransactionState.OPEN
    assert NETCONF.resolve(push, opened(olt.host())).state is TransactionState.REVERSED
