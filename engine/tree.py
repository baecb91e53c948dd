"""One order with everything below it, in memory: how results of steps change states, and what they set free.

A tree is loaded, changed by the methods here and written back in one database transaction. It knows no database, no NetBox and
no device, so that every rule of the cascade ROI -> SOI -> SO -> PO can be tested by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from engine import instances, rolling, withdrawal
from engine.errors import StepCrashed
from engine.model import PUSHES, Action, Event, Instance, Item, Order, Step, StepKind, StepResult, StepState, Tracked
from engine.ports import Allocation, Mark, Trouble
from engine.states import Level, OrderState, RollUp, legal, require

V = TypeVar("V", bound=Tracked)
POISONOUS = 3
"""So many workers may die while doing a step."""


def _copied(value: V) -> V:
    copied: V = object.__new__(value.__class__)
    object.__setattr__(copied, "__dict__", value.__dict__.copy())  # past Tracked, which would look for what changes
    return copied


class Tree:
    """The order that was submitted and all below it."""

    def __init__(
        self,
        orders: Iterable[Order],
        items: Iterable[Item],
        steps: Iterable[Step],
        allocations: Iterable[Allocation] = (),
        instances: Iterable[Instance] = (),
        roll_up: RollUp = RollUp.HELD_WINS,
    ) -> None:
        self.orders = {order.id: order for order in orders}
        self.items = {(item.order, item.id): item for item in items}
        self.steps = {step.key: step for step in steps}
        self.allocations = {allocation.mark: allocation for allocation in allocations}
        self.instances = {instance.id: instance for instance in instances}
        self.events: list[Event] = []
        self.roll_up = roll_up
        self._touched = False

    def copy(self) -> Tree:
        """Another tree that can be changed by itself. Values of attributes are never changed in place, so they are shared."""
        copied = Tree.__new__(Tree)
        copied.orders = {key: _copied(order) for key, order in self.orders.items()}
        copied.items = {key: _copied(item) for key, item in self.items.items()}
        copied.steps = {key: _copied(step) for key, step in self.steps.items()}
        copied.instances = {key: _copied(instance) for key, instance in self.instances.items()}
        copied.allocations, copied.events, copied.roll_up, copied._touched = dict(self.allocations), [], self.roll_up, False
        return copied

    # -- looking -------------------------------------------------------------------------------------------------------
    @property
    def root(self) -> Order:
        """The order that was submitted."""
        for order in self.orders.values():
            if order.id == order.root:
                return order
        raise LookupError("a tree without its root")

    def order_of(self, level: Level) -> Order | None:
        """The order of this level, if it exists (yet)."""
        return next((order for order in self.orders.values() if order.level is level), None)

    @property
    def changes_something(self) -> bool:
        """Whether the order changes or ends what earlier orders made."""
        return any(item.action is not Action.ADD for item in self.items_of(self.root.id))

    def service_of(self, item: Item) -> Item | None:
        """The service order item that an item belongs to (itself, when it is one)."""
        if item.level is Level.SERVICE:
            return item
        return next((s for s in self.items.values() if s.level is Level.SERVICE and s.id == item.parent), None)

    @property
    def changed(self) -> bool:
        """Whether anything of it was set since it was loaded."""
        parts = (self.orders, self.items, self.steps, self.instances)
        return self._touched or bool(self.events) or any(value.changes or value.is_new for part in parts for value in part.values())

    def touch(self) -> None:
        """Count as changed, although what was set is none of the attributes."""
        self._touched = True

    def written(self) -> None:
        """Everything of it is in the tables now."""
        self._touched = False
        self.events.clear()

    def items_of(self, order: str) -> list[Item]:
        """The items of an order, in their order."""
        return sorted((item for item in self.items.values() if item.order == order), key=lambda item: item.ordinal)

    def item_of(self, step: Step) -> Item | None:
        """The item that a step belongs to."""
        return self.items.get((step.order, step.item)) if step.item else None

    def steps_of(self, order: str, item: str) -> list[Step]:
        """The steps of an item."""
        return [step for step in self.steps.values() if step.order == order and step.item == item]

    def by_age(self) -> list[Mark]:
        """What the subscription holds, what this order was given last: of two with one name the last is the one to use."""
        return sorted(self.allocations, key=lambda mark: (mark.order in self.orders, mark.order))

    def missing(self, marks: Iterable[Mark]) -> set[Mark]:
        """Which of these are not allocated."""
        return set(marks) - set(self.allocations)

    # -- changing ------------------------------------------------------------------------------------------------------
    def emit(self, order: str, item: str | None, type_: str, at: datetime, **data: Any) -> None:
        """Put an event into the outbox of this tree."""
        self.events.append(Event(self.root.id, order, item, type_, at, data))

    def add(self, order: Order, items: Iterable[Item], at: datetime) -> None:
        """A new order below, acknowledged."""
        self.orders[order.id] = order
        self.emit(order.id, None, "orderCreate", at, state=order.state, level=order.level)
        for item in items:
            self.items[order.id, item.id] = item

    @staticmethod
    def removal(item: Item, target: str) -> str:
        """The key of the step that takes an item from a target that it leaves."""
        return f"{item.id}/remove/{target}"

    def remove_from(self, item: Item, target: str, needs: tuple[str, ...]) -> None:
        """Take an item's configuration from a target that it leaves, once these steps are done. What is left is given back after that."""
        key = self.removal(item, target)
        if key in self.steps:
            return
        step = Step(0, self.root.id, item.order, key, StepKind.REMOVE, StepState.BLOCKED, item=item.id, needs=needs)
        step.target = step.lane = target
        step.priority = self.root.priority
        self.steps[key] = step
        for other in self.steps.values():
            if other.kind is StepKind.RELEASE and other.item is None:
                other.needs = (*other.needs, key)

    def release(self, allocation: Allocation, now: datetime) -> None:
        """It was given back."""
        if self.allocations.pop(allocation.mark, None) is not None:
            self.touch()
            self.emit(allocation.mark.order, allocation.mark.item, "release", now, name=allocation.mark.name, kind=allocation.kind)

    def plan(self, steps: Iterable[Step], real: float) -> None:
        """Add steps. Those that need nothing are ready at once."""
        for step in steps:
            self.steps[step.key] = step
        self._unlock(real)

    def claim(self, step: Step, now: datetime) -> None:
        """A worker has begun with it. Items begin with their first step, but not with one that still waits for others of its batch."""
        step.state, step.attempt = StepState.RUNNING, step.attempt + 1
        if self.root.withdrawn:
            return
        if step.kind is StepKind.RESERVE:
            self._start(self.orders[step.order], now)
        item = self.item_of(step)
        begins = step.gates and step.kind in PUSHES and all(self.steps[key].state is StepState.DONE for key in step.needs)
        if item is not None and begins:
            self.move_item(item, OrderState.IN_PROGRESS, now)

    def settle(self, step: Step, result: StepResult, now: datetime, real: float) -> None:
        """Record what became of a step, and set free what depended on it."""
        step.state, step.trouble, step.awaits = result.state, result.trouble, result.awaits
        step.due, step.noted, step.crashes = result.due or real, real, 0
        step.overdue = result.overdue
        if step.state in _AGAIN and not self._is_free(step):
            step.state = StepState.BLOCKED  # it was done together with what it needs: it comes when that is done, if ever
        step.evidence = result.evidence or step.evidence
        step.learned = {**step.learned, **result.learned}
        step.transaction = result.transaction or step.transaction
        step.failing = (step.failing or real) if result.trouble else 0.0
        step.failures = step.failures + 1 if result.trouble else 0
        if self.root.withdrawn:
            self._settle_withdrawn(step)
        if step.state.final:
            step.ended = now
        if result.rejected and step.state is StepState.FAILED:
            self._reject(step, now)
        if step.state.final or step.state is StepState.HELD:
            step.by_hand, step.given = False, {}  # what a person said was for this attempt
        self._cancel_dependants()
        self._unlock(real)

    def _settle_withdrawn(self, step: Step) -> None:
        """What was to be tried again need not be, and what takes back is not given up."""
        if not withdrawal.takes_back(step) and not step.state.final:
            step.state = StepState.CANCELLED
        elif withdrawal.takes_back(step) and step.state is StepState.FAILED:
            step.state = StepState.HELD

    def withdraw(self, reason: str, now: datetime) -> None:
        """Take the order back from here: nothing more of it is begun, and what was done is undone."""
        self.root.withdrawn = reason
        self.emit(self.root.id, None, "cancel", now, reason=reason)
        self.roll(now)

    def resume(self, step: Step, now: datetime, real: float, why: str) -> bool:
        """Take up again what stood still, with all its tries before it. False when it is not held (any more): then nothing changes.
        What waits for a pool asks now, whoever else waits.

        `why` is for people: there is capacity, somebody says so. To be followed by `roll`, which ends `held` through `inProgress`.
        """
        if not step.held:
            return False
        if step.state is not StepState.RUNNING:
            step.state = StepState.READY if self._is_free(step) else StepState.BLOCKED
        step.trouble = None
        step.failures, step.failing, step.crashes = 0, 0.0, 0
        step.due = step.noted = real
        self.emit(step.order, step.item, "resume", now, step=step.key, reason=why)
        self._cancel_dependants()
        return True

    def ask_again(self, step: Step, real: float) -> bool:
        """There may be what a step is held for: it asks, in its turn. What people see of it stays as it is until it got something."""
        if step.state is not StepState.HELD or step.awaits is None:
            return False
        step.state, step.failures, step.failing = StepState.READY, 0, 0.0
        step.due = step.noted = real
        return True

    def _reject(self, step: Step, now: datetime) -> None:
        """The items that cannot begin without this step are rejected, as far as TM Forum's states allow: when nothing of them began."""
        item = self.item_of(step)
        for each in [item] if item else self.items_of(step.order):
            if legal(each.level, each.state, OrderState.REJECTED):
                each.trouble = step.trouble
                self.move_item(each, OrderState.REJECTED, now)
                for other in self.steps_of(each.order, each.id):
                    if other.state in (StepState.BLOCKED, StepState.READY):
                        other.state = StepState.CANCELLED  # nothing of it will begin

    def orphaned(self, step: Step, now: datetime, real: float) -> None:
        """Its worker died, or lost its lane, while it did this step: it is done again, but not for ever."""
        step.crashes += 1
        if step.crashes >= POISONOUS:
            crashed = StepCrashed(f"its worker ended {step.crashes} times while doing this step", target=step.target)
            self.settle(step, StepResult(StepState.HELD, Trouble.of(crashed)), now, real)
            return
        step.state = StepState.READY if self._is_free(step) else StepState.BLOCKED
        _by_this_clock(step, real)
        self._cancel_dependants()  # it may have been done together with what it needs, and that failed

    def decomposed(self, order: Order, now: datetime) -> None:
        """The order below exists: this one is in progress."""
        order.decomposed = True
        self._start(order, now)

    def _start(self, order: Order, now: datetime) -> None:
        order.started = order.started or now
        if order.state is OrderState.ACKNOWLEDGED:
            self.move_order(order, OrderState.IN_PROGRESS, now)

    def _is_free(self, step: Step) -> bool:
        return all(self.steps[key].state is StepState.DONE for key in step.needs)

    def _unlock(self, real: float) -> None:
        for step in self.steps.values():
            if step.state is StepState.BLOCKED and self._is_free(step):
                _by_this_clock(step, real)
                step.noted = step.noted if step.due > real else real
                step.state, step.due = StepState.READY, max(step.due, real)

    def _cancel_dependants(self) -> None:
        lost = {key for key, step in self.steps.items() if step.state in (StepState.FAILED, StepState.CANCELLED)}
        while lost:
            more = [s for s in self.steps.values() if s.state is StepState.BLOCKED and lost & set(s.needs)]
            if not more:
                return
            for step in more:
                step.state = StepState.CANCELLED
                lost.add(step.key)

    # -- states --------------------------------------------------------------------------------------------------------
    def roll(self, now: datetime) -> None:
        """Bring items and orders to the state that follows from what is below them, from the bottom up.

        To be called once after a group of `claim` and `settle`. Only what hangs on what changed since the tree was loaded is looked at.
        """
        if self.root.withdrawn:
            withdrawal.roll(self, now)
            return
        new = any(value.is_new for part in (self.steps, self.items) for value in part.values())
        # of what is changed there may be items for which nothing is to be done
        rolling.roll(self, now, whole=new or self.changes_something)

    def move_item(self, item: Item, to: OrderState, now: datetime) -> None:
        """Bring an item to a state, through those that are between, and its instance with it."""
        way = _path(item.level, item.state, to)
        self.go_item(item, way, now)
        if way:  # else a later order may have changed the instance since
            instances.follow(self, item, now)

    def go_item(self, item: Item, way: Iterable[OrderState], now: datetime) -> None:
        """Let an item go through these states. Raises IllegalTransition."""
        for state in way:
            require(item.level, item.id, item.state, state)
            item.state = state
            item.reason = item.trouble.message if item.trouble and state in _WITH_REASON else ""
            item.started = item.started or now
            item.ended = now if state.final else None
            self.emit(item.order, item.id, "itemStateChange", now, state=state, **({"reason": item.reason} if item.reason else {}))

    def move_order(self, order: Order, to: OrderState, now: datetime) -> None:
        """Bring an order to a state, through those that are between."""
        self.go_order(order, _path(order.level, order.state, to), now)

    def go_order(self, order: Order, way: Iterable[OrderState], now: datetime) -> None:
        """Let an order go through these states. Raises IllegalTransition."""
        for state in way:
            require(order.level, order.id, order.state, state)
            order.state = state
            order.started = order.started or now
            order.ended = now if state.final else None
            order.reason = next((i.reason for i in self.items_of(order.id) if i.reason and (i.state is state or state.final)), "")
            self.emit(order.id, None, "orderStateChange", now, state=state, **({"reason": order.reason} if order.reason else {}))


_AGAIN = {StepState.READY, StepState.HELD, StepState.FAILED}
"""What a step comes to that has not succeeded."""
_WITH_REASON = {OrderState.HELD, OrderState.FAILED, OrderState.PARTIAL, OrderState.REJECTED}


def _by_this_clock(step: Step, real: float) -> None:
    """What was to wait for a time of a clock that has been set back since waits no longer."""
    if step.noted > real:
        step.due = step.noted = real


def _path(level: Level, source: OrderState, to: OrderState) -> tuple[OrderState, ...]:
    """The states to go through. `held` and `pending` end through `inProgress`, and nothing ends that never began."""
    if source is to or source.final:
        return ()
    if legal(level, source, to):
        return (to,)
    return (OrderState.IN_PROGRESS, to) if source is not OrderState.IN_PROGRESS else (to,)
