"""Devices that lack what the lab's OLT has: no persist, no confirmed commit, no validate, no candidate, no rollback-on-error."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory
from pushes import READBACK, at_the, code, push_of
from small_device import SmallDevice, serving

from engine.ports import Change, CheckRequest, TransactionState
from lab.faults import Do, Fault
from tasks.access import apply
from tasks.kinds.netconf import NETCONF

_IF = 'xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"'
FAILS = CheckRequest(2, "looks-nice", {})


def interfaces(operation: str, *names: str) -> str:
    entries = "".join(f'<interface nc:operation="{operation}"><name>{name}</name></interface>' for name in names)
    return f"<interfaces {_IF}>{entries}</interfaces>"


def created(*names: str) -> Change:
    return Change(interfaces("create", *names), interfaces("delete", *names))


KINDS = {
    "no persist": ("candidate:1.0", "confirmed-commit:1.0", "rollback-on-error:1.0"),
    "no confirmed commit": ("candidate:1.0", "rollback-on-error:1.0"),
    "no candidate": ("writable-running:1.0", "rollback-on-error:1.0"),
    "nothing": ("writable-running:1.0",),
}

Make = Callable[[str], tuple[SmallDevice, Host]]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Starts a device of a kind and gives it with a host that reaches it."""
    with contextlib.ExitStack() as stack:

        def of(kind: str) -> tuple[SmallDevice, Host]:
            device, host = SmallDevice(*KINDS[kind]), Host("OLT-X", platform="bbf-olt")
            access = stack.enter_context(serving(device, tmp_path))
            apply(Inventory(Hosts({host.name: host}), Groups(), Defaults()), {"*": access})
            stack.callback(host.close_connections)
            return device, host

        yield of


@pytest.mark.parametrize("kind", KINDS)
class TestEveryLesserDevice:
    def test_confirmed(self, kind: str, make: Make) -> None:
        device, host = make(kind)
        outcome = NETCONF.push(push_of("OLT-X", created("a", "b"), READBACK), host)
        assert (outcome.state, outcome.trouble) == (TransactionState.CONFIRMED, None)
        assert device.running == {"a", "b"}
        assert device.before is None
        assert device.locks == {}

    def test_a_check_fails_and_the_change_is_taken_back(self, kind: str, make: Make) -> None:
        device, host = make(kind)
        device.running = {"old"}
        outcome = NETCONF.push(push_of("OLT-X", created("a"), FAILS), host)
        assert (outcome.state, code(outcome)) == (TransactionState.REVERSED, "CHECK_FAILED")
        assert (device.running, device.before, device.locks) == ({"old"}, None, {})

    def test_a_device_that_says_ok_and_does_nothing_is_found_out(self, kind: str, make: Make) -> None:
        device, host = make(kind)
        device.forgets = True
        outcome = NETCONF.push(push_of("OLT-X", created("a"), READBACK, timeout=2), host)
        assert (outcome.state, code(outcome)) == (TransactionState.REVERSED, "CHECK_FAILED")

    def test_refused(self, kind: str, make: Make) -> None:
        device, host = make(kind)
        outcome = NETCONF.push(push_of("OLT-X", created("bad"), timeout=1), host)
        # without rollback-on-error it may have kept a part: it is looked at, and had not
        assert outcome.state is (TransactionState.REVERSED if kind == "nothing" else TransactionState.REFUSED)
        assert "bad is no name" in str(outcome.trouble)
        assert (device.running, device.locks) == (set(), {})

    def test_session_lost_before_it_was_looked_at(self, kind: str, make: Make) -> None:
        device, host = make(kind)
        device.faults.add(Fault(on="get-config", do=Do.DROP))
        outcome = NETCONF.push(push_of("OLT-X", created("a"), READBACK, timeout=2), host)
        assert (outcome.state, code(outcome)) == (TransactionState.REVERSED, "TARGET_LOST")
        assert (device.running, device.before, device.locks) == (set(), None, {})

    @pytest.mark.parametrize("call", [1, 2])
    def test_the_lane_is_no_longer_ours(self, kind: str, make: Make, call: int) -> None:
        device, host = make(kind)
        outcome = NETCONF.push(push_of("OLT-X", created("a"), holds=at_the(call, lambda: None, answer=False)), host)
        assert (outcome.state, code(outcome)) == (TransactionState.REVERSED, "LEASE_LOST")
        assert (device.running, device.before, device.locks) == (set(), None, {})
        assert "commit" not in device.done or call == 2


def test_a_part_that_a_device_without_rollback_on_error_kept_is_told(make: Make) -> None:
    device, host = make("nothing")
    outcome = NETCONF.push(push_of("OLT-X", created("a", "bad"), timeout=0.2), host)
    assert outcome.state is TransactionState.UNKNOWN
    assert "neither" in str(outcome.trouble)
    assert device.running == {"a"}


def test_a_warning_is_no_refusal(make: Make) -> None:
    device, host = make("no confirmed commit")
    device.warns = True
    assert NETCONF.push(push_of("OLT-X", created("a")), host).state is TransactionState.CONFIRMED


def test_only_what_is_announced_is_asked_for(make: Make) -> None:
    device, host = make("nothing")
    NETCONF.push(push_of("OLT-X", created("a")), host)
    assert device.done == ["lock", "edit-config", "unlock"]


def test_our_own_lost_session_is_ended_when_it_still_holds_the_lock(make: Make) -> None:
    device, host = make("no persist")
    device.keeps_locks = True
    device.faults.add(Fault(on="get-config", do=Do.DROP))
    outcome = NETCONF.push(push_of("OLT-X", created("a"), READBACK, timeout=2), host)
    assert (outcome.state, code(outcome)) == (TransactionState.REVERSED, "TARGET_LOST")
    assert "kill-session" in device.done
    assert (device.running, device.locks) == (set(), {})
