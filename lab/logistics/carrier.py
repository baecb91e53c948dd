"""The way of each parcel: shipped, in transit, delivered, plugged in, each when the lab's clock says so."""

import asyncio
import logging
from datetime import datetime

import httpx

from lab.clock import LabClock
from lab.documents import Documents
from lab.logistics.customer import Customer, label_of
from lab.logistics.model import Parcel, Status
from lab.logistics.shelf import Conflict, Shelf
from lab.logistics.webhooks import Webhooks

_AGAIN = 0.5  # real seconds after which the customer tries again when the lab's OLT or ACS is down

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
            if parcel.status is not Status.CANCELLED and parcel.plugged_in is None:
                self.take(parcel)
        self._webhooks.start()

    def stop(self) -> None:
        """Move nothing for now."""
        for task in self._tasks.values():
            task.cancel()
        self._webhooks.stop()

    def take(self, parcel: Parcel) -> None:
        """Begin, or go on, to move a parcel."""
        task = asyncio.create_task(self._travel(parcel), name=f"parcel {parcel.id}")
        self._tasks[parcel.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(parcel.id, None))

    def cancel(self, parcel: Parcel) -> Parcel:
        """Cancel an order. Raises Conflict when the parcel has left the warehouse; a cancelled one stays as it is."""
        if parcel.status is Status.CANCELLED:
            return parcel
        if parcel.status is not Status.ACKNOWLEDGED:
            raise Conflict("tooLate", "Conflict", f"shipping order {parcel.id} is {parcel.status}: it can no longer be cancelled")
        task = self._tasks.get(parcel.id)
        if task is not None:
            task.cancel()
        self._move(parcel, Status.CANCELLED, self._clock.now())
        return parcel

    async def _travel(self, parcel: Parcel) -> None:
        if parcel.is_on_the_road:  # the clock knows; saying it again is for a lab whose clock file was lost
            self._clock.run_fast(parcel.id)
        for status in (Status.SHIPPED, Status.IN_TRANSIT, Status.DELIVERED):
            if status in (passed for passed, _ in parcel.history):
                continue
            await self._clock.sleep_until(parcel.due[status])
            self._move(parcel, status, parcel.due[status])
        self._clock.run_normal(parcel.id)  # also of one that was delivered just before we were killed
        await self._plug_in(parcel, parcel.due["pluggedIn"])

    def _move(self, parcel: Parcel, status: Status, at: datetime) -> None:
        with self._documents.transaction():  # no status without its webhook
            self._shelf.move(parcel, status, at)
            self._webhooks.send(parcel)
        if status is Status.SHIPPED:
            self._clock.run_fast(parcel.id)
        elif status is Status.DELIVERED:
            self._clock.run_normal(parcel.id)

    async def _plug_in(self, parcel: Parcel, due: datetime) -> None:
        await self._clock.sleep_until(due)
        label = label_of(parcel.model.parcel)
        while True:
            try:
                if await self._customer.plug_in(label):
                    break
            except httpx.HTTPError as error:
                _log.warning("router %s is not plugged in yet: %r", label.serial, error)
            await asyncio.sleep(_AGAIN)
        parcel.plugged_in = self._clock.now()
        self._shelf.keep(parcel)
