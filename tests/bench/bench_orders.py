"""Orders end to end on the embedded lab: decomposed, reserved in NetBox, eight targets configured, shipped, called in, completed.

The lab's clock is so fast that shipping takes half a second; it is not part of what is measured as the network branch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.bench import Bench, Scale
from tests.bench.embedded import embedded
from tests.bench.figure import Figure, Goal, of_samples, p95

_AGAINST = "embedded lab, 64 ONUs a port, SQLite"
_DEVICES = ("OLT-EAST-07", "ASW-EAST-07", "BNG-EAST-01")
_SECONDS = 60.0


def _one(scale: Scale) -> Iterator[Figure]:
    """Alone: the next is ordered when all of the last is completed."""
    walls, cpu, lab = [], [], []
    with embedded() as program, program.working():
        for number in range(scale.of(20, 2) + 1):
            began, used, lab_used = time.perf_counter(), time.process_time(), program.lab_cpu()
            done = program.wait_for_network(program.submit(), _SECONDS)
            program.wait_for_all(_SECONDS)
            if number:  # the first one opens the sessions and reads what the devices hold
                walls.append(done - began)
                cpu.append((time.process_time() - used) * 1000)
                lab.append((program.lab_cpu() - lab_used) * 1000)
    yield of_samples("one order, network branch", walls, "s", _AGAINST)
    yield p95("one order, network branch", walls, "s", _AGAINST)
    yield of_samples("one order, CPU of our process", cpu, "ms", _AGAINST)
    yield of_samples("one order, CPU of the lab", lab, "ms", _AGAINST)


def _sequence(scale: Scale) -> Iterator[Figure]:
    """Each is ordered when the network branch of the last is completed; their routers are on the road meanwhile."""
    count = scale.of(50, 3)
    with embedded() as program, program.working():
        program.wait_for_network(program.submit(), _SECONDS)
        program.wait_for_all(_SECONDS)
        began, used, walls = time.perf_counter(), time.process_time(), []
        for _ in range(count):
            ordered = time.perf_counter()
            walls.append(program.wait_for_network(program.submit(), _SECONDS) - ordered)
        networks = time.perf_counter()
        ended = program.wait_for_all(_SECONDS)
        cpu = (time.process_time() - used) * 1000 / count
    what = f"{count} orders one after the other"
    yield _once(f"{what}, network branches", count / (networks - began), "orders/s")
    yield _once(f"{what}, to the end", count / (ended - began), "orders/s")
    yield of_samples(f"{what}, network branch of one", walls, "s", _AGAINST)
    yield _once(f"{what}, CPU of our process per order", cpu, "ms")


def _at_once(scale: Scale) -> Iterator[Figure]:
    """All are accepted before the first is begun, so that what meets on a device goes in one commit."""
    count = scale.of(100, 5)
    runs = [_together(count) for _ in range(scale.of(3, 1))]
    for name, unit in runs[0]:
        goal = Goal(">=", 5) if "one OLT" in name else None
        yield of_samples(f"{count} orders at once, {name}", [run[name, unit] for run in runs], unit, _AGAINST, goal)


def _together(count: int) -> dict[tuple[str, str], float]:
    """Figures of one run on a lab of its own, by name and unit."""
    with embedded() as program:
        with program.working():  # sessions, and what the devices hold
            program.wait_for_network(program.submit(), _SECONDS)
            program.wait_for_all(_SECONDS)
        for _ in range(count):
            program.submit()
        before = {device: program.commits(device) for device in _DEVICES}
        began, used, lab_used = time.perf_counter(), time.process_time(), program.lab_cpu()
        with program.working():
            networks = program.wait_for_networks(count + 1, 2 * _SECONDS)
            ended = program.wait_for_all(2 * _SECONDS)
        cpu, lab = ((used_now - then) * 1000 / count for used_now, then in ((time.process_time(), used), (program.lab_cpu(), lab_used)))
        commits = {(f"commits on {device}", "commits"): program.commits(device) - before[device] for device in _DEVICES}
    return {
        ("network branches (one OLT)", "orders/s"): count / (networks - began),
        ("to the end", "orders/s"): count / (ended - began),
        ("CPU of our process per order", "ms"): cpu,
        ("CPU of the lab per order", "ms"): lab,
        **commits,
    }


def _once(name: str, value: float, unit: str) -> Figure:
    return Figure(name, value, unit, 1, value, value, _AGAINST, None)


BENCHES = (Bench("one order", _one), Bench("orders in sequence", _sequence), Bench("orders at once", _at_once))
