"""One OLT a test file, as a process of its own, and sessions on it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from lab.remote import Remote
from lab.standin import running
from tests.netconf_wire import Device, Wire, session


@pytest.fixture(scope="module")
def olt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    lab = tmp_path_factory.mktemp("lab")
    with running("olt", "OLT-EAST-07", lab / "OLT-EAST-07") as endpoint:
        yield Device(endpoint, Remote(endpoint), lab)


@pytest.fixture
def connect(olt: Device) -> Iterator[Callable[..., Wire]]:
    """Opens sessions that end with the test; afterwards the OLT has no locks, faults, changes or pending commits."""
    with ExitStack() as stack:
        yield lambda base="1.1": stack.enter_context(session(olt.endpoint, olt.lab, base))
    olt.remote.heal()
    with session(olt.endpoint, olt.lab) as wire:
        wire.do("<discard-changes/>")
    state = olt.remote.state()
    assert (state["locks"], state["pending"], state["candidate_changes"]) == ({}, None, 0)


@pytest.fixture
def wire(connect: Callable[..., Wire]) -> Wire:
    return connect()
