"""What only the stand-in can be made to show: a database that refuses, is full, hangs; state that survives."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from radius_client import Server
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError, OperationalError

from lab.credentials import credentials
from lab.radius.packet import Code
from lab.remote import Remote
from lab.standin import Endpoint, running


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    with running("radius", "RADIUS-EAST-01", tmp_path / "RADIUS-EAST-01") as endpoint:
        yield endpoint


@pytest.fixture
def server(tmp_path: Path, endpoint: Endpoint) -> Iterator[Server]:
    engine = create_engine(endpoint.url or "", connect_args={"timeout": 0.3})
    yield Server(engine, endpoint.urls["authentication"], endpoint.urls["accounting"], credentials(tmp_path).radius_secret.encode())
    engine.dispose()


@pytest.mark.parametrize(("do", "text"), [("refuse", "refused on demand"), ("exhaust", "database or disk is full")])
def test_a_table_that_refuses_spoils_the_whole_transaction(endpoint: Endpoint, server: Server, do: str, text: str) -> None:
    Remote(endpoint).fail("INSERT radusergroup", do, times=None)
    with pytest.raises(IntegrityError, match=text):
        server.provision("cpe-4821", "secret")
    assert server.read("SELECT * FROM radcheck") == []
    Remote(endpoint).heal()
    server.provision("cpe-4821", "secret")
    assert server.log_in("cpe-4821", "secret").code is Code.ACCESS_ACCEPT


def test_a_database_that_hangs_does_so_until_it_is_healed(endpoint: Endpoint, server: Server) -> None:
    Remote(endpoint).fail("*", "hang")
    with pytest.raises(OperationalError, match="locked"):
        server.provision("cpe-4821", "secret")
    with pytest.raises(TimeoutError):
        server.ask(Code.ACCESS_REQUEST, (("User-Name", "cpe-4821"),), timeout=1)
    Remote(endpoint).heal()
    server.provision("cpe-4821", "secret")


def test_a_slow_database_answers_in_the_end(tmp_path: Path, endpoint: Endpoint) -> None:
    Remote(endpoint).fail("*", "slow", seconds=0.3)
    patient = create_engine(endpoint.url or "", connect_args={"timeout": 20})
    server = Server(patient, endpoint.urls["authentication"], endpoint.urls["accounting"], b"")
    server.provision("cpe-4821", "secret")
    assert Remote(endpoint).faults() == []
    patient.dispose()


@pytest.mark.parametrize(("on", "do", "times"), [("*", "drop", None), ("INSERT *", "refuse", 1), ("INSERT radcheck", "hang", 1)])
def test_what_a_database_cannot_show_is_refused_with_the_reason(endpoint: Endpoint, on: str, do: str, times: int | None) -> None:
    answer = httpx.post(f"{endpoint.control}/faults", json={"on": on, "do": do, "times": times}, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_rows_survive_and_faults_do_not(tmp_path: Path) -> None:
    for start in range(2):
        with running("radius", "RADIUS-EAST-01", tmp_path / "RADIUS-EAST-01") as endpoint:
            engine = create_engine(endpoint.url or "")
            server = Server(engine, endpoint.urls["authentication"], endpoint.urls["accounting"], b"")
            server.provision(f"cpe-{start}", "secret")
            Remote(endpoint).fail("*", "refuse", times=None)
            state = Remote(endpoint).state()
            assert [row["username"] for row in state["radcheck"]] == [f"cpe-{number}" for number in range(start + 1)]
            engine.dispose()
            Remote(endpoint).kill()
