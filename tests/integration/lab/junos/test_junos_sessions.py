"""The router on the wire: locks, confirmed commits that run out, faults, and what survives its process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.remote import Remote
from lab.standin import Endpoint, running
from tests.netconf_wire import NC, Device, Wire, eventually, session

LOCK, UNLOCK, COMMIT = "<lock-configuration/>", "<unlock-configuration/>", "<commit-configuration/>"
EXAMPLES = Path(__file__).resolve().parents[3] / "data" / "junos"
GONE = (EOFError, OSError)


def load(lines: str) -> str:
    return f'<load-configuration action="set" format="text"><configuration-set>{lines}</configuration-set></load-configuration>'


def confirmed(minutes: int) -> str:
    return f"<commit-configuration><confirmed/><confirm-timeout>{minutes}</confirm-timeout><log>T-4</log></commit-configuration>"


def unit(number: int) -> str:
    return f"set interfaces ge-0/0/1 unit {number} vlan-id {number}"


def active(bng: Device) -> list[str]:
    lines: list[str] = bng.remote.state()["active"]
    return lines


@pytest.fixture(autouse=True)
def as_before(bng: Device) -> Iterator[None]:
    before = active(bng)
    yield
    with session(bng.endpoint, bng.lab, "1.0") as wire:
        wire.do(LOCK)
        wire.ask(load("\n".join(line.replace("set", "delete", 1) for line in active(bng) if line not in before)))
        for number in (5, 6):
            wire.ask(load(f"delete interfaces ge-0/0/1 unit {number}"))
        wire.do(COMMIT)
        wire.do(UNLOCK)


def test_a_lock_names_its_session_and_goes_with_it(connect: Callable[[], Wire], bng: Device) -> None:
    owner, other = connect(), connect()
    owner.do(LOCK)
    owner.do(load(unit(5)))
    (error,) = other.errors(LOCK)
    assert error.findtext("nc:error-tag", namespaces=NC) == "lock-denied"
    assert error.findtext("nc:error-info/nc:session-id", namespaces=NC) == owner.session_id
    assert f"pid {owner.session_id}" in (error.findtext("nc:error-message", namespaces=NC) or "")
    assert other.tag(load(unit(6))) == "in-use"
    assert other.tag(COMMIT) == "in-use"
    owner.vanish()
    eventually(lambda: bng.remote.state()["lock"] is None)
    other.do(LOCK)
    assert bng.remote.state()["candidate"] == active(bng)
    other.do(UNLOCK)


def test_kill_session_ends_the_session_that_holds_the_lock(connect: Callable[[], Wire]) -> None:
    owner, other = connect(), connect()
    owner.do(LOCK)
    other.do(f"<kill-session><session-id>{owner.session_id}</session-id></kill-session>")
    other.do(LOCK)
    other.do(UNLOCK)
    with pytest.raises(GONE):
        owner.do(COMMIT)


def test_uncommitted_changes_of_others_cannot_be_locked(connect: Callable[[], Wire]) -> None:
    first, second = connect(), connect()
    first.do(load(unit(5)))
    (error,) = second.errors(LOCK)
    assert error.findtext("nc:error-message", namespaces=NC) == "configuration database modified"
    first.do('<load-configuration rollback="0"/>')
    second.do(LOCK)
    second.do(UNLOCK)


def test_a_confirmed_commit_runs_out_in_minutes(wire: Wire, bng: Device) -> None:
    before = active(bng)
    wire.do(load(unit(5)))
    wire.do(confirmed(1))
    assert unit(5) in active(bng)
    eventually(lambda: not bng.remote.state()["pending"])
    assert active(bng) == before
    newest, confirmed_one = bng.remote.state()["commits"][:2]
    assert newest["comment"] is None
    assert confirmed_one == {"revision": confirmed_one["revision"], "comment": "commit confirmed, rollback in 1mins", "log": "T-4"}


def test_a_confirmed_commit_outlives_its_session_and_any_commit_confirms_it(connect: Callable[[], Wire], bng: Device) -> None:
    first, second = connect(), connect()
    first.do(load(unit(5)))
    first.do(confirmed(600))
    first.vanish()
    eventually(lambda: len(bng.remote.state()["sessions"]) == 1)
    assert bng.remote.state()["pending"]
    second.do(COMMIT)
    assert not bng.remote.state()["pending"]
    assert unit(5) in active(bng)


def test_prolonged_it_goes_back_to_the_beginning(wire: Wire, bng: Device) -> None:
    before = active(bng)
    wire.do(load(unit(5)))
    wire.do(confirmed(600))
    wire.do(load(unit(6)))
    wire.do(confirmed(1))
    eventually(lambda: not bng.remote.state()["pending"])
    assert active(bng) == before


def test_commit_check_and_the_operations_of_netconf(wire: Wire, bng: Device) -> None:
    wire.do("<lock><target><candidate/></target></lock>")
    wire.do(load(unit(5) + "\nset interfaces ge-0/0/1 unit 5 family inet policer input NONE"))
    for operation in (
        "<commit-configuration><check/></commit-configuration>",
        "<validate><source><candidate/></source></validate>",
        "<commit/>",
    ):
        messages = [error.findtext("nc:error-message", namespaces=NC) for error in wire.errors(operation)]
        assert messages == ["Referenced policer 'NONE' is not defined", "configuration check-out failed"]
    wire.do("<discard-changes/>")
    assert bng.remote.state()["candidate"] == active(bng)
    wire.do("<unlock><target><candidate/></target></unlock>")


def test_rollbacks(wire: Wire, bng: Device) -> None:
    for number in (5, 6):
        wire.do(load(unit(number)))
        wire.do(COMMIT)
    wire.do('<load-configuration rollback="2"/>')
    output = wire.do('<get-configuration compare="rollback" rollback="0" format="text"/>').findtext(".//{*}configuration-output")
    assert (output or "").split("\n")[1:-1] == [
        "[edit interfaces ge-0/0/1]",
        "-   unit 5 {",
        "-       vlan-id 5;",
        "-   }",
        "-   unit 6 {",
        "-       vlan-id 6;",
        "-   }",
    ]
    wire.do('<load-configuration rollback="0"/>')
    assert wire.tag('<load-configuration rollback="49"/>') == "operation-failed"


def test_the_worked_example_in_both_formats(wire: Wire, bng: Device) -> None:
    lines = (EXAMPLES / "junos-subscriber.set").read_text()
    day0, create, cease = ("\n".join(part.splitlines()[1:]) for part in lines.removeprefix("# ").split("\n# "))
    wire.do(load(day0))
    wire.do(COMMIT)
    before = active(bng)
    wire.do(load(create))
    wire.do(COMMIT)
    by_lines = active(bng)
    wire.do(load(cease))
    wire.do(COMMIT)
    # as in Junos the entry of the interface under class-of-service stays, empty
    assert set(active(bng)) - set(before) == {"set class-of-service interfaces ge-0/0/1"}
    wire.do(
        f'<load-configuration format="xml" action="merge">{(EXAMPLES / "junos-subscriber-create.xml").read_text()}</load-configuration>'
    )
    wire.do(COMMIT)
    assert sorted(active(bng)) == sorted(by_lines)


@pytest.mark.parametrize(
    "operation",
    [
        "<get-something-else/>",
        '<load-configuration action="update" format="xml"><configuration/></load-configuration>',
        '<load-configuration format="json"><configuration-json>{}</configuration-json></load-configuration>',
        '<load-configuration format="xml"/>',
        '<get-configuration format="json"/>',
        '<get-configuration compare="rollback" rollback="x"/>',
        "<commit-configuration><confirmed/><confirm-timeout>0</confirm-timeout></commit-configuration>",
        "<unlock-configuration/>",
    ],
)
def test_what_it_does_not_do_is_refused(wire: Wire, operation: str) -> None:
    assert wire.tag(operation) == "operation-failed"


def test_faults(connect: Callable[[], Wire], bng: Device) -> None:
    wire, other = connect(), connect()
    bng.remote.fail("commit-configuration", "refuse", error={"error-message": "commit failed: the disk is full"})
    wire.do(load(unit(5)))
    (error,) = wire.errors(COMMIT)
    assert error.findtext("nc:error-message", namespaces=NC) == "commit failed: the disk is full"
    bng.remote.fail("commit-configuration", "drop", when="after")
    with pytest.raises(GONE):
        wire.ask(COMMIT)
    assert unit(5) in active(bng)
    bng.remote.fail("get-configuration", "hang")
    other.channel.settimeout(0.3)
    with pytest.raises(TimeoutError):
        other.ask("<get-configuration/>")


def stop(_: Endpoint) -> None:
    """Leaving the `with` block of `running` ends it with SIGTERM."""


def kill(endpoint: Endpoint) -> None:
    Remote(endpoint).kill()


@pytest.mark.parametrize("end", [stop, kill])
def test_what_survives_the_process(tmp_path: Path, end: Callable[[Endpoint], None]) -> None:
    folder = tmp_path / "BNG-EAST-01"
    with running("junos", "BNG-EAST-01", folder) as endpoint, session(endpoint, tmp_path, "1.0") as wire:
        for number in (5, 6):
            wire.do(load(unit(number)))
            wire.do(COMMIT)
        before = Remote(endpoint).state()["active"]
        wire.do(load(unit(7) + "\ndelete interfaces ge-0/0/1 unit 5"))
        wire.do(confirmed(10))
        assert unit(7) in Remote(endpoint).state()["active"]
        end(endpoint)
    with running("junos", "BNG-EAST-01", folder) as again, session(again, tmp_path, "1.0") as wire:
        state = Remote(again).state()
        assert sorted(state["active"]) == sorted(before)
        assert not state["pending"]
        wire.do('<load-configuration rollback="3"/>')  # 0: taken back, 1: unconfirmed, 2: unit 6, 3: unit 5
        wire.do(COMMIT)
        assert unit(5) in Remote(again).state()["active"]
        assert unit(6) not in Remote(again).state()["active"]
