"""Devices and northbound systems as the order layer sees them (`engine.ports.Targets`), over a Nornir inventory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from nornir.core import Nornir
from nornir.core.inventory import Host
from nornir.core.task import Task

from engine.errors import TargetError, TargetTimeout, TargetUnknown, TurnupError
from engine.ports import DAY_ZERO, HELD, Answer, Change, Fragment, Look, Node, Outcome, Push, Question, TransactionState, Trouble, Wanted
from tasks import change, kinds
from tasks.render import render
from tasks.runner import DeadlineRunner, NotAttempted
from tasks.transaction import outcome

T = TypeVar("T")

_SMALL = 50_000
"""Characters of a fragment whose nodes are kept for a while; what a device holds as a whole is larger."""

_TO_SETTLE = 30.0
"""Seconds that a push has beyond twice its own time. The second time is for waiting until a device has fallen back on its own."""


class NornirTargets:
    """See the module. Safe for threads, as long as each target is worked by one thread at a time: that is what lanes are for.

    `seconds_to_ask` is the deadline of `ask` and `day_zero`; a push brings its own.
    """

    def __init__(self, nornir: Nornir, *, seconds_to_ask: float = 60.0) -> None:
        self._nornir = nornir
        self._seconds_to_ask = seconds_to_ask

    def platform(self, target: str) -> str:
        """Return the platform of a target (`engine.ports.Targets`)."""
        platform = self._host(target).platform
        if not platform:
            raise TargetUnknown(f"{target} has no platform", target=target)
        return platform

    def render(self, wanted: Wanted, templates: Mapping[str, str]) -> Fragment:
        """Render and parse a template (`engine.ports.Targets`)."""
        text = render(self.platform(wanted.target), wanted.template, wanted.context, templates)
        return Fragment(wanted.target, wanted.key, text)

    def nodes(self, fragment: Fragment) -> Sequence[Node]:
        """Return the statements of a fragment (`engine.ports.Targets`)."""
        platform = self.platform(fragment.target)
        # a transaction asks for the same fragments again and again: what is applied, wanted, checked, settled
        return _nodes(platform, fragment.text) if len(fragment.text) < _SMALL else change.for_platform(platform).nodes(fragment.text)

    def change(self, target: str, applied: Sequence[Fragment], wanted: Sequence[Fragment], others: Mapping[str, frozenset[str]]) -> Change:
        """Return the difference of wanted and applied (`engine.ports.Targets`)."""
        notation = change.for_platform(self.platform(target))
        return notation.change([fragment.text for fragment in applied], [fragment.text for fragment in wanted], others)

    def show(self, target: str, change_: Change) -> str:
        """Return a change for people (`engine.ports.Targets`)."""
        return change.for_platform(self.platform(target)).show(change_)

    def held(self, target: str, fragments: Sequence[Fragment]) -> Fragment:
        """Return what the target holds now where these fragments say something (`engine.ports.Targets`)."""
        kind, texts = kinds.for_platform(self.platform(target)), [fragment.text for fragment in fragments]
        return Fragment(target, HELD, self._run(target, "held", lambda host: kind.held(texts, host), self._seconds_to_ask))

    def reads_first(self, target: str) -> bool:
        """Whether a push looks at what it replaces (`engine.ports.Targets`)."""
        return kinds.for_platform(self.platform(target)).reads_first

    def merges(self, target: str) -> bool:
        """Whether what is created is merged into what is there (`engine.ports.Targets`)."""
        return kinds.for_platform(self.platform(target)).merges

    def part(self, held: Fragment, fragments: Sequence[Fragment], also: Collection[str]) -> Fragment:
        """Return what these fragments state of what a target holds (`engine.ports.Targets`)."""
        notation = change.for_platform(self.platform(held.target))
        return replace(held, text=notation.part(held.text, [fragment.text for fragment in fragments], also))

    def as_held(self, fragment: Fragment, held: Fragment, paths: Collection[str]) -> Fragment:
        """Return a fragment with some of its nodes as the target holds them (`engine.ports.Targets`)."""
        notation = change.for_platform(self.platform(fragment.target))
        return replace(fragment, text=notation.as_held(fragment.text, held.text, paths))

    def around(self, target: str, path: str) -> Iterator[str]:
        """Return the paths that a node may be below (`engine.ports.Targets`)."""
        return change.for_platform(self.platform(target)).around(path)

    def day_zero(self, target: str) -> Fragment | None:
        """Return what the target holds now, as the fragment of what was there before us (`engine.ports.Targets`)."""
        kind = kinds.for_platform(self.platform(target))
        text = self._run(target, "day_zero", kind.day_zero, self._seconds_to_ask)
        return None if text is None else Fragment(target, DAY_ZERO, text)

    def push(self, push: Push) -> Outcome:
        """Carry out one transaction (`engine.ports.Targets`)."""
        kind = kinds.for_platform(self.platform(push.target))
        return self._transact("push", push, lambda host: kind.push(push, host))

    def resolve(self, push: Push) -> Outcome:
        """Find out what became of a transaction that was open when a process ended: what is pending is taken back."""
        kind = kinds.for_platform(self.platform(push.target))
        return self._transact("resolve", push, lambda host: kind.resolve(push, host))

    def ask(self, questions: Sequence[Question]) -> Mapping[int, Answer]:
        """Look whether what is waited for has happened (`engine.ports.Targets`). What goes wrong is said by the answers."""
        if not questions:
            return {}
        target = questions[0].target
        try:
            kind = kinds.for_platform(self.platform(target))
            return self._run(target, "ask", lambda host: kind.ask(questions, host), self._seconds_to_ask)
        except TargetError as error:
            return {question.step: Answer(Look.NOT_YET, error.message, trouble=Trouble.of(error)) for question in questions}

    def close(self) -> None:
        """End all sessions."""
        for host in self._nornir.inventory.hosts.values():
            host.close_connections()

    def _host(self, target: str) -> Host:
        try:
            return self._nornir.inventory.hosts[target]
        except KeyError:
            raise TargetUnknown(f"there is no target {target}: neither NetBox nor the settings have it", target=target) from None

    def _transact(self, name: str, push: Push, work: Callable[[Host], Outcome]) -> Outcome:
        try:
            return self._run(push.target, name, work, 2 * push.timeout + _TO_SETTLE)
        except _NotStarted as error:
            return outcome(TransactionState.NOT_ATTEMPTED, error)
        except TargetError as error:
            return outcome(TransactionState.UNKNOWN, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours after the device was asked: what became of it is not known
            told = TurnupError(f"{push.target}: {type(error).__name__} while the transaction ran", target=push.target)
            return outcome(TransactionState.UNKNOWN, told)

    def _run(self, target: str, name: str, work: Callable[[Host], T], seconds: float) -> T:
        """Run `work` as a Nornir task on one host and return what it returns, or raise what it raises.

        The task is a closure: Nornir logs the arguments of a task at INFO, and a push holds secrets.
        """
        self._host(target)

        def task(task: Task) -> T:
            return work(task.host)

        nornir = self._nornir.with_runner(DeadlineRunner(num_workers=1, deadline=seconds)).filter(name=target)
        result = nornir.run(task, name=f"{name} {target}", raise_on_error=False)[target][0]
        if isinstance(result.exception, NotAttempted):
            raise _NotStarted(f"not attempted: {result.exception}", target=target) from result.exception
        if result.exception is not None:
            raise result.exception
        value: T = result.result
        return value


@lru_cache(maxsize=500)
def _nodes(platform: str, text: str) -> Sequence[Node]:
    return tuple(change.for_platform(platform).nodes(text))


class _NotStarted(TargetTimeout):
    """Nothing was sent: there was no time, or Nornir withheld the host."""
