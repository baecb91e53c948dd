"""What all stand-ins share, over real sockets and in real processes."""

import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lab.process import wait_gone
from lab.remote import Remote
from lab.standin import Endpoint, read_endpoint, running

ECHO = "echo_standin:Echo"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "echo"


@pytest.fixture
def endpoint(folder: Path) -> Iterator[Endpoint]:
    with running(ECHO, "echo", folder) as endpoint:
        yield endpoint


def say(endpoint: Endpoint, word: str, timeout: float = 10) -> httpx.Response:
    return httpx.post(f"{endpoint.url}/echo/{word}", content=b"hello", timeout=timeout, trust_env=False)


def test_it_announces_where_it_is_while_it_is_there(folder: Path) -> None:
    with running(ECHO, "echo", folder) as endpoint:
        assert read_endpoint(folder) == endpoint
        assert stat.S_IMODE((folder / "endpoint.json").stat().st_mode) == 0o600
        assert say(endpoint, "a").json() == {"body": "hello"}
    assert read_endpoint(folder) is None
    assert wait_gone(endpoint.pid, 0)


def test_it_comes_back_on_the_same_port_unless_that_is_taken(folder: Path) -> None:
    with running(ECHO, "echo", folder) as first:
        pass
    with running(ECHO, "echo", folder) as second:
        assert (second.port, second.control) == (first.port, first.control)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", first.port))
        taken.listen()
        with running(ECHO, "echo", folder) as third:
            assert third.port != first.port
            assert say(third, "a").is_success


def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no room at the inn"), running("echo_standin:Broken", "broken", tmp_path / "broken"):
        pass


def test_it_does_not_outlive_who_started_it(folder: Path) -> None:
    starter = f"""
import os, pathlib
from lab.standin import running
with running({ECHO!r}, "echo", pathlib.Path({str(folder)!r})) as endpoint:
    os.write(1, str(endpoint.pid).encode())
    os._exit(0)
"""
    pid = int(subprocess.run([sys.executable, "-c", starter], check=True, capture_output=True).stdout)
    assert wait_gone(pid, 10)


def test_the_control_endpoint_is_not_to_be_guessed(endpoint: Endpoint) -> None:
    answer = httpx.post(f"{endpoint.url}/__control__/kill", trust_env=False)
    assert answer.status_code == 404
    assert say(endpoint, "a").is_success


def test_a_fault_is_listed_until_it_happened(endpoint: Endpoint) -> None:
    remote = Remote(endpoint)
    number = remote.fail("POST /echo/*", "refuse", times=2)
    assert [(fault["number"], fault["times"]) for fault in remote.faults()] == [(number, 2)]
    say(endpoint, "a")
    assert [(fault["number"], fault["times"]) for fault in remote.faults()] == [(number, 1)]
    remote.heal()
    assert remote.faults() == []
    assert say(endpoint, "a").is_success


def test_a_senseless_fault_is_refused_with_the_reason(endpoint: Endpoint) -> None:
    answer = httpx.post(f"{endpoint.control}/faults", json={"on": "x", "do": "explode"}, trust_env=False)
    assert (answer.status_code, answer.json()[0]["loc"]) == (400, ["do"])


def test_refuse(endpoint: Endpoint) -> None:
    Remote(endpoint).fail("POST /echo/a", "refuse", status=418, error={"why": "teapot"})
    assert say(endpoint, "b").is_success
    refused = say(endpoint, "a")
    assert (refused.status_code, refused.json()) == (418, {"why": "teapot"})
    assert Remote(endpoint).state() == {"seen": ["b"]}
    assert say(endpoint, "a").is_success


def test_exhaust(endpoint: Endpoint) -> None:
    Remote(endpoint).fail("POST *", "exhaust")
    assert say(endpoint, "a").status_code == 507


def test_slow_is_the_right_answer_later(endpoint: Endpoint) -> None:
    Remote(endpoint).fail("POST *", "slow", seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        say(endpoint, "a", timeout=0.2)
    assert say(endpoint, "a").json() == {"body": "hello"}


@pytest.mark.parametrize(("when", "seen"), [("before", []), ("after", ["a"])])
def test_hang(endpoint: Endpoint, when: str, seen: list[str]) -> None:
    Remote(endpoint).fail("POST *", "hang", when=when)
    with pytest.raises(httpx.ReadTimeout):
        say(endpoint, "a", timeout=0.3)
    assert Remote(endpoint).state() == {"seen": seen}


@pytest.mark.parametrize(("when", "seen"), [("before", []), ("after", ["a"])])
def test_drop(endpoint: Endpoint, when: str, seen: list[str]) -> None:
    Remote(endpoint).fail("POST *", "drop", when=when)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        say(endpoint, "a")
    assert Remote(endpoint).state() == {"seen": seen}
    assert say(endpoint, "b").is_success


def test_kill_leaves_no_time_to_clean_up(endpoint: Endpoint, folder: Path) -> None:
    Remote(endpoint).kill()
    assert wait_gone(endpoint.pid, 0)
    assert read_endpoint(folder) == endpoint, "the file of the dead is still there"


def test_it_stops_although_requests_hang(folder: Path) -> None:
    with running(ECHO, "echo", folder) as endpoint:
        Remote(endpoint).fail("POST *", "hang")
        with httpx.Client(trust_env=False, timeout=0.3) as client, pytest.raises(httpx.ReadTimeout):
            client.post(f"{endpoint.url}/echo/a")
    assert wait_gone(endpoint.pid, 0)
