"""The lab as a whole: up, seen, broken, up again, down. No process is left."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from lab.control import Lab, LabError, State, down, status, up
from lab.credentials import credentials
from lab.process import wait_gone
from lab.registry import endpoint_of
from lab.supervisor import Report

NAMES = ("DHCP-EAST-01", "cloudwifi")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "lab"
    down(tmp_path / "lab")


@pytest.fixture
def lab(folder: Path) -> Lab:
    return up(folder, names=NAMES)


def processes(folder: Path) -> list[psutil.Process]:
    """Every process that works for the lab in this folder: a fork has its parent's command line."""
    return [process for process in psutil.process_iter(["cmdline"]) if str(folder) in (process.info["cmdline"] or [])]


def states(folder: Path) -> dict[str, State]:
    return {one.name: one.state for one in status(folder)}


def pids(folder: Path) -> dict[str, int | None]:
    return {one.name: one.pid for one in status(folder)}


def answers(lab: Lab, name: str) -> bool:
    endpoint = lab.endpoints[name]
    return httpx.get(f"{endpoint.control}/state", trust_env=False).is_success


def test_up_status_down(folder: Path) -> None:
    lab = up(folder, names=NAMES, pace=60)
    assert states(folder) == dict.fromkeys(NAMES, State.READY)
    assert all(answers(lab, name) for name in NAMES)
    assert endpoint_of(folder, "cloudwifi") == lab.endpoints["cloudwifi"]
    before = lab.clock.now()
    down(folder)
    stopped = lab.clock.now()
    assert stopped >= before
    assert lab.clock.now() == stopped
    assert states(folder) == dict.fromkeys(NAMES, State.DOWN)
    assert processes(folder) == []
    assert endpoint_of(folder, "cloudwifi") is None


def test_up_again_changes_nothing(folder: Path, lab: Lab) -> None:
    before = pids(folder)
    assert up(folder, names=NAMES).endpoints == lab.endpoints
    assert pids(folder) == before


def test_it_is_nobodys_terminal_and_nobodys_child(folder: Path, lab: Lab) -> None:
    report = Report.read(folder)
    assert report is not None
    supervisor = psutil.Process(report.pid)
    assert os.getsid(report.pid) != os.getsid(0)
    assert supervisor.terminal() is None
    assert supervisor.ppid() != os.getpid()


def test_a_dead_child_is_seen_and_comes_back_with_the_next_up(folder: Path, lab: Lab) -> None:
    other = pids(folder)["DHCP-EAST-01"]
    os.kill(lab.endpoints["cloudwifi"].pid, signal.SIGKILL)
    assert wait_gone(lab.endpoints["cloudwifi"].pid, 5)
    assert states(folder) == {"DHCP-EAST-01": State.READY, "cloudwifi": State.DEAD}
    again = up(folder, names=NAMES)
    assert states(folder) == dict.fromkeys(NAMES, State.READY)
    assert again.endpoints["cloudwifi"].pid != lab.endpoints["cloudwifi"].pid
    assert again.endpoints["cloudwifi"].url == lab.endpoints["cloudwifi"].url
    assert pids(folder)["DHCP-EAST-01"] == other


def test_the_rest_of_a_partial_lab_can_be_added(folder: Path, lab: Lab) -> None:
    before = pids(folder)
    more = up(folder, names=["RADIUS-EAST-01"])
    assert set(more.endpoints) == {*NAMES, "RADIUS-EAST-01"}
    assert before.items() <= pids(folder).items()


def test_two_ups_at_once_make_one_lab(folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: up(folder, names=NAMES), range(2))
    assert first.endpoints == second.endpoints
    assert len(processes(folder)) == 1 + len(NAMES)


def test_a_killed_supervisor_takes_its_children_along_and_leaves_nothing_in_the_way(folder: Path, lab: Lab) -> None:
    report = Report.read(folder)
    assert report is not None
    os.kill(report.pid, signal.SIGKILL)
    assert wait_gone(report.pid, 5)
    assert states(folder) == dict.fromkeys(NAMES, State.DOWN)
    again = up(folder, names=NAMES)
    assert all(answers(again, name) for name in NAMES)
    assert all(wait_gone(child.pid, 5) for child in report.children)
    assert len(processes(folder)) == 1 + len(NAMES)


def test_down_ends_even_one_that_does_not_listen(folder: Path, lab: Lab) -> None:
    os.kill(lab.endpoints["cloudwifi"].pid, signal.SIGSTOP)
    down(folder)
    assert processes(folder) == []


def test_one_that_cannot_start_is_named_with_its_log(folder: Path) -> None:
    (folder / "DHCP-EAST-01").mkdir(parents=True)
    (folder / "DHCP-EAST-01" / "kea-dhcp4.conf").write_text("{")
    with pytest.raises(LabError, match=r"DHCP-EAST-01 is dead: ended with 1; its log is .*log\.txt"):
        up(folder, names=NAMES)
    assert states(folder)["cloudwifi"] is State.READY


@pytest.mark.parametrize("wrong", [{"names": ["OLT-WEST-99"]}, {"profile": "huge"}])
def test_what_there_is_not_is_refused(folder: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="there are: "):
        up(folder, **wrong)  # type: ignore[arg-type]
    assert processes(folder) == []


def test_a_lab_keeps_its_profile(folder: Path, lab: Lab) -> None:
    with pytest.raises(ValueError, match="has the profile example"):
        up(folder, names=NAMES, profile="bench")


def test_state_and_credentials_survive(folder: Path) -> None:
    first = up(folder, names=NAMES)
    down(folder)
    second = up(folder, names=NAMES)
    assert second.credentials == first.credentials == credentials(folder)
    assert {name: endpoint.port for name, endpoint in second.endpoints.items()} == {
        name: endpoint.port for name, endpoint in first.endpoints.items()
    }
