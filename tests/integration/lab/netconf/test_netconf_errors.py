"""Each way to be refused, with the exact error-tag (RFC 6241 appendix A, RFC 7950 sections 8.3 and 15)."""

from collections.abc import Callable

import pytest

from tests.netconf_wire import BASE, IF, NC, Wire, delete_interface, has_interface, interface, interfaces, link

POLICING = "urn:bbf:yang:bbf-qos-policing"
VANI = "urn:bbf:yang:bbf-xponvani"
VALIDATE = "<validate><source><candidate/></source></validate>"


def text(error: object, name: str) -> str | None:
    return error.findtext(f"nc:{name}", namespaces=NC)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("config", "tag", "bad"),
    [
        (interfaces(interface("e1", more="<nonsense/>")), "unknown-element", "nonsense"),
        (interfaces(interface("e1", more='<nonsense xmlns="urn:example:no"/>')), "unknown-namespace", "nonsense"),
        ('<top xmlns="urn:example:no"/>', "unknown-namespace", "top"),
        (interfaces(interface("e1", more="<oper-status>up</oper-status>")), "unknown-element", "oper-status"),
        (interfaces("<interface><enabled>true</enabled></interface>"), "missing-element", "name"),
        (interfaces(interface("e1", operation="invent")), "bad-attribute", "interface"),
        (interfaces('<interface colour="red"><name>e1</name></interface>'), "unknown-attribute", "interface"),
        (interfaces(interface("e1", more="<enabled>true</enabled><enabled>false</enabled>")), "bad-element", "enabled"),
        (interfaces(interface("e1", more="<enabled>maybe</enabled>")), "invalid-value", None),
        (interfaces(interface("e1", kind="noSuchType")), "invalid-value", None),
        (interfaces("<interface><name>e1</name><type>unheard:of</type></interface>"), "invalid-value", None),
        (interfaces(interface("uplink-1", operation="create")), "data-exists", None),
        (interfaces(delete_interface("e1")), "data-missing", None),
        (interfaces("<interface><name>uplink-1</name><description nc:operation='delete'/></interface>"), "data-missing", None),
        (interfaces(interface("e1", more='<description nc:operation="delete"/>')), "data-missing", None),
    ],
)
def test_an_edit_is_refused(wire: Wire, config: str, tag: str, bad: str | None) -> None:
    (error,) = wire.errors(wire.edit(config))
    assert text(error, "error-tag") == tag
    assert text(error, "error-severity") == "error"
    assert text(error, "error-message")
    assert text(error, "error-info/nc:bad-element") == bad
    assert not has_interface(wire, "e1")


def test_the_path_of_an_error_can_be_evaluated(wire: Wire) -> None:
    (error,) = wire.errors(wire.edit(interfaces(interface("it's", more="<enabled>maybe</enabled>"))))
    path = error.find("nc:error-path", NC)
    assert path is not None
    assert path.text == '/if:interfaces/if:interface[if:name="it\'s"]/if:enabled'
    assert path.nsmap["if"] == IF


def test_unknown_namespace_is_named(wire: Wire) -> None:
    (error,) = wire.errors(wire.edit('<top xmlns="urn:example:no"/>'))
    assert text(error, "error-info/nc:bad-namespace") == "urn:example:no"


@pytest.mark.parametrize(
    ("config", "tag", "app_tag"),
    [
        (interfaces("<interface><name>e1</name></interface>"), "data-missing", None),
        (interfaces(interface("e1")) + link("e1", "nowhere"), "data-missing", "instance-required"),
        (interfaces(interface("e1")) + link("e1", "e1"), "operation-failed", "must-violation"),
        (
            interfaces(interface("e1", more=f'<v-ani xmlns="{VANI}"><onu-id>1</onu-id></v-ani>')),
            "unknown-element",
            None,
        ),
        (
            interfaces(interface("e1", more='<hardware-component xmlns="urn:bbf:yang:bbf-hardware"/>')),
            "operation-failed",
            "too-few-elements",
        ),
        (
            f'<policing-profiles xmlns="{POLICING}"><policing-profile><name>P</name></policing-profile></policing-profiles>',
            "data-missing",
            "missing-choice",
        ),
    ],
)
def test_a_configuration_that_does_not_hold_together_is_refused_at_validate_and_commit(
    wire: Wire, config: str, tag: str, app_tag: str | None
) -> None:
    wire.do(wire.edit(config))
    for operation in (VALIDATE, "<commit/>"):
        (error,) = wire.errors(operation)
        assert (text(error, "error-tag"), text(error, "error-app-tag")) == (tag, app_tag)
    assert not has_interface(wire, "e1")


def test_what_others_refer_to_cannot_go(wire: Wire) -> None:
    wire.change(interfaces(interface("a1"), interface("a2")) + link("a1", "a2"))
    wire.do(wire.edit(interfaces(delete_interface("a2"))))
    (error,) = wire.errors("<commit/>")
    assert (text(error, "error-tag"), text(error, "error-app-tag")) == ("data-missing", "instance-required")
    wire.do("<discard-changes/>")
    links = '<link-table xmlns="urn:bbf:yang:bbf-link-table" nc:operation="delete"/>'
    wire.change(links + interfaces(delete_interface("a1"), delete_interface("a2")))


@pytest.mark.parametrize(
    ("operation", "tag"),
    [
        ("<copy-config><target><candidate/></target><source><running/></source></copy-config>", "operation-not-supported"),
        ('<play xmlns="urn:example:no"/>', "operation-not-supported"),
        ("<lock/>", "missing-element"),
        ("<lock><target><startup/></target></lock>", "invalid-value"),
        ("<edit-config><target><candidate/></target></edit-config>", "missing-element"),
        ("<edit-config><target><running/></target><config/></edit-config>", "operation-not-supported"),
        ("<edit-config><target><candidate/></target><test-option>hope</test-option><config/></edit-config>", "invalid-value"),
        ("<edit-config><target><candidate/></target><default-operation>delete</default-operation><config/></edit-config>", "invalid-value"),
        ("<commit><confirmed/><confirm-timeout>soon</confirm-timeout></commit>", "invalid-value"),
        ("<commit><persist-id>nobody</persist-id></commit>", "invalid-value"),
        ("<cancel-commit/>", "operation-failed"),
        ("<unlock><target><candidate/></target></unlock>", "operation-failed"),
        ("<kill-session><session-id>99999</session-id></kill-session>", "invalid-value"),
        ('<get><filter type="xpath" select="/interfaces"/></get>', "operation-not-supported"),
        ('<get><filter type="regex"/></get>', "bad-attribute"),
    ],
)
def test_an_operation_is_refused(wire: Wire, operation: str, tag: str) -> None:
    assert wire.tag(operation) == tag


def test_one_cannot_kill_oneself(wire: Wire) -> None:
    assert wire.tag(f"<kill-session><session-id>{wire.session_id}</session-id></kill-session>") == "invalid-value"


def test_an_rpc_without_message_id(wire: Wire) -> None:
    message = f'<rpc xmlns="{BASE}"><get/></rpc>'.encode()
    wire.send_raw(b"\n#%d\n%b\n##\n" % (len(message), message))
    error = wire.receive().find("nc:rpc-error", NC)
    assert (text(error, "error-tag"), text(error, "error-info/nc:bad-attribute")) == ("missing-attribute", "message-id")


@pytest.mark.parametrize("broken", ["<rpc", "<!DOCTYPE rpc [<!ENTITY a 'b'>]><rpc message-id='1'>&a;</rpc>"])
def test_what_is_not_xml_ends_the_session(connect: Callable[..., Wire], broken: str) -> None:
    """malformed-message is new in base:1.1; a session of base:1.0 gets operation-failed."""
    for base, tag in (("1.1", "malformed-message"), ("1.0", "operation-failed")):
        wire = connect(base)
        message = broken.encode()
        wire.send_raw(b"\n#%d\n%b\n##\n" % (len(message), message) if base == "1.1" else message + b"]]>]]>")
        assert text(wire.receive().find("nc:rpc-error", NC), "error-tag") == tag
        with pytest.raises(EOFError):
            wire.receive()


def test_broken_framing_ends_the_session(connect: Callable[..., Wire]) -> None:
    wire = connect()
    wire.send_raw(b"\n#-1\nwhat?")
    with pytest.raises(EOFError):
        wire.receive()


def test_error_options(wire: Wire) -> None:
    """rollback-on-error leaves nothing, stop-on-error what came before, continue-on-error all that could be done."""
    config = interfaces(interface("o1"), delete_interface("missing"), interface("o2"))

    def staged() -> set[str]:
        data = wire.do("<get-config><source><candidate/></source></get-config>")
        return {name.text for name in data.iter(f"{{{IF}}}name")} & {"o1", "o2"}

    left = {}
    for option in ("rollback-on-error", "stop-on-error", "continue-on-error"):
        assert wire.tag(wire.edit(config, error=option)) == "data-missing"
        left[option] = staged()
        wire.do("<discard-changes/>")
    assert left == {"rollback-on-error": set(), "stop-on-error": {"o1"}, "continue-on-error": {"o1", "o2"}}


def test_test_only_changes_nothing(wire: Wire) -> None:
    wire.do(wire.edit(interfaces(interface("t1")), test="test-only"))
    assert wire.tag(wire.edit(interfaces(interface("t1", more="<enabled>maybe</enabled>")), test="test-only")) == "invalid-value"
    wire.do("<commit/>")
    assert not has_interface(wire, "t1")


def test_validate_takes_a_configuration_in_the_rpc(wire: Wire) -> None:
    wire.do(f"<validate><source><config>{interfaces(interface('v1'))}</config></source></validate>")
    bad = interfaces(interface("v1")) + link("v1", "v2")
    assert wire.tag(f"<validate><source><config>{bad}</config></source></validate>") == "data-missing"
    wire.do("<validate><source><running/></source></validate>")
