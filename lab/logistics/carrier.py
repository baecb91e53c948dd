"""The way of each parcel: shipped, in transit, delivered, plugged in; recalled, handed in, returned; each when the lab's clock says so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import httpx

from lab.clock import LabClock
from lab.documents import Documents
from lab.logistics.customer import Customer, Label, label_of
from lab.logistics.model import Parcel, Status, later
from lab.logistics.shelf import Conflict, Shelf
from lab.logistics.webhooks import Webhooks

_AGAIN = 0.5  # real seconds after which the customer tries again when the lab's OLT or ACS is down
_MOMENT = 0.005  # real seconds

_NOT_RECALLED: Mapping[Status, tuple[str, str]] = {
    Status.ACKNOWLEDGED: ("notShipped", "it has not left the warehouse and can be cancelled"),
    Status.DELIVERED: ("tooLate", "it can no longer be recalled; order its return"),
    Status.CANCELLED: ("cancelled", "it never left the warehouse"),
}
"""Why a parcel is not recalled: code, and what may be done instead."""

_log = logging.getLogger(__name__)


class Carrier:
    """Moves the parcels. What is due while it is down happens when it is back, with the time at which it was due."""

    def __init__(self, documents: Documents, shelf: Shelf, clock: LabClock, webhooks: Webhooks, customer: Customer) -> None:
        """Move what is on the shelf, which is in the documents, as the webhooks are."""
        self._documents = documents
        self._shelf = shelf
        self._clock = clock
        self._webhooks = webhooks
        self._customer = customer
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Go on with every parcel that is not at its end."""
        for parcel in self._shelf:
            if not parcel.is_at_its_end:
                self.take(parcel)
        self._webhooks.start()

    def stop(self) -> None:
        """Move nothing for now."""
        for task in self._tasks.values():
            task.cancel()
        self._webhooks.stop()

    def take(self, parcel: Parcel) -> None:
        """Begin, or go on, to move a parcel."""
        self._leave(parcel)
        self._tasks[parcel.id] = asyncio.create_task(self._travel(parcel), name=f"parcel {parcel.id}")
        self._tasks[parcel.id].add_done_callback(lambda task: self._forget(parcel.id, task))

    async def up_to_date(self, parcel: Parcel) -> Parcel:
        """Return a parcel as it is by the clock: what is due has happened, however late the machine is. Of customers nothing is sure."""
        while parcel.is_due(self._clock.now()) and parcel.id in self._tasks:
            await asyncio.sleep(_MOMENT)
            parcel = self._shelf.get(parcel.id) or parcel
        return parcel

    def cancel(self, parcel: Parcel) -> Parcel:
        """Cancel an order. Raises Conflict when the parcel has left the warehouse, or the customer; a cancelled one stays as it is."""
        if parcel.status is Status.CANCELLED:
            return parcel
        if parcel.status is not Status.ACKNOWLEDGED:
            raise Conflict("tooLate", "Conflict", f"shipping order {parcel.id} is {parcel.status}: it can no longer be cancelled")
        self._leave(parcel)
        self._move(parcel, Status.CANCELLED, self._clock.now())
        return parcel

    def recall(self, parcel: Parcel) -> Parcel:
        """Let a parcel that is on the road turn round. Raises Conflict for any other; a recalled one stays as it is."""
        if parcel.is_return:
            raise Conflict("notRecallable", "Conflict", f"shipping order {parcel.id} is a return: it comes to the warehouse anyway")
        if parcel.status in (Status.RECALLED, Status.RETURNED):
            return parcel
        if parcel.status not in (Status.SHIPPED, Status.IN_TRANSIT):
            code, instead = _NOT_RECALLED[parcel.status]
            raise Conflict(code, "Conflict", f"shipping order {parcel.id} is {parcel.status}: {instead}")
        now = self._clock.now()
        parcel.due[Status.RETURNED] = later(now, parcel.hours_until_returned)
        self._move(parcel, Status.RECALLED, now)
        self.take(parcel)
        return parcel

    async def _travel(self, parcel: Parcel) -> None:
        if parcel.hurries:  # a recalled one is known to; of others it is said again for a lab whose clock file was lost
            self._clock.run_fast(parcel.id)
        for status in parcel.way:
            await self._clock.sleep_until(parcel.due[status])
            if parcel.is_return and status is Status.IN_TRANSIT:
                await self._pull_out(label_of(parcel.model.parcel))
            self._move(parcel, status, parcel.due[status])
        self._clock.run_normal(parcel.id)  # also of one that was delivered just before we were killed
        if parcel.status is Status.DELIVERED:
            await self._clock.sleep_until(parcel.due["pluggedIn"])
            await self._plug_in(parcel)

    def _move(self, parcel: Parcel, status: Status, at: datetime) -> None:
        hurried = parcel.hurries
        with self._documents.transaction():  # no status without its webhook
            self._shelf.move(parcel, status, at)
            self._webhooks.send(parcel)
        if parcel.hurries and not hurried:
            self._clock.run_fast(parcel.id)
        elif hurried and not parcel.hurries:
            self._clock.run_normal(parcel.id)

    async def _plug_in(self, parcel: Parcel) -> None:
        label = label_of(parcel.model.parcel)
        await self._until_done(f"router {label.serial} is not plugged in yet", lambda: self._customer.plug_in(label))
        parcel.plugged_in = self._clock.now()
        self._shelf.keep(parcel)

    async def _pull_out(self, label: Label) -> None:
        """Let the customer pull a router out, who may not even have plugged it in yet."""
        brought = self._shelf.delivered(label.serial)
        if brought is not None:
            self._leave(brought)
        await self._until_done(f"router {label.serial} is not pulled out yet", lambda: self._customer.pull_out(label))
        if brought is not None:
            brought.pulled_out = self._clock.now()
            self._shelf.keep(brought)

    async def _until_done(self, otherwise: str, attempt: Callable[[], Awaitable[bool]]) -> None:
        while True:
            try:
                if await attempt():
                    return
            except httpx.HTTPError as error:
                _log.warning("%s: %r", otherwise, error)
            await asyncio.sleep(_AGAIN)

    def _leave(self, parcel: Parcel) -> None:
        """Move a parcel no further."""
        task = self._tasks.pop(parcel.id, None)
        if task is not None:
            task.cancel()

    def _forget(self, parcel_id: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(parcel_id) is task:  # else it is moved by another one by now
            del self._tasks[parcel_id]
