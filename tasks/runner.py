"""Nornir runner plugin `deadline`: every host has its own deadline, and every host has a result.

Three traps of Nornir 3.6 that this runner is for:

* Its ThreadedRunner waits for all hosts: one that hangs holds up the result of the others for good.
* A host that failed once is left out of every later run, and is absent from the results (`GlobalState.failed_hosts`).
* Its thread pool is joined when the interpreter ends: a hung host keeps the process alive.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from nornir.core.inventory import Host
from nornir.core.task import AggregatedResult, MultiResult, Result, Task

from engine.errors import TargetTimeout
from tasks.apart import apart


class NotAttempted(Exception):
    """The task was not started on this host: nothing was sent to it."""


class NeverFailed(set[str]):
    """Takes the place of Nornir's `failed_hosts` and stays empty: a failure says nothing about the next order on the same host."""

    def update(self, *others: Any) -> None:
        """Forget them."""

    def add(self, element: str) -> None:
        """Forget it."""


class DeadlineRunner:
    """Run a task on all hosts side by side, at most `num_workers` at a time.

    A host has `deadline` seconds from its own start: after that its result is TargetTimeout, its connections are closed (which ends what
    the task waits for) and its place is given to the next. A host that cannot start within `deadline` seconds of the run's start, or that
    Nornir withheld because it had failed in an earlier run, gets a result whose exception is `NotAttempted`.
    """

    def __init__(self, num_workers: int = 20, deadline: float = 120.0) -> None:
        self.num_workers = num_workers
        self.deadline = deadline

    def run(self, task: Task, hosts: Sequence[Host]) -> AggregatedResult:
        """Run `task` and return a result for every host of the inventory that was not left out on purpose."""
        withheld = _withheld(task, hosts)
        results = _Run(self, task, hosts).results()
        for host in withheld:
            results[host.name] = _without_start(task, host, "it had failed in an earlier run")
        ordered = AggregatedResult(task.name)
        for name in task.nornir.inventory.hosts:
            if name in results:
                ordered[name] = results[name]
        return ordered


class _Run:
    """One run: which hosts wait, which run since when, what came out."""

    def __init__(self, runner: DeadlineRunner, task: Task, hosts: Sequence[Host]) -> None:
        self._task = task
        self._workers = runner.num_workers
        self._deadline = runner.deadline
        self._waiting = deque(hosts)
        self._running: dict[str, tuple[Host, float]] = {}
        self._done: queue.SimpleQueue[tuple[str, MultiResult]] = queue.SimpleQueue()
        self._results: dict[str, MultiResult] = {}
        self._last_start = time.monotonic() + runner.deadline

    def results(self) -> dict[str, MultiResult]:
        while self._waiting or self._running:
            self._start()
            with contextlib.suppress(queue.Empty):
                name, result = self._done.get(timeout=self._patience())
                if self._running.pop(name, None):  # else it is over time, and has its result
                    self._results[name] = result
            self._give_up_on_the_late()
        return self._results

    def _start(self) -> None:
        now = time.monotonic()
        while self._waiting and len(self._running) < self._workers and now < self._last_start:
            host = self._waiting.popleft()
            self._running[host.name] = (host, now + self._deadline)
            # daemon: the interpreter does not wait for what hangs
            threading.Thread(target=self._work, args=(host,), name=f"{self._task.name}@{host.name}", daemon=True).start()

    def _work(self, host: Host) -> None:
        apart()
        task = self._task.copy()
        result = task.results
        try:
            result = task.start(host)
        except BaseException as error:  # noqa: BLE001 - Nornir catches Exception; what passes must not leave the run waiting
            result.insert(0, Result(host, exception=error, failed=True))
        finally:
            self._done.put((host.name, result))

    def _patience(self) -> float:
        ends = [end for _, end in self._running.values()]
        if self._waiting:
            ends.append(self._last_start)
        return max(0.0, min(ends) - time.monotonic())

    def _give_up_on_the_late(self) -> None:
        now = time.monotonic()
        for name, (host, end) in list(self._running.items()):
            if now >= end:
                del self._running[name]
                self._results[name] = _over_time(self._task, host, self._deadline)
                threading.Thread(target=_cut_off, args=(host,), name=f"cut off {name}", daemon=True).start()
        if now >= self._last_start:
            while self._waiting:
                host = self._waiting.popleft()
                self._results[host.name] = _without_start(self._task, host, f"no worker was free within {self._deadline:g} s")


def _withheld(task: Task, hosts: Sequence[Host]) -> list[Host]:
    """Return the hosts that Nornir left out because they had failed, and see to it that this does not happen again.

    Nornir adds the failed hosts of this run after the runner is done, so forgetting them here would be too early.
    """
    state = task.nornir.data
    given = {host.name for host in hosts}
    left_out = [host for name, host in task.nornir.inventory.hosts.items() if name in state.failed_hosts and name not in given]
    if not isinstance(state.failed_hosts, NeverFailed):
        state.failed_hosts = NeverFailed()
    return left_out


def _result(task: Task, result: Result) -> MultiResult:
    results = MultiResult(task.name)
    results.append(result)
    return results


def _without_start(task: Task, host: Host, why: str) -> MultiResult:
    return _result(task, Result(host, result=f"not attempted: {why}", failed=True, exception=NotAttempted(f"{host.name}: {why}")))


def _over_time(task: Task, host: Host, deadline: float) -> MultiResult:
    error = TargetTimeout(f"{host.name} was not done within {deadline:g} s", target=host.name)
    return _result(task, Result(host, result=error.message, failed=True, exception=error))


def _cut_off(host: Host) -> None:
    with contextlib.suppress(Exception):  # the connection may break while it is closed; there is nobody to tell
        host.close_connections()
