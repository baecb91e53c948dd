"""The tasks with nornir-netconf's names, on the lab's OLT, through Nornir with our runner; and the three faults of nornir-netconf."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_targets import Target, inventory_of
from ncclient.operations import RPCError
from nornir.core import Nornir
from nornir.core.plugins.connections import ConnectionPluginRegister
from nornir.core.task import Result, Task
from olt_changes import v_ani

from tasks.connections.netconf import Netconf
from tasks.netconf_tasks import (
    netconf_capabilities,
    netconf_commit,
    netconf_edit_config,
    netconf_get,
    netconf_get_config,
    netconf_get_schemas,
    netconf_lock,
    netconf_rpc,
    netconf_validate,
)
from tasks.runner import DeadlineRunner

_IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
CT = f'<interfaces xmlns="{_IF}"><interface><name>CT-1.1</name></interface></interfaces>'


@pytest.fixture
def nornir(olt: Target) -> Iterator[Nornir]:
    found = inventory_of(olt).with_runner(DeadlineRunner())
    yield found
    found.close_connections()


def run(nornir: Nornir, task: Any, **arguments: Any) -> Result:
    return nornir.run(task, **arguments)["OLT-EAST-07"][0]


def test_the_plugin_is_registered_under_the_known_name() -> None:
    ConnectionPluginRegister.auto_register()
    assert ConnectionPluginRegister.get_plugin("netconf") is Netconf


def test_capabilities(nornir: Nornir) -> None:
    assert "urn:ietf:params:netconf:capability:candidate:1.0" in run(nornir, netconf_capabilities).result


def test_get_and_get_config(nornir: Nornir) -> None:
    state = str(run(nornir, netconf_get, path=CT, filter_type="subtree").result.rpc)
    config = str(run(nornir, netconf_get_config, path=CT, filter_type="subtree").result.rpc)
    assert "oper-status" in state
    assert "oper-status" not in config
    assert "CT-1.2<" not in config
    assert "CT-1.2<" in str(run(nornir, netconf_get_config).result.rpc)


def test_an_rpc_error_is_the_results_exception_and_the_session_lives(nornir: Nornir) -> None:
    failed = run(nornir, netconf_get, path="/interfaces", filter_type="xpath")
    assert isinstance(failed.exception, RPCError)
    assert run(nornir, netconf_capabilities).result


def test_a_transaction_by_hand(nornir: Nornir, olt: Target) -> None:
    def transaction(task: Task) -> None:
        task.run(netconf_lock)
        task.run(netconf_edit_config, config=v_ani("1.12").forward, target="candidate", error_option="rollback-on-error")
        task.run(netconf_validate)
        task.run(netconf_commit, confirmed=True, timeout=60, persist=17)  # an int: with nornir-netconf a TypeError
        assert olt.remote.state()["pending"]["persist"] == "17"
        task.run(netconf_commit, persist_id=17)
        task.run(netconf_lock, operation="unlock")

    before = olt.remote.state()["running"]
    assert not nornir.run(transaction).failed
    assert "v-ani-1.12.1" in olt.remote.state()["running"]
    assert not run(nornir, netconf_edit_config, config=v_ani("1.12").reverse, target="candidate").failed
    assert not run(nornir, netconf_commit).failed
    assert olt.remote.state()["running"] == before


def test_config_without_a_namespace(nornir: Nornir, olt: Target) -> None:
    config = (
        f'<config><interfaces xmlns="{_IF}"><interface><name>CT-1.1</name><description>seen</description></interface></interfaces></config>'
    )
    assert not run(nornir, netconf_edit_config, config=config, target="candidate").failed
    assert olt.remote.state()["candidate_changes"] == 1
    assert not run(nornir, netconf_rpc, payload="<discard-changes/>").failed
    assert olt.remote.state()["candidate_changes"] == 0


def test_a_lock_of_another_kind_is_an_error(nornir: Nornir) -> None:
    assert isinstance(run(nornir, netconf_lock, operation="padlock").exception, ValueError)


def test_schemas(nornir: Nornir, tmp_path: Path) -> None:
    result = run(
        nornir, netconf_get_schemas, schemas=["ietf-interfaces", "no-such-module", "../evil"], schema_path=str(tmp_path / "yang")
    ).result
    assert result.files == [str(tmp_path / "yang" / "ietf-interfaces.yang")]
    assert "module ietf-interfaces" in (tmp_path / "yang" / "ietf-interfaces.yang").read_text()
    assert len(result.errors) == 2
    assert not (tmp_path / "evil.yang").exists()
