"""The OLT on its bad days: every fault at a chosen operation, seen by the client as a real device would show it."""

import time
from collections.abc import Callable

import paramiko
import pytest

from tests.netconf_wire import LOCK, NC, Device, Wire, delete_interface, eventually, has_interface, interface, interfaces

GONE = (EOFError, OSError)


def test_refuse_with_the_error_of_the_tests_choice(wire: Wire, olt: Device) -> None:
    olt.remote.fail(
        "commit", "refuse", error={"error-tag": "resource-denied", "error-message": "the flash is full", "error-app-tag": "flash"}
    )
    wire.do(wire.edit(interfaces(interface("f1"))))
    (error,) = wire.errors("<commit/>")
    assert [error.findtext(f"nc:{name}", namespaces=NC) for name in ("error-tag", "error-message", "error-app-tag")] == [
        "resource-denied",
        "the flash is full",
        "flash",
    ]
    assert not has_interface(wire, "f1")
    wire.do("<commit/>")  # once only
    assert has_interface(wire, "f1")
    wire.change(interfaces(delete_interface("f1")))


def test_exhausted(wire: Wire, olt: Device) -> None:
    olt.remote.fail("edit-config", "exhaust")
    assert wire.tag(wire.edit(interfaces(interface("f1")))) == "resource-denied"


def test_refuse_until_healed(wire: Wire, olt: Device) -> None:
    olt.remote.fail("get*", "refuse", times=None)
    for operation in ("<get/>", "<get-config><source><running/></source></get-config>"):
        assert wire.tag(operation) == "operation-failed"
    olt.remote.heal()
    wire.running()


def test_slow(connect: Callable[..., Wire], olt: Device) -> None:
    """A slow answer holds up its session and no other."""
    slow, other = connect(), connect()
    olt.remote.fail("validate", "slow", seconds=0.5)
    began = time.monotonic()
    slow.send("<validate><source><candidate/></source></validate>")
    other.running("")
    assert not slow.channel.recv_ready()
    assert slow.receive().find("nc:ok", NC) is not None
    assert time.monotonic() - began >= 0.5


def test_hang(connect: Callable[..., Wire], olt: Device) -> None:
    hung, other = connect(), connect()
    hung.do(LOCK)
    olt.remote.fail("edit-config", "hang")
    hung.channel.settimeout(0.3)
    with pytest.raises(TimeoutError):
        hung.ask(hung.edit(interfaces(interface("f2"))))
    assert other.tag(LOCK) == "lock-denied"
    hung.vanish()
    eventually(lambda: olt.remote.state()["locks"] == {})
    other.do(LOCK)


@pytest.mark.parametrize(("when", "there"), [("before", False), ("after", True)])
def test_drop_before_or_after_the_commit(connect: Callable[..., Wire], olt: Device, when: str, there: bool) -> None:
    wire, other = connect(), connect()
    olt.remote.fail("commit", "drop", when=when)
    wire.do(wire.edit(interfaces(interface("f3"))))
    with pytest.raises(GONE):
        wire.ask("<commit/>")
    assert has_interface(other, "f3") is there
    other.change("" if not there else interfaces(delete_interface("f3")))
    other.do("<discard-changes/>")


def test_drop_between_confirmed_commit_and_confirm(connect: Callable[..., Wire], olt: Device) -> None:
    """The trap of the worked example's errors: committed, not confirmed, session lost, and the device falls back."""
    wire, other = connect(), connect()
    olt.remote.fail("commit", "drop", when="after")
    wire.do(wire.edit(interfaces(interface("f4"))))
    with pytest.raises(GONE):
        wire.ask("<commit><confirmed/><confirm-timeout>1</confirm-timeout><persist>T-9</persist></commit>")
    assert olt.remote.state()["pending"]["persist"] == "T-9"
    eventually(lambda: olt.remote.state()["pending"] is None)
    assert not has_interface(other, "f4")


@pytest.mark.parametrize("do", ["refuse", "drop"])
def test_connect_fails(olt: Device, do: str) -> None:
    olt.remote.fail("connect", do)
    with pytest.raises((paramiko.SSHException, *GONE)):
        Wire(olt.endpoint, olt.lab)
    Wire(olt.endpoint, olt.lab).close()


def test_connect_is_slow(olt: Device) -> None:
    olt.remote.fail("connect", "slow", seconds=0.4)
    began = time.monotonic()
    Wire(olt.endpoint, olt.lab).close()
    assert time.monotonic() - began >= 0.4
