"""The router that the contract is checked against: the lab's, or a real one.

JUNOS_HOST, JUNOS_PORT (22), JUNOS_USER and JUNOS_PASSWORD name a real one. Only objects named CONTRACT-* and units from 3990 on of
the interface JUNOS_INTERFACE (ge-0/0/1, with flexible-vlan-tagging) are touched, and removed again.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab.credentials import credentials
from lab.standin import running
from tests.junos_router import Router

CLEAN = """
delete interfaces {interface} unit 3990
delete interfaces {interface} unit 3991
delete class-of-service interfaces {interface} unit 3990
delete class-of-service traffic-control-profiles CONTRACT-DOWN
delete firewall policer CONTRACT-UP
"""


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    interface = os.environ.get("JUNOS_INTERFACE", "ge-0/0/1")
    if host := os.environ.get("JUNOS_HOST"):
        port = int(os.environ.get("JUNOS_PORT", "22"))
        yield Router(host, port, os.environ["JUNOS_USER"], os.environ["JUNOS_PASSWORD"], interface)
        return
    lab = tmp_path_factory.mktemp("lab")
    with running("junos", "BNG-EAST-01", lab / "BNG-EAST-01") as endpoint:
        login = credentials(lab, "BNG-EAST-01").devices["BNG-EAST-01"]
        yield Router(endpoint.host, endpoint.port, login.user, login.password, interface)


@pytest.fixture
def connect(router: Router) -> Iterator[Callable[..., Any]]:
    """Opens drivers, which are closed after the test; then nothing of it is left on the router."""
    opened: list[Any] = []

    def open_(**optional: Any) -> Any:
        driver = router.driver(**optional)
        driver.open()
        opened.append(driver)
        return driver

    yield open_
    for driver in opened:
        driver.close()
    cleaner = router.driver()
    cleaner.open()
    try:
        cleaner.load_merge_candidate(config=CLEAN.format(interface=router.interface).strip())
        if cleaner.compare_config():
            cleaner.commit_config()
        else:
            cleaner.discard_config()
    finally:
        cleaner.close()


@pytest.fixture
def driver(connect: Callable[..., Any]) -> Any:
    return connect()
