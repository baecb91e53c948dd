"""What we rely on of a NETCONF server (RFC 6241 with candidate, confirmed commit, validate, rollback-on-error), by ncclient 0.7.0."""

from collections.abc import Callable
from typing import Any

import pytest
from ncclient.operations import RPCError

from tests.netconf_contract import IF, Server, config, interface, wanted
from tests.netconf_wire import eventually


def there(device: Any, name: str, source: str = "running") -> bool:
    return f">{name}<" in str(device.get_config(source, filter=wanted(name)))


def refusal(operation: Callable[[], Any]) -> Any:
    """The error of an operation that must fail."""
    with pytest.raises(RPCError) as failure:
        operation()
    # with several errors in a reply ncclient's own has no tag
    return failure.value.errors[0] if getattr(failure.value, "errors", None) else failure.value


def test_capabilities(device: Any) -> None:
    for name in ("candidate:1.0", "confirmed-commit:1.1", "rollback-on-error:1.0", "validate:1.1"):
        assert f"urn:ietf:params:netconf:capability:{name}" in device.server_capabilities
    assert any("ietf-interfaces" in capability for capability in device.server_capabilities)


def test_a_transaction(device: Any, server: Server) -> None:
    device.lock("candidate")
    device.edit_config(target="candidate", config=config(interface("contract-1", server, "create")), error_option="rollback-on-error")
    assert (there(device, "contract-1"), there(device, "contract-1", "candidate")) == (False, True)
    device.validate("candidate")
    # the timeout must be text: ncclient puts an int into the XML and fails
    device.commit(confirmed=True, timeout="60", persist="contract-T1")
    device.commit(persist_id="contract-T1")
    device.unlock("candidate")
    assert there(device, "contract-1")


def test_a_lock_names_its_session(connect: Callable[[], Any]) -> None:
    owner, other = connect(), connect()
    owner.lock("candidate")
    error = refusal(lambda: other.lock("candidate"))
    assert error.tag == "lock-denied"
    assert f"<session-id>{owner.session_id}</session-id>" in str(error.info).replace("nc:", "")
    other.kill_session(owner.session_id)
    other.lock("candidate")
    other.unlock("candidate")


def test_create_and_delete_are_strict(device: Any, server: Server) -> None:
    device.edit_config(target="candidate", config=config(interface("contract-1", server)))
    again = config(interface("contract-1", server, "create"))
    assert refusal(lambda: device.edit_config(target="candidate", config=again)).tag == "data-exists"
    missing = config('<interface nc:operation="delete"><name>contract-2</name></interface>')
    assert refusal(lambda: device.edit_config(target="candidate", config=missing)).tag == "data-missing"
    device.discard_changes()
    assert not there(device, "contract-1", "candidate")


@pytest.mark.parametrize(
    ("more", "tag"),
    [("<nonsense/>", "unknown-element"), ("<enabled>maybe</enabled>", "invalid-value")],
)
def test_bad_edits_are_refused_and_leave_nothing(device: Any, server: Server, more: str, tag: str) -> None:
    edit = config(interface("contract-1", server), interface("contract-2", server, more=more))
    error = refusal(lambda: device.edit_config(target="candidate", config=edit, error_option="rollback-on-error"))
    assert error.tag == tag
    assert not there(device, "contract-1", "candidate")


def test_a_reference_to_nothing_is_refused_at_commit(device: Any, server: Server) -> None:
    """Where a device has no bbf-hardware there is nothing to refer to."""
    if not any("bbf-hardware?" in capability for capability in device.server_capabilities):
        pytest.skip("the device has no bbf-hardware")
    port = '<hardware-component xmlns="urn:bbf:yang:bbf-hardware"><port-layer-if>nowhere</port-layer-if></hardware-component>'
    device.edit_config(target="candidate", config=config(interface("contract-1", server, more=port)))
    for operation in (lambda: device.validate("candidate"), device.commit):
        error = refusal(operation)
        assert error.tag == "data-missing"
        assert error.app_tag == "instance-required"
        assert "port-layer-if" in error.path
    assert not there(device, "contract-1")


def test_a_confirmed_commit_falls_back_and_the_persist_id_is_void(device: Any, server: Server) -> None:
    device.edit_config(target="candidate", config=config(interface("contract-1", server)))
    device.commit(confirmed=True, timeout="1", persist="contract-T2")
    assert there(device, "contract-1")
    eventually(lambda: not there(device, "contract-1"), seconds=20)
    assert refusal(lambda: device.commit(persist_id="contract-T2")).tag == "invalid-value"


def test_a_confirmed_commit_is_cancelled_from_another_session(connect: Callable[[], Any], server: Server) -> None:
    first, second = connect(), connect()
    first.edit_config(target="candidate", config=config(interface("contract-1", server)))
    first.commit(confirmed=True, timeout="60", persist="contract-T3")
    assert there(second, "contract-1")
    second.cancel_commit(persist_id="contract-T3")
    assert not there(second, "contract-1")


def test_state_beside_configuration(device: Any) -> None:
    data = device.get(filter=("subtree", f'<interfaces-state xmlns="{IF}"><interface><name/><oper-status/></interface></interfaces-state>'))
    assert "<oper-status" in str(data)


def test_a_module_can_be_read(device: Any) -> None:
    assert "module ietf-interfaces" in str(device.get_schema("ietf-interfaces"))
