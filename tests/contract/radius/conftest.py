"""A RADIUS server: the stand-in, or a FreeRADIUS when RADIUS_DATABASE (SQLAlchemy's URL), RADIUS_AUTH and RADIUS_ACCT (radius://host:port)
and RADIUS_SECRET are set.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from radius_client import Server
from sqlalchemy import create_engine

from lab.credentials import credentials
from lab.standin import Endpoint, running

USER = "contract-4821"


def server_of(lab: Path, endpoint: Endpoint) -> Server:
    engine = create_engine(endpoint.url or "", connect_args={"timeout": 0.3})
    return Server(engine, endpoint.urls["authentication"], endpoint.urls["accounting"], credentials(lab).radius_secret.encode())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if "RADIUS_DATABASE" in os.environ:
        engine = create_engine(os.environ["RADIUS_DATABASE"])
        yield Server(engine, os.environ["RADIUS_AUTH"], os.environ["RADIUS_ACCT"], os.environ["RADIUS_SECRET"].encode())
        engine.dispose()
        return
    lab = tmp_path_factory.mktemp("lab")
    with running("radius", "RADIUS-EAST-01", lab / "RADIUS-EAST-01") as endpoint:
        server = server_of(lab, endpoint)
        yield server
        server.engine.dispose()


@pytest.fixture
def user(server: Server) -> Iterator[str]:
    yield USER
    server.clean(USER)
