"""The confirmed commit (RFC 6241 section 8.4): confirmed, prolonged, cancelled, and taken back by the device itself."""

from collections.abc import Callable

import pytest

from tests.netconf_wire import Device, Wire, canonical, delete_interface, eventually, has_interface, interface, interfaces

CONFIRM = "<commit><persist-id>T-7</persist-id></commit>"


def confirmed(timeout: int = 60, persist: str | None = "T-7", persist_id: str | None = None) -> str:
    token = f"<persist>{persist}</persist>" if persist else ""
    earlier = f"<persist-id>{persist_id}</persist-id>" if persist_id else ""
    return f"<commit><confirmed/><confirm-timeout>{timeout}</confirm-timeout>{token}{earlier}</commit>"


@pytest.fixture
def before(connect: Callable[..., Wire]) -> object:
    return canonical(connect().running())


def stage(wire: Wire, name: str = "cc1") -> None:
    wire.do(wire.edit(interfaces(interface(name))))


def clean(wire: Wire, name: str = "cc1") -> None:
    wire.change(interfaces(delete_interface(name, "remove")))


def test_confirmed_from_another_session(connect: Callable[..., Wire]) -> None:
    first, second = connect(), connect()
    stage(first)
    first.do(confirmed())
    assert has_interface(second, "cc1")
    first.close()
    second.do(CONFIRM)
    second.do("<discard-changes/>")
    assert has_interface(second, "cc1")
    assert second.tag(CONFIRM) == "invalid-value"  # nothing is pending any more
    clean(second)


def test_falls_back_by_itself(wire: Wire, olt: Device, before: object) -> None:
    stage(wire)
    wire.do(confirmed(timeout=1))
    assert has_interface(wire, "cc1")
    eventually(lambda: olt.remote.state()["pending"] is None)
    assert canonical(wire.running()) == before
    assert wire.tag(CONFIRM) == "invalid-value"


def test_cancelled(connect: Callable[..., Wire], before: object) -> None:
    first, second = connect(), connect()
    stage(first)
    first.do(confirmed())
    assert second.tag("<cancel-commit/>") == "invalid-value"
    assert second.tag("<cancel-commit><persist-id>other</persist-id></cancel-commit>") == "invalid-value"
    second.do("<cancel-commit><persist-id>T-7</persist-id></cancel-commit>")
    assert canonical(first.running()) == before


def test_without_persist_it_belongs_to_its_session(connect: Callable[..., Wire], before: object, olt: Device) -> None:
    first, second = connect(), connect()
    stage(first)
    first.do(confirmed(persist=None))
    assert second.tag("<commit/>") == "in-use"
    first.do("<commit/>")
    assert has_interface(second, "cc1")
    clean(second)
    stage(first)
    first.do(confirmed(persist=None))
    first.vanish()
    eventually(lambda: olt.remote.state()["pending"] is None)
    assert canonical(second.running()) == before


def test_with_persist_it_outlives_its_session(connect: Callable[..., Wire], olt: Device) -> None:
    first, second = connect(), connect()
    stage(first)
    first.do(confirmed())
    first.vanish()
    eventually(lambda: len(olt.remote.state()["sessions"]) == 1)
    assert olt.remote.state()["pending"]["persist"] == "T-7"
    assert has_interface(second, "cc1")
    assert second.tag("<commit/>") == "in-use"
    second.do(CONFIRM)
    clean(second)


def test_prolonged_it_goes_back_to_the_beginning(wire: Wire, before: object) -> None:
    stage(wire, "cc1")
    wire.do(confirmed())
    stage(wire, "cc2")
    wire.do(confirmed(persist="T-8", persist_id="T-7"))
    assert has_interface(wire, "cc1")
    assert has_interface(wire, "cc2")
    assert wire.tag(CONFIRM) == "invalid-value"
    wire.do("<cancel-commit><persist-id>T-8</persist-id></cancel-commit>")
    assert canonical(wire.running()) == before


def test_running_cannot_be_locked_while_a_commit_of_another_is_pending(connect: Callable[..., Wire]) -> None:
    first, second = connect(), connect()
    stage(first)
    first.do(confirmed())
    assert second.tag("<lock><target><running/></target></lock>") == "lock-denied"
    first.do("<cancel-commit><persist-id>T-7</persist-id></cancel-commit>")


def test_a_refused_confirmed_commit_changes_nothing(wire: Wire, before: object, olt: Device) -> None:
    wire.do(wire.edit(interfaces("<interface><name>cc1</name></interface>")))
    assert wire.tag(confirmed()) == "data-missing"
    assert olt.remote.state()["pending"] is None
    assert canonical(wire.running()) == before


def test_changes_of_the_candidate_survive_a_fallback(wire: Wire) -> None:
    stage(wire, "cc1")
    wire.do(confirmed())
    stage(wire, "cc2")
    wire.do("<cancel-commit><persist-id>T-7</persist-id></cancel-commit>")
    wire.do("<commit/>")
    assert not has_interface(wire, "cc1")
    assert has_interface(wire, "cc2")
    clean(wire, "cc2")
