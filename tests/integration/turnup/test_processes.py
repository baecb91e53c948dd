"""Several processes on one home folder: who works, who follows, and what becomes of an order when a process dies."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.worker_lock import running_worker
from lab import control
from tests.integration.turnup.conftest import ROOT, Program, until

FIRST, SECOND = "playbooks/superfibre-200.yaml", "playbooks/superfibre-200-second.yaml"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def turnup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program with a lab of the profile `bench`: orders of one test do not lack what those of another hold."""
    program = Program(tmp_path_factory.mktemp("processes") / "home", {"TURNUP_LAB__PROFILE": "bench"})
    assert program("lab", "up").code == 0
    yield program
    control.down(program.home / "lab")


@pytest.fixture
def start(turnup: Program) -> Iterator[Start]:
    """Starts commands that go on beside the test, and ends those that are left."""
    begun: list[subprocess.Popen[str]] = []

    def command(*arguments: str | Path) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(turnup.command(*arguments), cwd=ROOT, env=turnup.environment(), text=True, **pipes)
        begun.append(process)
        return process

    yield command
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


def order(folder: Path, number: int) -> Path:
    """A playbook of another customer."""
    path = folder / f"order-{number}.yaml"
    path.write_text(re.sub(r"CUST-\d+", f"CUST-{number}", (ROOT / FIRST).read_text("utf-8")), "utf-8")
    return path


def state(turnup: Program, external_id: str) -> str:
    done = turnup("show", external_id, "--json")
    return str(done.document["order"]["state"]) if done.code == 0 else ""


def test_a_worker_works_what_others_submit(turnup: Program, start: Start, tmp_path: Path) -> None:
    waiting = turnup("submit", order(tmp_path, 6001), "--json").document
    assert waiting["worker"] == {"running": False, "start": "turnup worker"}
    worker = start("worker")
    until(lambda: running_worker(turnup.home / "worker.lock") == worker.pid, "the worker's start")
    worked = turnup("submit", order(tmp_path, 6002), "--json").document
    assert worked["worker"] == {"running": True, "pid": worker.pid}
    for number in (6001, 6002):
        until(lambda number=number: state(turnup, f"SF200-CUST-{number}") == "completed", f"completion of {number}")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    assert running_worker(turnup.home / "worker.lock") is None


def test_run_follows_beside_a_worker(turnup: Program, start: Start, tmp_path: Path) -> None:
    worker = start("worker")
    until(lambda: running_worker(turnup.home / "worker.lock") == worker.pid, "the worker's start")
    done = turnup("run", order(tmp_path, 6003))
    assert done.code == 0, done.out + done.err
    assert f"process {worker.pid} works the lanes; this one follows" in done.out
    second = turnup("worker", "--json")
    assert second.code == 2
    assert second.document["error"]["code"] == "WORKER_RUNNING"
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=30) == 0


def test_two_runs_at_once(turnup: Program, start: Start, tmp_path: Path) -> None:
    """One works for both; when it has ended the other goes on."""
    runs = [start("run", order(tmp_path, number), "--json") for number in (6004, 6005)]
    outputs = [run.communicate(timeout=100) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs


@pytest.fixture
def carrier_back(turnup: Program) -> Iterator[Callable[[], None]]:
    """The carrier is away, so that no order comes to its end, until this is called."""
    carrier = turnup.stand_in("logistics")
    carrier.fail("POST */shippingOrder", "refuse", times=None, status=503)
    yield carrier.heal
    carrier.heal()


def test_a_run_that_is_killed_is_gone_on_with(turnup: Program, start: Start, tmp_path: Path, carrier_back: Callable[[], None]) -> None:
    path = order(tmp_path, 6006)
    run = start("run", path)
    until(lambda: state(turnup, "SF200-CUST-6006") in ("inProgress", "pending"), "the order's beginning")
    run.kill()
    run.wait(timeout=30)
    carrier_back()
    done = turnup("run", path, "--json")
    assert done.code == 0, done.out + done.err
    assert done.document["repeated"] is True
    assert {item["state"] for item in done.document["items"]} == {"completed"}
    assert {target["state"] for target in done.document["targets"]} == {"done"}
    assert turnup("inventory", "audit").code == 0


def test_a_run_that_is_interrupted_says_how_to_go_on(
    turnup: Program, start: Start, tmp_path: Path, carrier_back: Callable[[], None]
) -> None:
    path = order(tmp_path, 6007)
    run = start("run", path)
    until(lambda: state(turnup, "SF200-CUST-6007") in ("inProgress", "pending"), "the order's beginning")
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, out + err
    assert "`turnup worker`, or the same `turnup run` again, goes on with it" in out
    assert "Traceback" not in err
    carrier_back()
    assert turnup("run", path).code == 0


def test_the_carrier_finds_the_listener_of_the_next_worker_on_the_same_port(turnup: Program, start: Start) -> None:
    port = (turnup.home / "webhook.port").read_text("utf-8")
    worker = start("worker")
    until(lambda: running_worker(turnup.home / "worker.lock") == worker.pid, "the worker's start")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    assert (turnup.home / "webhook.port").read_text("utf-8") == port


def test_a_stand_in_that_died_is_started_again_by_the_next_command(turnup: Program, tmp_path: Path) -> None:
    turnup.stand_in("DHCP-EAST-01").kill()
    dead = {one["name"]: one["state"] for one in turnup("lab", "status", "--json").document["standIns"]}
    assert dead["DHCP-EAST-01"] == "dead"
    done = turnup("run", order(tmp_path, 6008), "--json")
    assert done.code == 0, done.out + done.err
