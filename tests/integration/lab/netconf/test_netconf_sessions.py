"""Sessions: capabilities, both framings, wrong passwords, locks, and what becomes of a client that is gone."""

from collections.abc import Callable

import paramiko
import pytest

from lab.credentials import credentials
from tests.netconf_wire import IF, LOCK, NC, UNLOCK, Device, Wire, canonical, eventually, has_interface, interface, interfaces, named


def test_the_hello_says_what_the_server_can(wire: Wire) -> None:
    capabilities = {element.text for element in wire.hello.iter(f"{{{NC['nc']}}}capability")}
    standard = ("candidate:1.0", "confirmed-commit:1.1", "rollback-on-error:1.0", "validate:1.1")
    assert {f"urn:ietf:params:netconf:capability:{name}" for name in standard} <= capabilities
    assert {"urn:ietf:params:netconf:base:1.0", "urn:ietf:params:netconf:base:1.1"} <= capabilities
    assert f"{IF}?module=ietf-interfaces&revision=2018-02-20" in capabilities
    assert "urn:bbf:yang:bbf-xponvani?module=bbf-xponvani&revision=2024-04-23" in capabilities


def test_both_framings_say_the_same(connect: Callable[..., Wire]) -> None:
    old, new = connect("1.0"), connect("1.1")
    assert canonical(old.running(named("CT-3.12"))) == canonical(new.running(named("CT-3.12")))


def test_a_message_may_come_in_many_chunks(wire: Wire) -> None:
    message = b'<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="x"><discard-changes/></rpc>'
    for start in range(0, len(message), 7):
        part = message[start : start + 7]
        wire.send_raw(b"\n#%d\n%b" % (len(part), part))
    wire.send_raw(b"\n##\n")
    assert wire.receive().find("nc:ok", NC) is not None


def test_a_hello_without_a_common_base_ends_the_session(connect: Callable[..., Wire]) -> None:
    with pytest.raises((EOFError, OSError)):
        connect("9.9").do("<get/>")


@pytest.mark.parametrize("login", [("turnup", "wrong"), ("nobody", "wrong")])
def test_bad_credentials_are_refused_by_ssh(olt: Device, login: tuple[str, str]) -> None:
    transport = paramiko.Transport((olt.endpoint.host, olt.endpoint.port))
    try:
        with pytest.raises(paramiko.AuthenticationException):
            transport.connect(username=login[0], password=login[1])
    finally:
        transport.close()


def test_only_the_netconf_subsystem_is_served(olt: Device) -> None:
    login = credentials(olt.lab, olt.endpoint.name).devices[olt.endpoint.name]
    transport = paramiko.Transport((olt.endpoint.host, olt.endpoint.port))
    try:
        transport.connect(username=login.user, password=login.password)
        channel = transport.open_session()
        channel.exec_command("id")
        assert channel.recv_exit_status() != 0
    finally:
        transport.close()


def test_a_lock_names_its_session(connect: Callable[..., Wire]) -> None:
    first, second = connect(), connect()
    first.do(LOCK)
    (error,) = second.errors(LOCK)
    assert error.findtext("nc:error-tag", namespaces=NC) == "lock-denied"
    assert error.findtext("nc:error-info/nc:session-id", namespaces=NC) == first.session_id
    assert first.tag(LOCK) == "lock-denied"
    assert second.tag(UNLOCK) == "operation-failed"
    first.do(UNLOCK)
    second.do(LOCK)


def test_a_locked_datastore_is_in_use_for_others(connect: Callable[..., Wire]) -> None:
    owner, other = connect(), connect()
    owner.do(LOCK)
    for operation in (other.edit(interfaces(interface("x1"))), "<commit/>", "<discard-changes/>"):
        (error,) = other.errors(operation)
        assert error.findtext("nc:error-tag", namespaces=NC) == "in-use"
        assert error.findtext("nc:error-info/nc:session-id", namespaces=NC) == owner.session_id
    other.running(named("uplink-1"))  # reading is free
    owner.do(UNLOCK)
    other.do("<lock><target><running/></target></lock>")
    owner.do(owner.edit(interfaces(interface("x1"))))
    assert owner.tag("<commit/>") == "in-use"


def test_a_candidate_with_changes_cannot_be_locked(connect: Callable[..., Wire]) -> None:
    first, second = connect(), connect()
    first.do(first.edit(interfaces(interface("x2"))))
    assert second.tag(LOCK) == "lock-denied"
    first.do("<discard-changes/>")
    second.do(LOCK)


def test_changes_go_with_the_lock(connect: Callable[..., Wire]) -> None:
    first, second = connect(), connect()
    first.do(LOCK)
    first.do(first.edit(interfaces(interface("x3"))))
    first.do(UNLOCK)
    second.do("<commit/>")
    assert not has_interface(second, "x3")


def test_the_lock_of_a_vanished_client_is_free(connect: Callable[..., Wire], olt: Device) -> None:
    gone, other = connect(), connect()
    gone.do(LOCK)
    gone.do(gone.edit(interfaces(interface("x4"))))
    gone.vanish()
    eventually(lambda: olt.remote.state()["locks"] == {})
    other.do(LOCK)
    other.do("<commit/>")
    assert not has_interface(other, "x4")


def test_kill_session_frees_the_lock_before_it_is_answered(connect: Callable[..., Wire]) -> None:
    victim, killer = connect(), connect()
    victim.do(LOCK)
    killer.do(f"<kill-session><session-id>{victim.session_id}</session-id></kill-session>")
    killer.do(LOCK)
    with pytest.raises((EOFError, OSError)):
        victim.do("<get/>")


def test_close_session_is_answered(connect: Callable[..., Wire]) -> None:
    wire = connect()
    assert wire.do("<close-session/>").find("nc:ok", NC) is not None
    with pytest.raises(EOFError):
        wire.receive()


def test_get_schema(wire: Wire) -> None:
    monitoring = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"

    def ask(name: str, version: str = "") -> str:
        return f'<get-schema xmlns="{monitoring}"><identifier>{name}</identifier>{version}</get-schema>'

    data = wire.do(ask("bbf-link-table", "<version>2020-10-13</version><format>yang</format>")).find(f"{{{monitoring}}}data")
    assert data is not None
    assert (data.text or "").startswith("module bbf-link-table {")
    for wrong in (ask("bbf-link-table", "<version>1999-01-01</version>"), ask("no-such-module"), ask("../closure")):
        assert wire.tag(wrong) == "invalid-value"
