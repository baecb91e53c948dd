"""The world outside as these tests play it: it knows what each step of an order shall meet, and notices what must never happen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from engine.catalogue.catalogue import Catalogue
from engine.errors import CheckFailed, InventoryUnreachable, LeaseLost, TargetLocked, TargetRefused, TargetUnreachable, TemplateFailed
from engine.failpoints import Failpoint, reached
from engine.ports import (
    Allocation,
    Answer,
    CheckResult,
    Fragment,
    Look,
    Mark,
    Need,
    Outcome,
    Push,
    Question,
    Shortage,
    TransactionState,
    Trouble,
    Wanted,
)
from tests.null_world import NullInventory, NullTargets

Who = str
"""`<service id>/<specification>`, or a service id alone: whose step it is."""


class Fate(StrEnum):
    """What a step meets. All but `OK` are as the failure policy says: tried again, held or failed."""

    OK = "ok"
    LOCKED = "locked"
    """Twice; then it is as if nothing had been."""
    TEMPLATE = "template"
    REFUSED = "refused"
    CHECK = "check"
    SHORT = "short"
    """What it reserves is exhausted."""


class Clock:
    """Time passes only when it is told to; the wall clock can be set back."""

    def __init__(self) -> None:
        self.elapsed, self.offset = 0.0, 0.0

    def now(self) -> datetime:
        """People's time is never set back."""
        return datetime(2024, 3, 11, 9, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    def real(self) -> float:
        """The machine's time."""
        return 1_700_000_000.0 + self.elapsed + self.offset

    def earliest(self, moment: datetime) -> float:
        """The two go alike."""
        return self.real() + (moment - self.now()).total_seconds()

    def monotonic(self) -> float:
        """As `time.monotonic`."""
        return self.elapsed


@dataclass
class Facts:
    """What is so outside, shared by targets and inventory."""

    catalogue: Catalogue
    fates: dict[tuple[str, Who], Fate] = field(default_factory=dict)
    """By target (or name of a reservation) and whose it is."""
    locks: dict[tuple[str, Who], int] = field(default_factory=dict)
    """How often a device is still locked for it."""
    down: set[str] = field(default_factory=set)
    """Targets, and `netbox`, that do not answer."""
    arrived: bool = False
    """Whether the events that are waited for have happened."""
    answered: set[tuple[str, Who]] = field(default_factory=set)
    """Waits that were answered with yes."""
    wrong: list[str] = field(default_factory=list)
    """What must never happen, and did."""
    fence: Callable[[str], tuple[int, int]] = lambda _: (0, 0)
    """Of a lane: that of whoever asks, and the one in the database."""

    def fate(self, where: str, who: Who) -> Fate:
        """What a step meets there."""
        return self.fates.get((where, who), Fate.OK)


class PlayedTargets(NullTargets):
    """Devices that refuse, are locked, fail a check or do not answer, as the facts say."""

    def __init__(self, facts: Facts, inventory: PlayedInventory) -> None:
        super().__init__()
        self.facts, self._inventory = facts, inventory

    def platform(self, target: str) -> str:
        """All are alike."""
        return "played"

    def render(self, wanted: Wanted, templates: Mapping[str, str]) -> Fragment:
        """A line of its own, and one that all share."""
        if self.facts.fate(wanted.target, wanted.key) is Fate.TEMPLATE:
            raise TemplateFailed(f"{wanted.template} for {wanted.key}")
        return super().render(wanted, templates)

    def day_zero(self, target: str) -> Fragment | None:
        """Nothing was there before us."""
        if target in self.facts.down:
            raise TargetUnreachable(f"{target} does not answer", target=target)

    def push(self, push: Push) -> Outcome:
        """One transaction; the lease is asked for right before it takes effect."""
        added, removed = json.loads(push.change.forward)
        failed = self._failed(push, [who for line in added if (who := _whose(line))])
        if failed is not None:
            return failed
        reached(Failpoint.LOCKED)
        if not push.holds():
            return Outcome(TransactionState.NOT_ATTEMPTED, Trouble.of(LeaseLost("the lease ends before a commit would be over")))
        self._notice(push.target, added, removed)
        self.lines.setdefault(push.target, set()).update(added)
        self.lines[push.target] -= set(removed)
        reached(Failpoint.COMMITTED)
        return Outcome(TransactionState.CONFIRMED)

    def resolve(self, push: Push) -> Outcome:
        """What became of a transaction."""
        if push.target in self.facts.down:
            return Outcome(TransactionState.NOT_ATTEMPTED, Trouble.of(TargetUnreachable("no answer", target=push.target)))
        return super().resolve(push)

    def ask(self, questions: Sequence[Question]) -> Mapping[int, Answer]:
        """Nothing has happened until the events arrive."""
        return {question.step: self._answer(question) for question in questions}

    def _answer(self, question: Question) -> Answer:
        facts, who = self.facts, question.arguments["who"]
        if question.target in facts.down:
            return Answer(Look.NOT_YET, trouble=Trouble.of(TargetUnreachable("no answer", target=question.target)))
        if not facts.arrived:
            return Answer(Look.NOT_YET, awaits=f"{question.until}:{who}")
        if question.until == "after":
            self._must_hold(who, "looked for after its configuration")
        facts.answered.add((question.until, who))
        return Answer(Look.DONE, "seen")

    def _failed(self, push: Push, whose: Sequence[Who]) -> Outcome | None:
        facts, target = self.facts, push.target
        if target in facts.down:
            return Outcome(TransactionState.NOT_ATTEMPTED, Trouble.of(TargetUnreachable("no answer", target=target)))
        locked = [who for who in whose if facts.locks.get((target, who), 0) > 0]
        if locked:
            facts.locks[target, locked[0]] -= 1
            return Outcome(TransactionState.NOT_ATTEMPTED, Trouble.of(TargetLocked("another session holds the lock", target=target)))
        if any(facts.fate(target, who) is Fate.REFUSED for who in whose):
            return Outcome(TransactionState.REFUSED, Trouble.of(TargetRefused("no", target=target)))
        checks = [
            CheckResult(check.step, check.name, facts.fate(target, check.arguments["who"]) is not Fate.CHECK, "looked at")
            for check in push.checks
        ]
        if not all(check.passed for check in checks):
            return Outcome(TransactionState.REVERSED, Trouble.of(CheckFailed("not so", target=target)), tuple(checks))
        return None

    # -- what must never happen ----------------------------------------------------------------------------------------
    def _notice(self, target: str, added: Sequence[str], removed: Sequence[str]) -> None:
        facts, held = self.facts, self.lines.get(target, set())
        asks, current = facts.fence(target)
        if asks != current:
            facts.wrong.append(f"{target} is changed by the owner with fence {asks}, the lane has {current}")
        facts.wrong += [f"{target} is given `{line}` twice" for line in added if line in held]
        facts.wrong += [f"`{line}` is taken from {target}, which has it not" for line in removed if line not in held]
        together = {who for line in added if (who := _whose(line))}
        for who in together:
            self._needed(who, target, together)

    def _needed(self, who: Who, target: str, together: Iterable[Who]) -> None:
        """What the catalogue says comes first was there before, or comes with it."""
        facts, (service, _, name) = self.facts, who.partition("/")
        found = facts.catalogue.resource(name)
        for other in found.depends_on:
            if not ordered(facts.catalogue, other):
                continue  # what an order does not have is not waited for
            self._must_hold(service_of(facts.catalogue, service, other), f"needed by {who} on {target}", target, together)
        if found.wait_before and ("before", who) not in facts.answered:
            facts.wrong.append(f"{who} is configured on {target} before what it waits for")
        reserved = {(allocation.service, mark.name) for mark, allocation in self._inventory.given.items()}
        facts.wrong += [f"{who} is configured without {own}" for own in found.reserve if (service, own) not in reserved]

    def _must_hold(self, who: Who, why: str, target: str = "", together: Iterable[Who] = ()) -> None:
        """A resource is wholly there: configured everywhere, or with this push, and its waits over."""
        found = self.facts.catalogue.resource(who.partition("/")[2])
        for configuration in found.configure:
            there = any(_whose(line) == who for line in self.lines.get(configuration.target, ()))
            if not there and not (configuration.target == target and who in together):
                self.facts.wrong.append(f"{who} is not on {configuration.target}, {why}")
        if found.wait and why.startswith("needed") and ("after", who) not in self.facts.answered:
            self.facts.wrong.append(f"{who} is still waited for, {why}")


class PlayedInventory(NullInventory):
    """Gives out numbers, unless there are none left for somebody or it does not answer."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(trouble=self._answers)
        self._facts = facts

    def _answers(self) -> None:
        if "netbox" in self._facts.down:
            raise InventoryUnreachable("no answer")

    def _one(self, need: Need) -> Allocation | Shortage:
        if need.mark not in self.given and self._facts.fate(need.mark.name, need.service) is Fate.SHORT:
            return Shortage(need.mark, True, f"{need.kind}:any", "nothing is left")
        return super()._one(need)

    def activate(self, allocations: Sequence[Allocation]) -> None:
        """In use."""
        self._answers()
        super().activate(allocations)

    def marks(self) -> set[Mark]:
        """What was given out."""
        return set(self.given)


def ordered(catalogue: Catalogue, name: str) -> bool:
    """Whether orders have this resource: some service needs it."""
    return any(rule.specification == name for service in catalogue.services.values() for rule in service.decompose)


def service_of(catalogue: Catalogue, service: str, name: str) -> Who:
    """Whose a resource of an order is, of which one service is known: the first service's that needs it."""
    customer = service.partition("-")[2]
    owner = next(s for s in catalogue.services.values() if any(rule.specification == name for rule in s.decompose))
    return f"{owner.instance.partition('-')[0]}-{customer}/{name}"


def _whose(line: str) -> Who | None:
    """`t3 SI0-7/RFS:3` is somebody's own."""
    word, _, who = line.partition(" ")
    return who if word.startswith("t") else None
