"""One router a test file, whose minutes last a fifth of a second, and sessions on it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from lab.remote import Remote
from lab.standin import running
from tests.netconf_wire import Device, Wire, session


@pytest.fixture(scope="module")
def bng(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    lab = tmp_path_factory.mktemp("lab")
    folder = lab / "BNG-EAST-01"
    folder.mkdir()
    (folder / "options.json").write_text('{"seconds_per_minute": 0.2}')
    with running("junos", "BNG-EAST-01", folder) as endpoint:
        yield Device(endpoint, Remote(endpoint), lab)


@pytest.fixture
def connect(bng: Device) -> Iterator[Callable[[], Wire]]:
    """Opens sessions that end with the test; afterwards the router has no lock, faults, or uncommitted changes."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(session(bng.endpoint, bng.lab, "1.0"))
    bng.remote.heal()
    state = bng.remote.state()
    assert (state["lock"], state["pending"]) == (None, False)
    assert state["candidate"] == state["active"]


@pytest.fixture
def wire(connect: Callable[[], Wire]) -> Wire:
    return connect()
