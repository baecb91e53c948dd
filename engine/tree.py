"""One order with everything below it, in memory: how results of steps change states, and what they set free.

A tree is loaded, changed by the methods here and written back in one database transaction. It knows no database, no NetBox and
no device, so that every rule of the cascade ROI -> SOI -> SO -> PO can be tested by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from engine import withdrawal
from engine.errors import StepCrashed
from engine.model import PUSHES, Action, Event, Instance, Item, Order, Step, StepKind, StepResult, StepState, Tracked
from engine.ports import Allocation, Mark, Trouble
from engine.states import Level, OrderState, ProductState, RollUp, ServiceState, legal, require, roll_up

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
        self._policy = roll_up
        self._touched = False

    def copy(self) -> Tree:
        """Another tree that can be changed by itself. Values of attributes are never changed in place, so they are shared."""
        copied = Tree.__new__(Tree)
        copied.orders = {key: _copied(order) for key, order in self.orders.items()}
        copied.items = {key: _copied(item) for key, item in self.items.items()}
        copied.steps = {key: _copied(step) for key, step in self.steps.items()}
        copied.instances = {key: _copied(instance) for key, instance in self.instances.items()}
        copied.allocations, copied.events, copied._policy, copied._touched = dict(self.allocations), [], self._policy, False
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
            self._move_item(item, OrderState.IN_PROGRESS, now)

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
                self._move_item(each, OrderState.REJECTED, now)
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
            self._move_order(order, OrderState.IN_PROGRESS, now)

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
        self._roll(now, whole=new or self.changes_something)  # of what is changed there may be items for which nothing is to be done

    def _roll(self, now: datetime, *, whole: bool) -> None:
        """`whole`: look at everything. What changed is the same either way."""
        # that a step is being done moves nothing by itself: `claim` has moved what begins with it
        touched = {(step.order, step.item) for step in self.steps.values() if step.changes and step.state is not StepState.RUNNING}
        if not (whole or touched or any(value.changes for part in (self.orders, self.items) for value in part.values())):
            return
        below: list[Item] = []
        for level in (Level.RESOURCE, Level.SERVICE, Level.PRODUCT):
            order = self.order_of(level)
            if order is None:
                continue
            items = self.items_of(order.id)
            above = {name for child in below if whole or child.changes for name in child.serves}
            every = whole or (order.id, None) in touched
            hanging = [item for item in items if every or item.changes or item.id in above or (order.id, item.id) in touched]
            if hanging or order.changes:
                self._roll_order(order, items, hanging, below, now)
            below = items

    def _roll_order(self, order: Order, items: list[Item], hanging: list[Item], below: list[Item], now: datetime) -> None:
        gating: dict[str | None, list[Step]] = {}
        for step in self.steps.values():
            if step.gates and step.order == order.id:
                gating.setdefault(step.item, []).append(step)
        stopped = [step for step in gating.get(None, ()) if step.state in (StepState.HELD, StepState.FAILED)]
        for item in hanging:
            children = [child for child in below if item.id in child.serves]
            self._roll_item(order, item, gating.get(item.id, []), children, stopped, now)
        state = roll_up((item.state for item in _that_count(items)), self._policy)
        if state is not OrderState.ACKNOWLEDGED:
            self._move_order(order, state, now)

    def _roll_item(self, order: Order, item: Item, own: list[Step], children: list[Item], stopped: list[Step], now: datetime) -> None:
        """`own`: the item's gating steps; `children`: what it was decomposed into; `stopped`: steps of the order itself (decomposition,
        reservation) that stand still, without which none of its items goes on."""
        if not own and not children and item.level is Level.RESOURCE and item.action in (Action.NO_CHANGE, Action.DELETE):
            if order.state is not OrderState.ACKNOWLEDGED:  # there is nothing to do for it
                self._move_item(item, OrderState.COMPLETED, now)
            return
        if not own and not children and not stopped and not self._planned(order):
            if item.state is OrderState.HELD:  # it was resumed, and what will make its parts has yet to do so
                item.trouble = None
                self._move_item(item, OrderState.IN_PROGRESS, now)
            return
        begun = item.state is not OrderState.ACKNOWLEDGED and not children
        states = [roll_up((child.state for child in _that_count(children)), self._policy)] if children else []
        states += [_of_steps(own, item, begun=begun)] if own else []
        states += [OrderState.HELD if step.state is StepState.HELD else OrderState.FAILED for step in stopped if not own]
        if any(step.state is StepState.HELD for step in stopped):
            states.append(OrderState.HELD)
        state = roll_up(states) if states else OrderState.COMPLETED
        trouble = next((step.trouble for step in own if step.trouble and step.state is not StepState.DONE), None)
        trouble = trouble or self._why_cancelled(own) or _of_children(children, state)
        trouble = trouble or next((step.trouble for step in stopped), None)
        if trouble != item.trouble:
            item.trouble = trouble
        if state is not OrderState.ACKNOWLEDGED:
            self._move_item(item, state, now)

    def _why_cancelled(self, own: list[Step]) -> Trouble | None:
        """What went wrong with the step that these waited for in vain."""
        todo = [step for step in own if step.state is StepState.CANCELLED]
        seen: set[str] = set()
        while todo:
            needed = [self.steps[key] for key in todo.pop(0).needs if key not in seen]
            seen |= {step.key for step in needed}
            failed = next((step.trouble for step in needed if step.state is StepState.FAILED and step.trouble), None)
            if failed is not None:
                return failed
            todo += [step for step in needed if step.state is StepState.CANCELLED]
        return None

    def _planned(self, order: Order) -> bool:
        """Whether all that will ever belong to the items of this order is there."""
        return any(step.kind is StepKind.RESERVE for step in self.steps.values()) and order.level is not Level.RESOURCE

    def _move_item(self, item: Item, to: OrderState, now: datetime) -> None:
        way = _path(item.level, item.state, to)
        self.go_item(item, way, now)
        if way:  # else a later order may have changed the instance since
            self._move_instance(item, now)

    def go_item(self, item: Item, way: Iterable[OrderState], now: datetime) -> None:
        """Let an item go through these states. Raises IllegalTransition."""
        for state in way:
            require(item.level, item.id, item.state, state)
            item.state = state
            item.reason = item.trouble.message if item.trouble and state in _WITH_REASON else ""
            item.started = item.started or now
            item.ended = now if state.final else None
            self.emit(item.order, item.id, "itemStateChange", now, state=state, **({"reason": item.reason} if item.reason else {}))

    def _move_order(self, order: Order, to: OrderState, now: datetime) -> None:
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

    def _move_instance(self, item: Item, now: datetime) -> None:
        instance = self.instances.get(item.instance or "")
        if instance is None or not instance.lives:  # it ended before the order had its turn
            return
        if item.state is OrderState.COMPLETED and item.action in (Action.ADD, Action.MODIFY):
            self._take_over(instance, item, now)
        state = item.outcome if item.outcome and item.state is OrderState.COMPLETED else _instance_state(item)
        in_vain = item.state.final and item.state is not OrderState.COMPLETED
        if state in _ENDED and instance.lives and not (in_vain and self._leaves_something(item)):
            instance.ended = now
        if state is None or instance.state == state:
            return
        instance.state = state
        if state == ServiceState.ACTIVE:  # products spell it alike
            instance.started = instance.started or now
        if instance.level is not Level.RESOURCE:
            self.emit(item.order, item.id, f"{item.level}StateChange", now, id=instance.id, state=state)

    def _leaves_something(self, item: Item) -> bool:
        """Whether an item that came to nothing holds resources, or configuration: it is there to be taken back."""
        resources = [each for each in self.items.values() if each.level is Level.RESOURCE]
        parts = {(r.order, r.id) for r in resources if item.level is Level.PRODUCT or r is item or item.id in r.serves}
        if any((mark.order, mark.item) in parts for mark in self.allocations):
            return True
        return any(s.kind in PUSHES and s.state is StepState.DONE and (s.order, s.item) in parts for s in self.steps.values())

    def _take_over(self, instance: Instance, item: Item, now: datetime) -> None:
        """From now on the instance is as this item made it."""
        learned = {name: value for step in self.steps_of(item.order, item.id) for name, value in step.learned.items()}
        instance.learned = {**instance.learned, **learned}
        instance.order, instance.item, instance.catalogue = item.order, item.id, self.orders[item.order].catalogue
        instance.offering = item.offering or instance.offering
        if instance.characteristics != item.characteristics:
            instance.characteristics = item.characteristics
            if instance.level is not Level.RESOURCE:
                self.emit(item.order, item.id, f"{item.level}AttributeValueChange", now, id=instance.id)


_AGAIN = {StepState.READY, StepState.HELD, StepState.FAILED}
"""What a step comes to that has not succeeded."""
_WITH_REASON = {OrderState.HELD, OrderState.FAILED, OrderState.PARTIAL, OrderState.REJECTED}

_IN_VAIN = (OrderState.FAILED, OrderState.REJECTED)
_INSTANCE_STATES: Mapping[tuple[Action, Level, OrderState], str] = {
    (Action.ADD, Level.RESOURCE, OrderState.IN_PROGRESS): ServiceState.INACTIVE,
    (Action.ADD, Level.RESOURCE, OrderState.COMPLETED): ServiceState.ACTIVE,
    **{(Action.ADD, level, state): ServiceState.TERMINATED for level in (Level.RESOURCE, Level.SERVICE) for state in _IN_VAIN},
    (Action.ADD, Level.SERVICE, OrderState.IN_PROGRESS): ServiceState.INACTIVE,
    (Action.ADD, Level.SERVICE, OrderState.COMPLETED): ServiceState.ACTIVE,
    (Action.ADD, Level.PRODUCT, OrderState.IN_PROGRESS): ProductState.PENDING_ACTIVE,
    (Action.ADD, Level.PRODUCT, OrderState.COMPLETED): ProductState.ACTIVE,
    **{(Action.ADD, Level.PRODUCT, state): ProductState.ABORTED for state in _IN_VAIN},
    (Action.MODIFY, Level.RESOURCE, OrderState.COMPLETED): ServiceState.ACTIVE,
    (Action.MODIFY, Level.SERVICE, OrderState.COMPLETED): ServiceState.ACTIVE,
    (Action.MODIFY, Level.PRODUCT, OrderState.COMPLETED): ProductState.ACTIVE,
    (Action.DELETE, Level.RESOURCE, OrderState.COMPLETED): ServiceState.TERMINATED,
    (Action.DELETE, Level.SERVICE, OrderState.COMPLETED): ServiceState.TERMINATED,
    (Action.DELETE, Level.PRODUCT, OrderState.IN_PROGRESS): ProductState.PENDING_TERMINATE,
    (Action.DELETE, Level.PRODUCT, OrderState.COMPLETED): ProductState.TERMINATED,
}
_ENDED = {ServiceState.TERMINATED, ProductState.TERMINATED, ProductState.CANCELLED, ProductState.ABORTED}


def _that_count(items: list[Item]) -> list[Item]:
    """What is not to change is complete at once, and says nothing of how the rest ends."""
    return [item for item in items if item.action is not Action.NO_CHANGE] or items


def _instance_state(item: Item) -> str | None:
    """State of an instance that follows from that of its item; None: it stays."""
    return _INSTANCE_STATES.get((item.action, item.level, item.state))


def _by_this_clock(step: Step, real: float) -> None:
    """What was to wait for a time of a clock that has been set back since waits no longer."""
    if step.noted > real:
        step.due = step.noted = real


def _of_children(children: list[Item], state: OrderState) -> Trouble | None:
    """Why an item is in the state that follows from what it was decomposed into: also when only a part of that failed."""
    alike = {OrderState.FAILED, OrderState.PARTIAL, OrderState.REJECTED} if state in (OrderState.FAILED, OrderState.PARTIAL) else {state}
    return next((child.trouble for child in children if child.trouble and child.state in alike), None)


def _of_steps(steps: list[Step], item: Item, *, begun: bool) -> OrderState:
    """State of an item that follows from its own steps. It ends when all of them have. `begun`: it is not acknowledged again."""
    states = {StepState.HELD if step.held else step.state for step in steps}
    if StepState.HELD in states:
        return OrderState.HELD
    if all(state.final for state in states):
        if states == {StepState.DONE}:
            return OrderState.COMPLETED
        never_begun = states == {StepState.CANCELLED} and item.state is OrderState.ACKNOWLEDGED
        return OrderState.REJECTED if never_begun else OrderState.FAILED
    # who looks again whether something has happened has not begun anything: the item stays pending
    looking = item.state is OrderState.PENDING and StepState.RUNNING in states
    if looking or any(step.outside and step.state is StepState.WAITING for step in steps):
        return OrderState.PENDING
    begun = begun or bool(states & {StepState.DONE, StepState.WAITING, StepState.FAILED})
    return OrderState.IN_PROGRESS if begun else OrderState.ACKNOWLEDGED


def _path(level: Level, source: OrderState, to: OrderState) -> tuple[OrderState, ...]:
    """The states to go through. `held` and `pending` end through `inProgress`, and nothing ends that never began."""
    if source is to or source.final:
        return ()
    if legal(level, source, to):
        return (to,)
    return (OrderState.IN_PROGRESS, to) if source is not OrderState.IN_PROGRESS else (to,)
