"""The NETCONF server that the contract is checked against: the lab's OLT, or a real device.

NETCONF_URL (ssh://user@host:830) and NETCONF_PASSWORD name a real one. It must know ietf-interfaces and its candidate must be free;
only interfaces named contract-* are made, of the type NETCONF_INTERFACE_TYPE (ethernetCsmacd), and removed again.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from ncclient import manager

from lab.credentials import credentials
from lab.standin import running
from tests.netconf_contract import Server, config, removed


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    kind = os.environ.get("NETCONF_INTERFACE_TYPE", "ethernetCsmacd")
    if url := os.environ.get("NETCONF_URL"):
        parts = urlsplit(url)
        yield Server(parts.hostname or "", parts.port or 830, parts.username or "", os.environ["NETCONF_PASSWORD"], kind)
        return
    lab = tmp_path_factory.mktemp("lab")
    with running("olt", "OLT-EAST-07", lab / "OLT-EAST-07") as endpoint:
        login = credentials(lab, "OLT-EAST-07").devices["OLT-EAST-07"]
        yield Server(endpoint.host, endpoint.port, login.user, login.password, kind)


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[[], Any]]:
    """Opens ncclient managers, which are closed after the test; then nothing of it is left on the device."""
    opened: list[Any] = []

    def open_() -> Any:
        found = manager.connect(
            host=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            hostkey_verify=False,
            allow_agent=False,
            look_for_keys=False,
            timeout=30,
        )
        opened.append(found)
        return found

    yield open_
    for found in opened:
        if found.connected:
            found.close_session()
    cleaner = open_()
    cleaner.discard_changes()
    cleaner.edit_config(target="candidate", config=config(*map(removed, ("contract-1", "contract-2", "contract-3"))))
    cleaner.commit()
    cleaner.close_session()


@pytest.fixture
def device(connect: Callable[[], Any]) -> Any:
    return connect()
