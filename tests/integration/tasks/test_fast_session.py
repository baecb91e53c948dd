"""The SSH session under the netconf plugin: what it promises, and the names of ncclient's inside that it uses."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from lab_targets import Target, ssh_target
from ncclient.operations import RPCError
from ncclient.transport.ssh import SSHSession
from nornir.core.inventory import Host
from pushes import eventually

from engine.errors import TargetLost, TargetTimeout
from lab.standin import running
from tasks.connections.connect import connect
from tasks.connections.fast_session import FastSession
from tasks.connections.netconf import Netconf, netconf_of

Opened = Callable[[Host], Host]
_IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"


def subtree(name: str) -> tuple[str, str]:
    return ("subtree", f'<interfaces xmlns="{_IF}"><interface><name>{name}</name></interface></interfaces>')


@pytest.fixture
def plugin(olt: Target, opened: Opened) -> Netconf:
    return netconf_of(opened(olt.host()))


def test_ncclient_still_has_the_names_that_are_not_its_public_api(plugin: Netconf) -> None:
    session = plugin.connection._session
    assert isinstance(session, FastSession)
    for name in ("_transport_register", "load_known_hosts", "is_alive"):
        assert callable(getattr(SSHSession, name)), name
    for name in ("_base", "_channel", "_transport", "_closing", "_id", "_host_keys"):
        assert getattr(session, name, None) is not None, name


def test_replies_of_many_threads_on_one_session_are_not_mixed_up(plugin: Netconf) -> None:
    manager = plugin.connection
    names = [f"CT-{card}.{port}" for card in (1, 2, 3) for port in range(1, 17)]

    def read(name: str) -> bool:
        data = str(manager.get_config("running", filter=subtree(name)))
        return f">{name}<" in data and data.count("<interface>") + data.count("<interface ") == 1

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, names * 3))


def test_an_rpc_error_leaves_the_session_as_it_is(plugin: Netconf) -> None:
    with pytest.raises(RPCError), plugin.use() as manager:
        manager.unlock("candidate")
    with plugin.use() as manager:
        assert manager.get_config("running", filter=subtree("CT-1.1"))
    assert plugin.opened == 1


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt()])
def test_anything_else_drops_it(plugin: Netconf, error: BaseException) -> None:
    with pytest.raises(type(error)), plugin.use():
        raise error
    with plugin.use():
        assert plugin.opened == 2


def test_one_user_at_a_time(plugin: Netconf) -> None:
    with plugin.use(), pytest.raises(TargetTimeout, match="another transaction"), ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: plugin.use(wait=0.1).__enter__()).result()
    with plugin.use(wait=0.1):
        assert plugin.opened == 1


def test_a_healthy_idle_session_is_probed_and_kept(plugin: Netconf) -> None:
    plugin.probe_after = 0
    for _ in range(3):
        with plugin.use() as manager:
            manager.get_config("running", filter=subtree("CT-1.1"))
    assert plugin.opened == 1


def test_a_session_that_hangs_is_found_by_the_probe(olt: Target, plugin: Netconf) -> None:
    plugin.probe_after = 0
    olt.remote.fail("get-config", "hang")
    with plugin.use() as manager:
        assert manager.get_config("running", filter=subtree("CT-1.1"))
    assert plugin.opened == 2


def test_a_message_longer_than_any_window_arrives(olt: Target, plugin: Netconf) -> None:
    many = "".join(f"<interface><name>{'n' * 200}{number}</name></interface>" for number in range(5000))
    with plugin.use() as manager:
        answer = manager.get_config("running", filter=("subtree", f'<interfaces xmlns="{_IF}">{many}</interfaces>'))
    assert "n" * 200 not in str(answer)


def test_idle_sessions_sleep(olt: Target, opened: Opened) -> None:
    """Stock ncclient and paramiko wake up twenty times per session and second; ours half a time."""
    hosts = [opened(olt.host()) for _ in range(10)]
    for host in hosts:
        netconf_of(host)
    process = psutil.Process()
    before, patience = process.num_ctx_switches(), threading.Event()
    patience.wait(1.0)
    after = process.num_ctx_switches()
    assert after.voluntary - before.voluntary < 10 * 10


class TestTheDeviceDies:
    def test_between_two_uses(self, tmp_path: Path, opened: Opened) -> None:
        with running("olt", "OLT-X", tmp_path / "OLT-X", lab=tmp_path) as endpoint:
            target = ssh_target(endpoint, "bbf-olt", tmp_path)
            plugin = netconf_of(opened(target.host()))
            session = plugin.connection._session
            target.remote.kill()
            assert eventually(lambda: not session.is_up())
        with running("olt", "OLT-X", tmp_path / "OLT-X", lab=tmp_path), plugin.use() as manager:
            assert manager.get_config("running", filter=subtree("CT-1.1"))
            assert plugin.opened == 2

    def test_while_an_rpc_waits(self, tmp_path: Path, opened: Opened) -> None:
        with running("olt", "OLT-X", tmp_path / "OLT-X", lab=tmp_path) as endpoint:
            target = ssh_target(endpoint, "bbf-olt", tmp_path)
            plugin = netconf_of(opened(target.host()))
            target.remote.fail("get-config", "hang")
            timer = threading.Timer(0.2, os.kill, (endpoint.pid, signal.SIGKILL))
            timer.start()
            with pytest.raises(TargetLost), plugin.use() as manager:
                manager.get_config("running")
            timer.join()


def test_closing_does_not_wait_for_a_device_that_hangs(olt: Target) -> None:
    manager = connect("OLT", olt.access)
    olt.remote.fail("close-session", "hang")
    manager._session.close()
    manager._session.close()
    assert not manager._session.is_up()
    assert not manager._session.is_alive()
