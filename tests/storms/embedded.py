"""A storm over the embedded lab: real sockets, real devices' manners, workers in threads. One lab for many stories."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.batch import Workplace
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.loader import load
from engine.store.schema import steps
from lab import control
from tests.chaos.findings import Finding
from tests.chaos.lines import Line
from tests.chaos.network import check_network
from tests.chaos.observed import Observed, observe, tables_of
from tests.chaos.world import World, world
from tests.null_world import ROOT
from tests.storms.storm import Storm
from tests.storms.story import UNTIL_STILL
from turnup.settings import QuarantineSettings
from turnup.wiring import Wiring
from turnup.working import Working

_STILL = 60.0
_LATE = 100.0
"""Hours until a parcel is delivered that is late: not so late that somebody is asked about it."""
_LOCKED = 3.0
"""Seconds that a database is locked: longer than it is waited for."""
_PAUSE = 0.2
"""No target that did not answer is left alone for long."""
_A_ROUND = 4
"""So many steps are settled in a round."""
_REFUSALS: Mapping[str, dict[str, Any]] = {
    "OLT-EAST-07": {"on": "edit-config", "error": {"error-message": "no"}},
    "ASW-EAST-07": {"on": "edit-config", "error": {"error-message": "no"}},
    "BNG-EAST-01": {"on": "load-configuration", "error": {"error-message": "no"}},
    "DHCP-EAST-01": {"on": "reservation-*"},
    "RADIUS-EAST-01": {"on": "*"},
    "ACS-01": {"on": "*", "status": 400},
    "cloudwifi": {"on": "*", "status": 400},
    "logistics": {"on": "POST *", "status": 400},
}
"""How each refuses what is asked of it."""
_NO_ROOM = {
    "vlan": "POST */available-vlans/",
    "ipv4": "POST */available-ips/",
    "olt-port": "POST */available-prefixes/",
    "stock": "POST */available-prefixes/",
}
"""Where NetBox says that nothing is left. Ports and routers run out only by being taken: instead of them, prefixes do."""


@dataclass
class LabWorld:
    """The embedded lab as stories are played on it."""

    chaos: World
    wiring: Wiring
    working: Working

    @property
    def at(self) -> Workplace:
        """All that carrying out a step needs."""
        return self.wiring.workplace

    @cached_property
    def catalogue(self) -> Catalogue:
        """The project's own, retrying after milliseconds."""
        found = load(ROOT / "catalog", ROOT / "templates")
        rules = tuple(rule.model_copy(update={"backoff": 0.05, "backoff_max": 0.1}) for rule in found.failure_policy)
        return replace(found, failure_policy=rules)

    # -- what goes wrong -----------------------------------------------------------------------------------------------
    def fail(self, target: str, how: str) -> None:
        """A target refuses or is away; NetBox has nothing left of a kind, or is away."""
        remote = self.chaos.remote(target)
        if how == "late":
            remote.post("/hours", {"hoursUntilDelivered": _LATE})
        elif how == "refuse":
            remote.fail(do="refuse", times=None, **_REFUSALS[target])
        elif how == "away" and target == "RADIUS-EAST-01":
            remote.fail("*", "slow", seconds=_LOCKED)  # a database has no connections to drop
        elif how == "away":
            remote.fail("*", "drop", times=None)
        else:
            remote.fail(_NO_ROOM[how], "exhaust", times=None)

    def heal(self) -> None:
        """Everything works again."""
        self.chaos.heal()
        self.chaos.remote("logistics").post("/hours", {"hoursUntilDelivered": 36})

    def kill(self, target: str) -> None:
        """End a stand-in as `kill -9` does."""
        self.chaos.remote(target).kill()

    def revive(self) -> None:
        """Start what was killed again."""
        control.up(self.chaos.settings.lab_folder)

    # -- time ----------------------------------------------------------------------------------------------------------
    def work(self, rounds: int) -> None:
        """Until so much was done, or nothing moves any more."""
        enough = self.working.settled + rounds * _A_ROUND
        self.until(lambda: not self._moving() or (rounds < UNTIL_STILL and self.working.settled >= enough))

    def until(self, seen: Callable[[], bool]) -> None:
        """Until something is seen. Raises TimeoutError saying what still moves."""
        deadline = time.monotonic() + _STILL
        while not seen():
            if time.monotonic() > deadline:
                raise TimeoutError(f"in vain for {_STILL} s; what moves: {self._moving()[:5]}")
            time.sleep(0.02)

    def _moving(self) -> list[Any]:
        """The steps that something will become of: not those of orders whose turn has yet to come, and nobody has told so."""
        turn = sa.and_(steps.c.state == "waiting", steps.c.awaits.like("turn:%"), steps.c.due > self.at.clock.real() + 1)
        wanted = sa.select(steps.c.root, steps.c.key, steps.c.state, steps.c.evidence)
        return self._look(wanted.where(steps.c.state.in_(("ready", "running", "waiting")), ~turn))

    def _look(self, statement: Any) -> list[Any]:
        return list(self.at.store.database.look(lambda tx: tx.execute(statement).all()))

    # -- looking -------------------------------------------------------------------------------------------------------
    @cached_property
    def _day_0(self) -> Observed:
        return self.observe()

    def before(self) -> Observed:
        """What was there before a story: devices and NetBox as on day 0, to which the stories before it must have come back."""
        tables, _ = tables_of(self.at.store.database, self.at.store.vault)
        return replace(self._day_0, tables=tables)

    def observe(self) -> Observed:
        """Everything that there is."""
        return observe(self.chaos)

    def check(self, lines: Mapping[str, Line | None], seen: Observed) -> Iterable[Finding]:
        """What the network does for each line."""
        return check_network(lines, seen)


@contextmanager
def lab_world(folder: Path, *, quarantine: float = 0.0) -> Iterator[LabWorld]:
    """A lab of its own, worked in this process. `quarantine`: so many seconds nobody gets what was given back."""
    environment = dict(os.environ)
    try:
        with world(folder, orders=60) as chaos:
            kept = QuarantineSettings(**dict.fromkeys(QuarantineSettings.model_fields, quarantine))
            worker = chaos.settings.worker.model_copy(update={"pause": _PAUSE})
            wiring = Wiring(chaos.settings.model_copy(update={"quarantine": kept, "worker": worker}))
            try:
                with Working(wiring) as working:
                    working.begin()
                    yield LabWorld(chaos, wiring, working)
            finally:
                wiring.close()
    finally:
        os.environ.clear()
        os.environ.update(environment)


@dataclass
class Labs:
    """The lab that stories are played on, one after the other; another one after a story after which anything was wrong."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=count)
    _opened: ExitStack = field(default_factory=ExitStack)
    _now: LabWorld | None = None

    @contextmanager
    def storm(self) -> Iterator[tuple[LabWorld, Storm]]:
        """A new story. It has to end as `Storm.end` says."""
        number = next(self._numbers)
        if self._now is None:
            self._now = self._opened.enter_context(lab_world(self.folder / str(number)))
        try:
            yield self._now, Storm(self._now, self._now.before(), number)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """This lab is over."""
        self._opened.close()
        self._now = None
