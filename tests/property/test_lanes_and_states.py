"""Whatever is ordered, refused, killed, frozen and set back: no step is done twice, nothing is lost, states follow from what happened.

Random catalogues and orders are worked by several workers, which stop at any failpoint to die there or to go on later, on lanes whose
targets refuse or do not answer. A small model (tests/property/lanes/story.py) says what must be so.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from engine import failpoints, tree
from engine.acceptance import Acceptance
from engine.catalogue.catalogue import Catalogue
from engine.failpoints import Failpoint
from engine.requests import Address, Customer, OrderRequest
from engine.store import lanes, schema
from engine.store.database import Database
from engine.store.migrate import migrate
from engine.store.store import Unit
from tests.property.lanes.catalogues import OFFERING, TARGETS, catalogues
from tests.property.lanes.outside import Clock, Facts, Fate, PlayedInventory, PlayedTargets, ordered, service_of
from tests.property.lanes.story import Tables, reservations, wrong_at_any_time, wrong_at_the_end
from tests.property.lanes.workers import LEASE, ManualHeart, Process

WORKERS = 3
_ANYWHERE = (Failpoint.CLAIMED, Failpoint.SETTLED)
_TARGET = (Failpoint.ADOPTED, Failpoint.WRITTEN_AHEAD, Failpoint.LOCKED, Failpoint.COMMITTED, Failpoint.PUSHED)
POINTS = {
    "orders": (*_ANYWHERE, Failpoint.DECOMPOSED),
    "netbox": (*_ANYWHERE, Failpoint.RESERVING, Failpoint.RESERVED, Failpoint.ACTIVATED),
    **dict.fromkeys(TARGETS, (*_ANYWHERE, *_TARGET, Failpoint.RESOLVED, Failpoint.ASKED)),
}
"""Where a worker can be stopped to go on later, by what it works. (`settling` is within a transaction: there it can only die.)"""
_TO_END = 100


class Lanes(RuleBasedStateMachine):
    url: str
    key: Path
    playing: Clock

    @initialize(catalogue=catalogues(), data=st.data(), orders=st.integers(1, 3))
    def start(self, catalogue: Catalogue, data: st.DataObject, orders: int) -> None:
        self.catalogue, self.clock = catalogue, Clock()
        Lanes.playing = self.clock
        self.facts = Facts(catalogue, fence=self._fences)
        self.inventory = PlayedInventory(self.facts)
        self.targets = PlayedTargets(self.facts, self.inventory)
        self.front = self._process()
        wipe(self.front.database)
        self.processes = [self._process() for _ in range(WORKERS)]
        self.acceptance = Acceptance(self.front.at, catalogue)
        self.requests: list[OrderRequest] = []
        self.fences: dict[str, int] = {}
        self.done: dict[int, int] = {}
        failpoints.watch(self._reached)
        for _ in range(orders):
            self.submit(data, 4)
        if data.draw(st.booleans()):  # most happens later
            for lane in ("orders", "orders", "netbox/A", "netbox/B"):
                self.processes[0].drain(lane)

    # -- orders --------------------------------------------------------------------------------------------------------
    @precondition(lambda self: len(self.requests) < 5)
    @rule(data=st.data(), priority=st.integers(0, 4))
    def submit(self, data: st.DataObject, priority: int) -> None:
        number = len(self.requests) + 1
        self._decide(number, data)
        request = OrderRequest(
            external_id=f"X-{number}",
            offering=OFFERING,
            customer=Customer(id=f"CUST-{number}"),
            address=Address(exchange=data.draw(st.sampled_from(("A", "B")))),
            priority=priority,
        )
        assert not self.acceptance.submit(request).repeated
        self.requests.append(request)

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def submit_again(self, data: st.DataObject) -> None:
        assert self.acceptance.submit(data.draw(st.sampled_from(self.requests))).repeated

    def _decide(self, number: int, data: st.DataObject) -> None:
        """What the steps of an order will meet: mostly nothing."""
        fates = st.sampled_from([Fate.OK] * 5 + [Fate.LOCKED, Fate.TEMPLATE, Fate.REFUSED, Fate.CHECK])
        for resource in self.catalogue.resources.values():
            if not ordered(self.catalogue, resource.id):
                continue
            who = service_of(self.catalogue, f"SI-{number}", resource.id)
            for configuration in resource.configure:
                fate = data.draw(fates)
                self.facts.fates[configuration.target, who] = fate
                self.facts.locks[configuration.target, who] = 2 if fate is Fate.LOCKED else 0
            for name in resource.reserve:
                self.facts.fates[name, who.partition("/")[0]] = data.draw(st.sampled_from([Fate.OK, Fate.OK, Fate.SHORT]))

    # -- workers -------------------------------------------------------------------------------------------------------
    @precondition(lambda self: self._idle() and self._work())
    @rule(data=st.data())
    def work_everything(self, data: st.DataObject) -> None:
        process = self._chosen(data)
        for lane in self._work():
            process.drain(lane)

    @precondition(lambda self: self._idle() and self._work())
    @rule(data=st.data())
    def work_one(self, data: st.DataObject) -> None:
        self._chosen(data).drain(self._lane(data))

    @precondition(lambda self: self._idle() and self._work())
    @rule(data=st.data(), times=st.integers(1, 2))
    def stop_in_the_middle(self, data: st.DataObject, times: int) -> None:
        lane = self._lane(data)
        self._chosen(data).drain(lane, data.draw(st.sampled_from(POINTS[lane.partition("/")[0]])), times)

    @precondition(lambda self: self._idle() and self._work())
    @rule(data=st.data(), times=st.integers(1, 2))
    def die(self, data: st.DataObject, times: int) -> None:
        process, lane = self._chosen(data), self._lane(data)
        process.drain(lane, data.draw(st.sampled_from((*POINTS[lane.partition("/")[0]], Failpoint.SETTLING))), times)
        if process.stopped_at is not None:
            self._replace(process)

    @precondition(lambda self: self._stopped())
    @rule(data=st.data())
    def die_where_it_stopped(self, data: st.DataObject) -> None:
        self._replace(data.draw(st.sampled_from(self._stopped())))

    @precondition(lambda self: len(self._idle()) > 1 and self._work())
    @rule(data=st.data())
    def freeze_while_another_takes_over(self, data: st.DataObject) -> None:
        frozen, lane = self._chosen(data), self._lane(data)
        frozen.drain(lane, data.draw(st.sampled_from(POINTS[lane.partition("/")[0]])))
        if frozen.stopped_at is not None:
            self.clock.elapsed += LEASE + 1
            self._chosen(data).drain(next(iter(self._held_by(frozen)), lane))
            self._wake_up(frozen)

    @precondition(lambda self: self._stopped())
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        self._wake_up(data.draw(st.sampled_from(self._stopped())))

    def _wake_up(self, process: Process) -> None:
        """What it says is recorded, unless somebody else has taken the lane: then nothing is, and nothing is sent."""
        before, pushed = self._tables(), {target: set(held) for target, held in self.targets.lines.items()}
        late = not self._held_by(process)
        process.go_on()
        if late:
            assert self._tables() == before
            assert self.targets.lines == pushed

    def _held_by(self, process: Process) -> list[str]:
        """The lanes that a process holds: it goes from one to another that it woke."""
        return [row["name"] for row in self._tables().lanes if (row["owner"] or "").startswith(process.worker._name)]

    @precondition(lambda self: self._stopped())
    @rule()
    def be_slow(self) -> None:
        """Those that stopped live, and keep their lanes."""
        for process in self._stopped():
            process.heart.beat()

    # -- the world -----------------------------------------------------------------------------------------------------
    @rule(seconds=st.sampled_from((1.0, 5.0, 20.0, LEASE + 1)))
    def time_passes(self, seconds: float) -> None:
        self.clock.elapsed += seconds

    @precondition(lambda self: self.clock.offset > -3600)
    @rule(seconds=st.sampled_from((2.0, 3600.0)))
    def the_clock_is_set_back(self, seconds: float) -> None:
        """And the sweep of any worker sees it."""
        self.clock.offset -= seconds
        self.front.database.change(lambda tx: lanes.clock_set_back(tx, self.clock.real()))

    @precondition(lambda self: not self.facts.down)
    @rule(name=st.sampled_from((*TARGETS, "netbox")))
    def does_not_answer(self, name: str) -> None:
        self.facts.down.add(name)

    @precondition(lambda self: self.facts.down)
    @rule()
    def answers_again(self) -> None:
        self.facts.down.clear()

    @precondition(lambda self: not self.facts.arrived)
    @rule()
    def events_arrive(self) -> None:
        self.facts.arrived = True
        waited = {step["awaits"] for step in self._tables().steps if step["awaits"]}
        self.front.database.change(lambda tx: lanes.wake(tx, waited, self.clock.real()))

    @precondition(lambda self: self._held())
    @rule(data=st.data())
    def somebody_answers(self, data: st.DataObject) -> None:
        """What held a step is no more, and it is taken up again."""
        row = data.draw(st.sampled_from(self._held()))
        self._forgive(row)

        def resume(unit: Unit) -> None:
            found = unit.trees([row["root"]])[row["root"]]
            assert found.resume(found.steps[row["key"]], self.clock.now(), self.clock.real(), "somebody says so")
            found.roll(self.clock.now())

        self.front.at.store.change(resume)

    def _forgive(self, row: Any) -> None:
        tables = self._tables().of(row["root"])
        item = next(item for item in tables.items if (item["order"], item["id"]) == (row["order"], row["item"]))
        service = next(item["instance"] for item in tables.items if item["level"] == "service")
        if row["kind"] == "reserve":
            self.facts.fates.update(dict.fromkeys(reservations(self.catalogue, service), Fate.OK))
        else:
            self.facts.fates[row["target"], service_of(self.catalogue, service, item["specification"])] = Fate.OK

    # -- what must be so -----------------------------------------------------------------------------------------------
    @invariant()
    def nothing_is_wrong(self) -> None:
        tables = self._tables()
        none([*self.facts.wrong, *wrong_at_any_time(tables)])
        for lane in tables.lanes:
            assert lane["fence"] >= self.fences.get(lane["name"], 0)
            self.fences[lane["name"]] = lane["fence"]
        attempts = {step["id"]: step["attempt"] for step in tables.steps if step["state"] == "done"}
        assert {number: attempts.get(number) for number in self.done} == self.done  # done once, and for ever
        self.done = attempts

    def teardown(self) -> None:
        if not hasattr(self, "processes"):
            return
        try:
            self._come_to_an_end()
            tables = self._tables()
            none([*self.facts.wrong, *wrong_at_any_time(tables), *wrong_at_the_end(tables, self.facts, self.inventory.marks())])
            assert {row["external_id"] for row in tables.orders if row["external_id"]} == {r.external_id for r in self.requests}
        finally:
            failpoints.watch(None)
            for process in [*self.processes, self.front]:
                process.die()

    def _come_to_an_end(self) -> None:
        """All is well again; who was frozen goes on or is dead."""
        self.facts.down.clear()
        self.facts.arrived = True
        for number, process in enumerate(self._stopped()):
            if number % 2:
                self._replace(process)
            else:
                process.go_on()
        for _ in range(_TO_END):
            self.clock.elapsed += LEASE + 1
            for lane in self._work():
                self.processes[0].drain(lane)
            tables = self._tables()
            moving = [step for step in tables.steps if step["state"] in ("ready", "running", "waiting")]
            if not moving:
                return
        none([f"goes on for ever: {step}" for step in moving] + [str(lane) for lane in tables.lanes])

    # -- helpers -------------------------------------------------------------------------------------------------------
    def _process(self) -> Process:
        return Process(self.url, self.key, self.clock, self.inventory, self.targets)

    def _replace(self, process: Process) -> None:
        process.die()
        self.processes[self.processes.index(process)] = self._process()

    def _idle(self) -> list[Process]:
        return [process for process in self.processes if process.stopped_at is None]

    def _stopped(self) -> list[Process]:
        return [process for process in self.processes if process.stopped_at is not None]

    def _chosen(self, data: st.DataObject) -> Process:
        return data.draw(st.sampled_from(self._idle()))

    def _work(self) -> list[str]:
        return sorted(self.front.database.look(lambda tx: lanes.with_work(tx, self.clock.real())))

    def _lane(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(self._work()))

    def _held(self) -> list[Any]:
        return [step for step in self._tables().steps if step["state"] == "held"]

    def _tables(self) -> Tables:
        return Tables.read(self.front.database)

    def _fences(self, lane: str) -> tuple[int, int]:
        worker = next(process for process in self.processes if process.works_here())
        current = next(row["fence"] for row in self._tables().lanes if row["name"] == lane)
        return worker.fence, current

    def _reached(self, point: Failpoint) -> None:
        for process in self.processes:
            if process.works_here():
                process.reached(point)


def none(wrong: list[str]) -> None:
    """Raise AssertionError if anything is wrong."""
    assert not wrong, "\n".join(wrong)


def wipe(database: Database) -> None:
    """Empty all tables."""
    with database.write() as tx:
        for table in schema.metadata.sorted_tables:
            tx.execute(table.delete())


def play(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *, examples: int, steps: int) -> None:
    database = Database(url)
    migrate(database)
    database.close()
    monkeypatch.setattr("engine.worker.Heartbeat", ManualHeart)
    monkeypatch.setattr(tree, "POISONOUS", 10_000)  # they die often here, and it is not the step's fault
    monkeypatch.setattr("engine.batch.time", SimpleNamespace(monotonic=lambda: Lanes.playing.monotonic()))
    Lanes.url, Lanes.key = url, folder / "secret.key"

    run_state_machine_as_test(
        Lanes,
        settings=settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=list(HealthCheck), print_blob=False),
    )


def test_on_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(f"sqlite:///{tmp_path}/turnup.db", tmp_path, monkeypatch, examples=20, steps=30)


def test_on_postgresql(postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(postgresql_url, tmp_path, monkeypatch, examples=6, steps=25)
