"""A storm over the null world: hundreds of stories a minute, in one thread, with time that passes when it is told to."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa

from engine.batch import WorkerSettings
from engine.capacity import CapacityWatch
from engine.errors import InventoryUnreachable, TargetUnreachable
from engine.ports import Answer, Look, Mark, Outcome, Push, Question, Trouble
from engine.store import lanes, schema
from engine.worker import Worker
from tests.chaos.findings import Finding
from tests.chaos.lines import Line
from tests.chaos.observed import Observed, Row, tables_of
from tests.null_world import NullInventory, NullTargets, null_world, refused
from tests.storms.story import TARGETS, UNTIL_STILL

_NETBOX = ("dcim/devices", "dcim/interfaces", "ipam/vlans", "ipam/ip-addresses", "ipam/prefixes")


_SETTINGS = WorkerSettings(pause=0.2, poll_at_most=1.0)


class AskedTargets(NullTargets):
    """Targets that can be away when they are asked something, too."""

    away: frozenset[str] = frozenset()

    def ask(self, questions: Sequence[Question]) -> Mapping[int, Answer]:
        """As its base, of those that are there."""
        silent = {q.step: _no_answer(q) for q in questions if q.target in self.away}
        return {**super().ask([q for q in questions if q.target not in self.away]), **silent}


def _no_answer(question: Question) -> Answer:
    return Answer(Look.NOT_YET, trouble=Trouble.of(TargetUnreachable("no answer", target=question.target)))


class QuickWorld:
    """The null world as stories are played on it."""

    def __init__(self, folder: Path) -> None:
        """In this folder, whose database has its tables."""
        self._targets = AskedTargets()
        self._made = made = null_world(f"sqlite:///{folder}/turnup.db", folder / "secret.key", _SETTINGS, targets=self._targets)
        self.at, self.catalogue = made.at, made.catalogue
        self._worker = Worker(made.at)
        self._watch = CapacityWatch(made.at, lambda _: None, threading.Event())
        self._refuse: set[str] = set()
        self._away: set[str] = set()
        self._targets.fail = self._push
        made.inventory.trouble = self._inventory

    def close(self) -> None:
        """It is over."""
        self.at.store.database.close()

    # -- what goes wrong -----------------------------------------------------------------------------------------------
    def fail(self, target: str, how: str) -> None:
        """A target refuses or is away; NetBox has nothing left of a kind, or is away."""
        if how == "late":
            self._targets.done = lambda question: question.until != "delivered"
        elif how in ("refuse", "away"):
            (self._refuse if how == "refuse" else self._away).add(target)
        else:
            self._made.inventory.left[how] = 0
        self._targets.away = frozenset(self._away)

    def heal(self) -> None:
        """Everything works again, and all pools have something."""
        self._refuse.clear()
        self._away.clear()
        self._targets.done = lambda _: True
        self._targets.away = frozenset()
        for kind in self._made.inventory.left:
            self._made.inventory.add(kind, 1000)

    def _push(self, push: Push) -> Outcome | None:
        if push.target in self._away:
            return refused("no answer", may_retry=True)
        return refused("no") if push.target in self._refuse else None

    def _inventory(self) -> None:
        if "netbox" in self._away:
            raise InventoryUnreachable("no answer")

    # -- time ----------------------------------------------------------------------------------------------------------
    def work(self, rounds: int) -> None:
        """A round works one lane. Until nothing moves any more: time passes, too, as long as something comes of it."""
        seen: set[object] = set()
        for _ in range(rounds):
            self._watch.look()
            lane = self._lane()
            if lane is not None:
                self._worker.drain(lane)
            elif rounds < UNTIL_STILL or (now := self._standing()) in seen or not self._skip():
                return
            else:
                seen.add(now)

    def _lane(self) -> str | None:
        now = self.at.clock.real()
        return min(self.at.store.database.look(lambda tx: lanes.with_work(tx, now)), default=None)

    def _skip(self) -> bool:
        """Until the next step is due."""
        steps = schema.steps
        wanted = sa.select(sa.func.min(steps.c.due)).where(steps.c.state.in_(("ready", "waiting")))
        due = self.at.store.database.look(lambda tx: tx.execute(wanted).scalar())
        if due is None:
            return False
        self._made.clock.skipped += max(due - self.at.clock.real(), 0.0) + 0.5
        return True

    def _standing(self) -> object:
        """The same when nothing has come of the time that has passed."""
        steps = schema.steps
        wanted = sa.select(steps.c.id, steps.c.state, steps.c.failures).where(steps.c.state.not_in(("done", "cancelled")))
        return frozenset(self.at.store.database.look(lambda tx: tx.execute(wanted).all()))

    # -- looking -------------------------------------------------------------------------------------------------------
    def observe(self) -> Observed:
        """Everything that there is."""
        tables, texts = tables_of(self.at.store.database, self.at.store.vault)
        inventory, held = self._made.inventory, self._targets.lines
        rows = [_object(number, mark, inventory) for number, mark in enumerate(inventory.given, start=1)]
        netbox: dict[str, list[Row]] = {**{path: [] for path in _NETBOX}, "given": rows}
        devices = {name: Counter((line, "") for line in held.get(name, ())) for name in TARGETS}
        applied = {name: frozenset((line, "") for text in texts[name].values() for line in text.splitlines()) for name in TARGETS}
        return Observed(tables, netbox, devices, applied, {}, {}, {name: frozenset(found) for name, found in texts.items()})

    def check(self, _lines: Mapping[str, Line | None], _seen: Observed) -> Iterable[Finding]:
        """Nothing else."""
        return ()


def _object(number: int, mark: Mark, inventory: NullInventory) -> Row:
    state = "quarantine" if mark in inventory.quarantine else "active" if mark in inventory.active else "reserved"
    return {"id": number, "display": mark.name, "custom_fields": {"order_item": "/".join(mark), "alloc_state": state}}
