"""A Kea to talk to: the stand-in, or a real one when KEA_URL (dhcp4), KEA6_URL (dhcp6), KEA_USER and KEA_PASSWORD are set.

The real one needs host_cmds, a subnet 42 with 10.42.17.0/24, and 2001:db8:42::/48 on the other; what the tests add they take back.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kea_daemon import Daemon

from lab.credentials import credentials
from lab.standin import Endpoint, running


@dataclass(frozen=True)
class StandIn:
    """The stand-in and its lab's folder."""

    lab: Path
    endpoint: Endpoint


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn | None]:
    if "KEA_URL" in os.environ:
        yield None
        return
    lab = tmp_path_factory.mktemp("lab")
    with running("kea", "DHCP-EAST-01", lab / "DHCP-EAST-01") as endpoint:
        yield StandIn(lab, endpoint)


def daemon_of(stand_in: StandIn | None, service: str) -> Daemon:
    if stand_in is None:
        variable = {"dhcp4": "KEA_URL", "dhcp6": "KEA6_URL"}[service]
        return Daemon(os.environ[variable], (os.environ["KEA_USER"], os.environ["KEA_PASSWORD"]))
    login = credentials(stand_in.lab).kea
    return Daemon(stand_in.endpoint.urls[service], (login.user, login.password))


@pytest.fixture
def dhcp4(stand_in: StandIn | None) -> Iterator[Daemon]:
    daemon = daemon_of(stand_in, "dhcp4")
    yield daemon
    daemon.clean()


@pytest.fixture
def dhcp6(stand_in: StandIn | None) -> Iterator[Daemon]:
    daemon = daemon_of(stand_in, "dhcp6")
    yield daemon
    daemon.clean()
