"""Many orders on one OLT: with shared commits, with one transaction an order, and in the field's usual way.

The order layer, its database and the OLT are real; all other targets and the inventory answer at once, so that the OLT's part is seen.
The usual way is a Nornir task an order on the threaded runner: lock, edit, validate, commit confirmed, confirm, unlock. It stores nothing,
checks nothing on the device and forgets an order when its process ends.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from nornir.core import Nornir
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory
from nornir.core.task import Result, Task
from nornir.plugins.runners import ThreadedRunner

from engine.acceptance import Acceptance
from engine.batch import WorkerSettings, Workplace
from engine.executor import LocalExecutor
from engine.ports import Allocation, Fragment, Need, Outcome, Push, Question, Shortage, Targets, Wanted
from engine.states import Level, OrderState
from engine.store.schema import orders
from tasks.change import for_platform
from tasks.connections.netconf import netconf_of
from tasks.kinds import for_platform as kind_of
from tasks.netconf.session import NetconfSession
from tasks.render import render
from tasks.runner import DeadlineRunner
from tasks.targets import NornirTargets
from tasks.transaction import Deadline
from tests.bench.bench import Bench, Scale, wait_until
from tests.bench.bench_rpc import six, six_stock, stock
from tests.bench.devices import OLT, TEMPLATES, olt
from tests.bench.figure import Figure, Goal, of_samples
from tests.bench.line import line
from tests.null_world import NullInventory, NullTargets, null_world, superfibre

_OWN = ("gpon-bearer", "vlan-service", "qos-profile")
_SHARED = ("traffic-descriptor", "qos-policy")
_SLOT, _FIRST_VLAN = 3, 2000
"""Where new lines go: the ones that are present begin on line card 1, with VLANs of their own."""


def _one_olt(scale: Scale) -> Iterator[Figure]:
    for present in scale.of((10, 100), (2,)):
        rates = {}
        for size, how, count in ((50, "shared commits", 20), (1, "one transaction an order", 10)):
            runs = [_engine(present, size, scale.of(count, 3)) for _ in range(scale.of(3, 1))]
            against = f"order layer and lab OLT, batch size {size}, SQLite; all others null"
            name = f"{how}, {present} ONTs present"
            rates[size] = [rate for rate, _ in runs]
            yield of_samples(f"{name}, one OLT", rates[size], "orders/s", against, Goal(">=", 5) if size > 1 else None)
            yield of_samples(f"{name}, time on the OLT", [busy for _, busy in runs], "ms an order", against)
        yield from _usual(present, scale)


# -- turnup ------------------------------------------------------------------------------------------------------------
def _engine(present: int, size: int, count: int) -> tuple[float, float]:
    """Orders per second from the first step to the last of all, and the milliseconds an order that the OLT was pushed to."""
    with olt(onts=present) as (_, device), tempfile.TemporaryDirectory() as folder:
        settings = WorkerSettings(batch_targets=size, sweep=0.05, threads=4)
        world = null_world(f"sqlite:///{folder}/turnup.db", Path(folder) / "secret.key", settings)
        targets = _OneReal(device)
        at = replace(world.at, inventory=_Lines(), targets=targets)
        try:
            acceptance, numbers = Acceptance(at, world.catalogue), itertools.count(1)
            _carry_out(at, acceptance, numbers, 1)  # opens the session, reads what is there, creates what all share
            targets.busy = 0.0
            took = _carry_out(at, acceptance, numbers, count)
        finally:
            world.at.store.database.close()
    return count / took, targets.busy * 1000 / count


def _carry_out(at: Workplace, acceptance: Acceptance, numbers: Iterator[int], count: int) -> float:
    """Seconds for so many orders that were accepted before."""
    for number in itertools.islice(numbers, count):
        acceptance.submit(superfibre(number))
    executor, began = LocalExecutor(at), time.perf_counter()
    executor.start()
    try:
        return wait_until(lambda: _open(at) == 0, 120, f"{count} orders on one OLT", look=0.02) - began
    finally:
        executor.stop()


def _open(at: Workplace) -> int:
    """How many orders are not completed."""
    wanted = sa.select(sa.func.count()).where(orders.c.level == Level.PRODUCT, orders.c.state != OrderState.COMPLETED)
    return int(at.store.database.look(lambda tx: tx.execute(wanted).scalar_one()))


class _OneReal:
    """`engine.ports.Targets` of which the OLT is real and the others are not."""

    def __init__(self, device: Host) -> None:
        self._real, self._null = NornirTargets(_nornir(device, DeadlineRunner())), NullTargets()
        self.busy = 0.0
        """Seconds within pushes to the OLT."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Every method of the port names its target first, or is given something that has one."""
        return lambda about, *others, **more: getattr(self._of(about), name)(about, *others, **more)

    def push(self, push: Push) -> Outcome:
        began = time.perf_counter()
        outcome = self._of(push).push(push)
        if push.target == OLT:
            self.busy += time.perf_counter() - began
        return outcome

    def _of(self, about: str | Push | Fragment | Wanted | Sequence[Question]) -> Targets:
        if not isinstance(about, str | Push | Fragment | Wanted):
            about = about[0].target
        return self._real if (about if isinstance(about, str) else about.target) == OLT else self._null


class _Lines(NullInventory):
    """Gives out places that the OLT has."""

    def _one(self, need: Need) -> Allocation | Shortage:
        given = super()._one(need)
        if isinstance(given, Shortage) or need.kind not in ("olt-port", "vlan"):
            return given
        number = given.objects[0].id
        more = _place(number) if need.kind == "olt-port" else {"vid": _FIRST_VLAN + number}
        self.given[need.mark] = replace(given, attributes={**given.attributes, **more})
        return self.given[need.mark]


def _place(number: int) -> dict[str, str | int]:
    port, onu = 1 + number // 64, 1 + number % 64
    slug = f"{_SLOT}.{port}"
    name = f"LC{_SLOT}/P{port}"
    return {"name": name, "slot": _SLOT, "port": port, "onu": onu, "slug": slug, "onu_slug": f"{slug}.{onu}"}


# -- the field's usual way ---------------------------------------------------------------------------------------------
def _usual(present: int, scale: Scale) -> Iterator[Figure]:
    runs, name = scale.of(3, 1), f"the usual way, {present} ONTs present, one OLT"
    rates = [_in_turn(present, scale.of(20, 3), _with_our_plugin) for _ in range(runs)]
    yield of_samples(f"{name}, our netconf plugin", rates, "orders/s", "lab OLT, Nornir's threaded runner, one transaction an order")
    rates = [_in_turn(present, scale.of(5, 2), _with_ncclient) for _ in range(scale.of(2, 1))]
    yield of_samples(f"{name}, stock ncclient", rates, "orders/s", "lab OLT, Nornir's threaded runner, one transaction an order")


Provision = Callable[[Task, str, str], Result]


def _in_turn(present: int, count: int, how: Callable[[Path], AbstractContextManager[Provision]]) -> float:
    """Orders per second, one run of the task after the other: they are all for the same device."""
    with olt(onts=present) as (lab, device), how(lab) as provision:
        nornir, others = _nornir(device, ThreadedRunner(num_workers=20)), _there(device)
        _run(nornir, provision, -1, (*_SHARED, *_OWN), others)
        others |= {node.path: frozenset({node.value}) for text in _rendered(_SHARED, 0) for node in for_platform("bbf-olt").nodes(text)}
        began = time.perf_counter()
        for number in range(count):
            _run(nornir, provision, number, _OWN, others)
        return count / (time.perf_counter() - began)


def _run(nornir: Nornir, provision: Provision, number: int, templates: Sequence[str], others: Mapping[str, frozenset[str]]) -> None:
    edit = for_platform("bbf-olt").change([], _rendered(templates, number + 1), others).forward
    result = nornir.run(task=provision, edit=edit, name_of_it=f"order {number}")
    result.raise_on_error()


def _rendered(templates: Sequence[str], number: int) -> list[str]:
    place = _place(number)
    new = line(slot=_SLOT, port=int(place["port"]), onu=int(place["onu"]), vid=_FIRST_VLAN + number, serial=3_000_000 + number)
    return [render("bbf-olt", template, new, TEMPLATES) for template in templates]


def _there(device: Host) -> dict[str, frozenset[str]]:
    """What the device holds at first: a template that states it too must not send it again."""
    return {node.path: frozenset({node.value}) for node in for_platform("bbf-olt").nodes(kind_of("bbf-olt").day_zero(device) or "")}


@contextmanager
def _with_our_plugin(_lab: Path) -> Iterator[Provision]:
    def provision(task: Task, edit: str, name_of_it: str) -> Result:
        with netconf_of(task.host).use() as manager:
            six(NetconfSession(manager, OLT, Deadline(600)), edit, name_of_it)
        return Result(host=task.host, changed=True)

    yield provision


@contextmanager
def _with_ncclient(lab: Path) -> Iterator[Provision]:
    with stock(lab) as session:

        def provision(task: Task, edit: str, name_of_it: str) -> Result:
            six_stock(session, edit, name_of_it)
            return Result(host=task.host, changed=True)

        yield provision


def _nornir(device: Host, runner: DeadlineRunner | ThreadedRunner) -> Nornir:
    return Nornir(inventory=Inventory(Hosts({device.name: device}), Groups(), Defaults()), runner=runner)


BENCHES = (Bench("one OLT", _one_olt),)
