"""Stand-ins of the lab as targets: real processes, real sockets, one per kind for the whole run of these tests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab_targets import PLATFORMS, Target, http_access, ssh_target
from nornir.core.inventory import Host
from pushes import eventually

from lab.remote import Remote
from lab.standin import running


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def _olt(lab_folder: Path) -> Iterator[Target]:
    with running("olt", "OLT-EAST-07", lab_folder / "OLT-EAST-07", lab=lab_folder) as endpoint:
        yield ssh_target(endpoint, "bbf-olt", lab_folder)


@pytest.fixture
def olt(_olt: Target) -> Iterator[Target]:
    """The OLT, without faults, locks and pending commits before and after."""
    _olt.remote.heal()
    before = _olt.remote.state()
    assert (before["locks"], before["pending"], before["candidate_changes"]) == ({}, None, 0)
    yield _olt
    _olt.remote.heal()


@pytest.fixture(scope="session")
def _bng(lab_folder: Path) -> Iterator[Target]:
    folder = lab_folder / "BNG-EAST-01"
    folder.mkdir()
    (folder / "options.json").write_text('{"seconds_per_minute": 3}')  # Junos counts confirmed commits in minutes
    with running("junos", "BNG-EAST-01", folder, lab=lab_folder) as endpoint:
        yield ssh_target(endpoint, "junos", lab_folder)


@pytest.fixture
def bng(_bng: Target) -> Iterator[Target]:
    """The BNG, without faults, lock and pending commit before and after."""
    _bng.remote.heal()
    before = _bng.remote.state()
    assert (before["lock"], before["pending"]) == (None, False)
    yield _bng
    _bng.remote.heal()


@pytest.fixture(scope="session")
def _systems(lab_folder: Path) -> Iterator[Callable[[str], Target]]:
    """Starts each system when a test first needs it."""
    started: dict[str, Target] = {}
    with contextlib.ExitStack() as stack:

        def system(kind: str) -> Target:
            if kind not in started:
                endpoint = stack.enter_context(running(kind, kind, lab_folder / kind, lab=lab_folder))
                started[kind] = Target(kind, PLATFORMS[kind], http_access(endpoint, lab_folder), Remote(endpoint), endpoint)
            return started[kind]

        yield system


@pytest.fixture
def system(_systems: Callable[[str], Target]) -> Iterator[Callable[[str], Target]]:
    """Gives a system by kind, without faults before and after."""
    used: list[Target] = []

    def healed(kind: str) -> Target:
        target = _systems(kind)
        target.remote.heal()
        used.append(target)
        return target

    yield healed
    for target in used:
        target.remote.heal()


@pytest.fixture
def opened() -> Iterator[Callable[[Host], Host]]:
    """Registers hosts whose connections are closed after the test."""
    hosts: list[Host] = []

    def register(host: Host) -> Host:
        hosts.append(host)
        return host

    yield register
    for host in hosts:
        host.close_connections()


@pytest.fixture
def olt_host(olt: Target, opened: Callable[[Host], Host]) -> Iterator[Host]:
    """The OLT as a host; afterwards no lock, no pending commit and nothing in the candidate may be left, nor a session beside ours."""
    yield opened(olt.host())
    state = olt.remote.state()
    assert (state["locks"], state["pending"], state["candidate_changes"]) == ({}, None, 0)
    assert eventually(lambda: len(olt.remote.state()["sessions"]) <= 1)
