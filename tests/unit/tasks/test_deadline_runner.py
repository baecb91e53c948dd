"""The runner: every host has a result, none is forgotten, and none can hold up the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from nornir.core import Nornir
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory
from nornir.core.plugins.runners import RunnersPluginRegister
from nornir.core.task import Result, Task
from nornir.plugins.runners import ThreadedRunner

from engine.errors import TargetTimeout
from tasks.runner import DeadlineRunner, NotAttempted


def nornir_of(*names: str, runner: DeadlineRunner) -> Nornir:
    return Nornir(Inventory(Hosts({name: Host(name) for name in names}), Groups(), Defaults()), runner=runner)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a hanging task waits for; opened after the test, so that no thread is left."""
    event = threading.Event()
    yield event
    event.set()


class Closable:
    """A connection whose end is waited for by a task."""

    connection = None

    def __init__(self) -> None:
        self.closed = threading.Event()

    def open(self, *_: object, **__: object) -> None: ...

    def close(self) -> None:
        self.closed.set()


def test_every_host_has_its_result_in_the_order_of_the_inventory() -> None:
    nornir = nornir_of("a", "b", "c", runner=DeadlineRunner())
    results = nornir.run(lambda task: f"on {task.host.name}", name="say")
    assert {name: result[0].result for name, result in results.items()} == {"a": "on a", "b": "on b", "c": "on c"}
    assert list(results) == ["a", "b", "c"]
    assert not results.failed


def test_a_host_that_hangs_does_not_hold_up_the_others(gate: threading.Event) -> None:
    def work(task: Task) -> str:
        if task.host.name == "hangs":
            gate.wait()
        return "done"

    nornir = nornir_of("hangs", "b", "c", runner=DeadlineRunner(deadline=0.2))
    results = nornir.run(work)
    assert isinstance(results["hangs"][0].exception, TargetTimeout)
    assert [results[name][0].result for name in ("b", "c")] == ["done", "done"]


def test_what_a_hanging_task_waits_for_is_closed() -> None:
    nornir = nornir_of("hangs", runner=DeadlineRunner(deadline=0.1))
    connection = Closable()
    nornir.inventory.hosts["hangs"].connections["netconf"] = connection
    nornir.run(lambda task: connection.closed.wait(5), name="wait")
    assert connection.closed.wait(5)


def test_a_host_that_hangs_gives_its_worker_back(gate: threading.Event) -> None:
    def work(task: Task) -> str:
        if task.host.name == "hangs":
            gate.wait()
        return "done"

    runner = DeadlineRunner(num_workers=1, deadline=0.3)
    runner_results = nornir_of("b", "hangs", runner=runner).run(work)
    assert runner_results["b"][0].result == "done"
    assert isinstance(runner_results["hangs"][0].exception, TargetTimeout)


def test_who_cannot_start_in_time_is_not_attempted(gate: threading.Event) -> None:
    started = []

    def work(task: Task) -> None:
        started.append(task.host.name)
        gate.wait()

    results = nornir_of("a", "b", runner=DeadlineRunner(num_workers=1, deadline=0.1)).run(work)
    assert started == ["a"]
    assert isinstance(results["a"][0].exception, TargetTimeout)
    assert isinstance(results["b"][0].exception, NotAttempted)
    assert results["b"].failed


def test_a_late_answer_does_not_change_the_result(gate: threading.Event) -> None:
    late = threading.Event()

    def work(task: Task) -> str:
        gate.wait()
        late.set()
        return "too late"

    results = nornir_of("a", runner=DeadlineRunner(deadline=0.1)).run(work)
    gate.set()
    assert late.wait(5)
    assert isinstance(results["a"][0].exception, TargetTimeout)


def failing(task: Task) -> Result:
    raise OSError("unplugged")


class TestFailedHosts:
    """Nornir leaves a host that failed out of every later run; with this runner it does not."""

    def test_nornirs_own_runner_drops_it_silently(self) -> None:
        """The trap itself: when Nornir mends it, this test says so."""
        nornir = nornir_of("a", runner=DeadlineRunner()).with_runner(ThreadedRunner())
        nornir.run(failing)
        assert "a" not in nornir.run(lambda task: "done", name="again")

    def test_a_failure_does_not_drop_the_host_from_later_runs(self) -> None:
        nornir = nornir_of("a", "b", runner=DeadlineRunner())
        assert nornir.run(failing).failed
        results = nornir.run(lambda task: "done", name="again")
        assert {name: result[0].result for name, result in results.items()} == {"a": "done", "b": "done"}

    def test_nor_from_the_runs_of_other_threads_on_the_same_inventory(self) -> None:
        nornir = nornir_of("a", "b", runner=DeadlineRunner())
        threads = [threading.Thread(target=nornir.filter(name=name).run, args=(failing,)) for name in ("a", "b") for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not nornir.run(lambda task: "done", name="again").failed

    def test_who_failed_under_another_runner_is_told_and_runs_the_next_time(self) -> None:
        nornir = nornir_of("a", "b", runner=DeadlineRunner())
        nornir.with_runner(ThreadedRunner()).filter(name="a").run(failing)
        results = nornir.run(lambda task: "done", name="again")
        assert isinstance(results["a"][0].exception, NotAttempted)
        assert results["b"][0].result == "done"
        assert nornir.run(lambda task: "done", name="again")["a"][0].result == "done"

    def test_hosts_that_were_filtered_out_have_no_result(self) -> None:
        nornir = nornir_of("a", "b", runner=DeadlineRunner())
        assert list(nornir.filter(name="b").run(lambda task: "done", name="some")) == ["b"]


def test_even_an_exit_within_a_task_is_a_result() -> None:
    def leave(task: Task) -> None:
        raise SystemExit(3)

    results = nornir_of("a", runner=DeadlineRunner()).run(leave)
    assert isinstance(results["a"][0].exception, SystemExit)


def test_many_hosts_share_few_workers() -> None:
    most, now, guard = 0, 0, threading.Lock()

    def work(task: Task) -> None:
        nonlocal most, now
        with guard:
            now += 1
            most = max(most, now)
        time.sleep(0.001)  # so that they overlap if they can
        with guard:
            now -= 1

    names = [f"host-{number}" for number in range(200)]
    results = nornir_of(*names, runner=DeadlineRunner(num_workers=8)).run(work)
    assert list(results) == names
    assert not results.failed
    assert most <= 8


def test_it_is_registered_with_nornir() -> None:
    RunnersPluginRegister.auto_register()
    assert RunnersPluginRegister.get_plugin("deadline") is DeadlineRunner
