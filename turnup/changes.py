"""What changes among the orders, as it happens: read from the outbox, by number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from engine.documents import OrderHead, View
from engine.outbox import Happened, Outbox
from engine.states import OrderState
from engine.store.schema import orders
from engine.views import Records, listed

_TYPES = ("orderCreate", "orderStateChange")
_TOGETHER = 500


class ChangeView(View):
    """A change as programs are told of it. `number`: of the event."""

    number: int
    at: datetime
    order: str
    external_id: str | None
    customer: str
    state: str
    reason: str


@dataclass(frozen=True)
class Change:
    """An order that was submitted was given a state. `head`: the order as it was then."""

    number: int
    at: datetime
    head: OrderHead

    @property
    def view(self) -> ChangeView:
        """For programs."""
        head = self.head
        return ChangeView(
            number=self.number,
            at=self.at,
            order=head.id,
            external_id=head.external_id,
            customer=head.customer,
            state=head.state,
            reason=head.reason,
        )


class Changes:
    """The changes after an event, or from now on."""

    def __init__(self, at: Records, since: int | None = None) -> None:
        self._at, self._outbox = at, Outbox(at.store.database, since)

    def since(self) -> Iterator[Change]:
        """Those that have come since this was asked last."""
        before = None
        while before != self._outbox.after:
            before = self._outbox.after
            happened = [event for event in self._outbox.read(_TYPES) if event.order == event.root]
            heads = self._heads({event.root for event in happened})
            yield from (_change(event, heads[event.root]) for event in happened)

    def _heads(self, ids: set[str]) -> dict[str, OrderHead]:
        names = sorted(ids)
        parts = [names[first : first + _TOGETHER] for first in range(0, len(names), _TOGETHER)]
        return {head.id: head for part in parts for head in listed(self._at, ids=part)}


def states(at: Records) -> dict[str, OrderState]:
    """The state of each order that was submitted."""
    wanted = sa.select(orders.c.id, orders.c.state).where(orders.c.id == orders.c.root)
    return {order: OrderState(state) for order, state in at.store.database.look(lambda tx: tx.execute(wanted).all())}


def _change(event: Happened, head: OrderHead) -> Change:
    then = {"state": event.data["state"], "reason": event.data.get("reason", "")}
    return Change(event.number, event.at, head.model_copy(update=then))
