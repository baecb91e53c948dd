"""The TM Forum state machines of orders, items, services and products, and how the states of many roll up into one.

Source: lifecycle diagrams of TMF622, TMF641, TMF652, TMF638 and TMF637 v4 (state_machines.json beside this file; spelling = wire spelling).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from importlib.resources import files

from engine.errors import IllegalTransition


class Level(StrEnum):
    """The three levels of one order model."""

    PRODUCT = "product"
    SERVICE = "service"
    RESOURCE = "resource"

    @property
    def below(self) -> Level | None:
        """The level that this one decomposes into."""
        return {Level.PRODUCT: Level.SERVICE, Level.SERVICE: Level.RESOURCE, Level.RESOURCE: None}[self]

    @property
    def order_prefix(self) -> str:
        """PO, SO or RO."""
        return {Level.PRODUCT: "PO", Level.SERVICE: "SO", Level.RESOURCE: "RO"}[self]

    @property
    def item_prefix(self) -> str:
        """POI, SOI or ROI."""
        return f"{self.order_prefix}I"


class OrderState(StrEnum):
    """States of orders and of their items."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    PENDING = "pending"
    HELD = "held"
    IN_PROGRESS = "inProgress"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"
    PARTIAL = "partial"
    ASSESSING_CANCELLATION = "assessingCancellation"
    PENDING_CANCELLATION = "pendingCancellation"

    @property
    def final(self) -> bool:
        """A final state stays final."""
        return self in _FINAL


_FINAL = {OrderState.REJECTED, OrderState.CANCELLED, OrderState.COMPLETED, OrderState.FAILED, OrderState.PARTIAL}


class ServiceState(StrEnum):
    """States of service instances (TMF638)."""

    RESERVED = "reserved"
    INACTIVE = "inactive"
    ACTIVE = "active"
    TERMINATED = "terminated"


class ProductState(StrEnum):
    """States of products (TMF637)."""

    CREATED = "created"
    PENDING_ACTIVE = "pendingActive"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    PENDING_TERMINATE = "pendingTerminate"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"
    ABORTED = "aborted"


_SOURCE = {Level.PRODUCT: "TMF622.ProductOrder", Level.SERVICE: "TMF641.ServiceOrder", Level.RESOURCE: "TMF652.ResourceOrder"}


def _load() -> Mapping[Level, Mapping[str, frozenset[str]]]:
    raw = json.loads((files("engine") / "state_machines.json").read_text("utf-8"))
    return {level: {source: frozenset(to) for source, to in raw[name]["transitions"].items()} for level, name in _SOURCE.items()}


_MACHINES = _load()


def legal(level: Level, source: OrderState, to: OrderState) -> bool:
    """Whether an order or item of this level may go from one state to the other."""
    return to in _MACHINES[level].get(source, frozenset())


def require(level: Level, name: str, source: OrderState, to: OrderState) -> None:
    """Raises IllegalTransition unless the state machine allows it."""
    if not legal(level, source, to):
        allowed = ", ".join(sorted(_MACHINES[level].get(source, ()))) or "nothing: it is final"
        raise IllegalTransition(f"{name} cannot go from {source} to {to}; from {source} it may go to {allowed}")


class RollUp(StrEnum):
    """What becomes of the whole when a part of it is held while others run."""

    HELD_WINS = "held-wins"
    """It is held: somebody on our side must act, and the customer may be told."""
    RUNNING_WINS = "running-wins"
    """It is `inProgress`, as TMF641's user guide has it, and held when nothing of it runs any more."""


def roll_up(states: Iterable[OrderState], policy: RollUp = RollUp.HELD_WINS) -> OrderState:
    """State of an order from its items, of an item from the items that it decomposed into.

    Something held holds the whole (a person must act), or by the other policy only when nothing runs; something running keeps it
    `inProgress`; waiting for an outside party alone makes it `pending`; when all are final, all completed is `completed`, some is
    `partial`, none is `failed`.
    """
    seen = set(states)
    if OrderState.HELD in seen:
        runs = policy is RollUp.RUNNING_WINS and OrderState.IN_PROGRESS in seen
        return OrderState.IN_PROGRESS if runs else OrderState.HELD
    if seen and all(state.final for state in seen):
        return _final(seen)
    if OrderState.IN_PROGRESS in seen:
        return OrderState.IN_PROGRESS
    if OrderState.PENDING in seen:
        return OrderState.PENDING
    if seen == {OrderState.ACKNOWLEDGED} or not seen:
        return OrderState.ACKNOWLEDGED
    return OrderState.IN_PROGRESS


def _final(seen: set[OrderState]) -> OrderState:
    if seen == {OrderState.COMPLETED}:
        return OrderState.COMPLETED
    if OrderState.COMPLETED in seen or OrderState.PARTIAL in seen:
        return OrderState.PARTIAL
    return OrderState.CANCELLED if seen == {OrderState.CANCELLED} else OrderState.FAILED
