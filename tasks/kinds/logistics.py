"""Warehouse and carrier: shipping orders (TMF700 v4.0). A parcel is a document like any other, found by its external id.

* `shippingOrder` brings a router to the customer. It is taken away by cancelling it; by a recall when it is on the road; once it was
  delivered that is refused: it needs a return.
* `returnOrder` brings it back: the action of its item is `delete`, as TMF700 has no other word. It is cancelled until it is handed in.

What was cancelled or recalled is not there any more, though the parcel may still be on its way back: the question `returned` tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from nornir.core.inventory import Host

from engine.errors import BeyondRecall, TargetError, TargetRefused
from engine.ports import Answer, Look, Question, Trouble
from tasks.connections.http import HttpTarget, http_of
from tasks.kinds.bodies import Body
from tasks.kinds.documents import DocumentKind, DocumentStore, Operation
from tasks.kinds.unanswered import not_known
from tasks.transaction import Deadline

_ORDER = "shippingOrder"
_RETURN = "returnOrder"
_TAKEN_BACK = {_ORDER: {"cancelled", "recalled", "returned"}, _RETURN: {"cancelled"}}
"""States in which an order is as good as not there, by kind of document."""
_ON_THE_ROAD = {"shipped", "inTransit"}
_CALLBACK = "callbackUrl"
"""Characteristic that tells the carrier where its webhooks go; TMF700 has no field for it."""
_CHARACTERISTICS = "shippingOrderCharacteristic"
_LOOKS = 3
"""So often an order that moved on, while it was to be taken back, is looked at again."""
_BROUGHT_BACK = "/return"
"""Ends the external id of the order that brings a parcel back."""
_SECONDS_TO_ASK = 30.0


class _Logistics(DocumentStore):
    def __init__(self, http: HttpTarget, deadline: Deadline) -> None:
        super().__init__(http.name, deadline)
        self._http = http

    def read(self, kind: str, key: str) -> Body | None:
        """Return the order with this external id that was not taken back, without what we add to it ourselves."""
        order = self.order(key, self._known(kind))
        if order is None:
            return None
        ours = [one for one in order.get(_CHARACTERISTICS, []) if one.get("name") != _CALLBACK]
        return {**order, _CHARACTERISTICS: ours}

    def create(self, kind: str, key: str, body: Body) -> None:
        self._known(kind)
        self._http.request("POST", f"{self._base()}/{_ORDER}", seconds=self._seconds(), json=self._with_callback(key, body))

    def replace(self, kind: str, key: str, body: Body) -> None:  # noqa: ARG002 - the shape of a store
        raise TargetRefused(f"{self.target}: {kind} {key} cannot be changed, only taken back", target=self.target)

    def delete(self, kind: str, key: str) -> None:
        for look in range(_LOOKS):
            order = self.read(kind, key)
            if order is None:
                return
            try:
                self._take_back(kind, key, order)
            except TargetRefused:
                if look + 1 == _LOOKS or not self._has_moved(kind, key, order):
                    raise

    def consider(self, operations: Sequence[Operation]) -> None:
        """Refuse what cannot be taken back before anything is: a recall cannot be undone for another parcel's sake."""
        for operation in operations:
            held = self.read(operation.kind, operation.key) if operation.body is None else None
            if held is not None:
                self._refuse_what_arrived(operation.kind, operation.key, held)

    def undo(self, operations: Sequence[Operation]) -> None:
        """Cancel what has not left. What is on the road goes on, and the rest of its transaction is carried through later."""
        for operation in operations:
            held = self.read(operation.kind, operation.key) if operation.was is None else None
            if held is not None and held.get("status") in _ON_THE_ROAD:
                raise TargetRefused(f"{self.target}: {operation.path} is on the road", target=self.target)
        super().undo(operations)

    def learned(self, kind: str, held: Body) -> Mapping[str, str]:  # noqa: ARG002
        """`id` of the shipping order, `tracking_code` of the parcel."""
        return {"id": str(held["id"]), "tracking_code": _tracking_code(held)}

    def order(self, external_id: str, kind: str = _ORDER) -> Mapping[str, Any] | None:
        """Return the order with this external id as it is now, None when there is none or only such as were taken back."""
        return next((order for order in self._orders(external_id) if order.get("status") not in _TAKEN_BACK[kind]), None)

    def last(self, external_id: str) -> Mapping[str, Any] | None:
        """Return the last order with this external id, whatever became of it."""
        return max(self._orders(external_id), key=lambda order: str(order.get("creationDate")), default=None)

    def _orders(self, external_id: str) -> Sequence[Mapping[str, Any]]:
        url = f"{self._base()}/{_ORDER}"
        found: Sequence[Mapping[str, Any]] = self._http.request(
            "GET", url, seconds=self._seconds(), params={"externalId": external_id}
        ).json()
        return found

    def _take_back(self, kind: str, key: str, order: Body) -> None:
        self._refuse_what_arrived(kind, key, order)
        url = f"{self._base()}/{_ORDER}/{quote(str(order['id']), safe='')}"
        if kind == _ORDER and order.get("status") in _ON_THE_ROAD:
            self._http.request("PATCH", url, seconds=self._seconds(), may_repeat=True, json={"status": "recalled"})
        else:
            self._http.request("DELETE", url, seconds=self._seconds(), expected={404})

    def _refuse_what_arrived(self, kind: str, key: str, order: Body) -> None:
        status, target = order.get("status"), self.target
        if kind == _ORDER and status == "delivered":
            raise BeyondRecall(f"{target}: parcel {_tracking_code(order)} of {key} was delivered: a return is needed", target=target)
        if kind == _RETURN and status in {"inTransit", "returned"}:
            raise TargetRefused(f"{target}: the customer has handed in {key}: it can no longer be cancelled", target=target)

    def _has_moved(self, kind: str, key: str, order: Body) -> bool:
        now = self.read(kind, key)
        return now is None or now.get("status") != order.get("status")

    def _with_callback(self, key: str, body: Body) -> Body:
        """Add where the webhooks go; `{externalId}` in the setting stands for the order's."""
        url = self._http.access.urls.get("callback")
        if url is None:
            return body
        callback = {"name": _CALLBACK, "value": url.replace("{externalId}", quote(key, safe=""))}
        return {**body, _CHARACTERISTICS: [*body.get(_CHARACTERISTICS, []), callback]}

    def _known(self, kind: str) -> str:
        if kind not in _TAKEN_BACK:
            raise TargetRefused(f"{self.target} holds no documents of kind {kind}, only {' and '.join(_TAKEN_BACK)}", target=self.target)
        return kind

    def _base(self) -> str:
        return self._http.access.url(target=self.target)

    def _seconds(self) -> float:
        return min(self._http.access.timeout, self.deadline.require(self.target, "it was asked"))


def _tracking_code(order: Body) -> str:
    return str(_shipment(order).get("shipmentTracking", {}).get("id", ""))


def _shipment(order: Body) -> Mapping[str, Any]:
    shipment: Mapping[str, Any] = order["shippingOrderItem"][0].get("shipment", {})
    return shipment


@contextmanager
def _opened(host: Host, deadline: Deadline) -> Iterator[DocumentStore]:
    yield _Logistics(http_of(host), deadline)


class LogisticsKind(DocumentKind):
    """Documents, and the questions whether a parcel was `delivered` or `returned`; argument `order`: the order's external id.

    Of a shipping order `returned` means that the router is in the warehouse again, or never left it: it was recalled, or its return (the
    order with its external id and `/return`) arrived there.
    """

    def __init__(self) -> None:
        super().__init__(_opened)

    def ask(self, questions: Sequence[Question], host: Host) -> Mapping[int, Answer]:
        """Look where the parcels are (`tasks.kinds.base.Kind`)."""
        store = _Logistics(http_of(host), Deadline(_SECONDS_TO_ASK))
        return {question.step: _answer(store, question) for question in questions}


def _answer(store: _Logistics, question: Question) -> Answer:
    external_id, look = question.arguments.get("order", ""), _QUESTIONS.get(question.until)
    if look is None or not external_id:
        return not_known(question, [f"{name} (argument order)" for name in _QUESTIONS])
    awaits = f"{question.until}:{external_id}"
    try:
        answer = look(store, external_id)
        return replace(answer, awaits=answer.awaits or awaits)
    except TargetError as error:
        return Answer(Look.NOT_YET, error.message, awaits=awaits, trouble=Trouble.of(error))


def _delivered(store: _Logistics, external_id: str) -> Answer:
    order = store.order(external_id)
    if order is None:
        raise TargetRefused(f"{store.target} has no shipping order {external_id}, or it was taken back", target=store.target)
    return _arrived(order, "delivered")


def _returned(store: _Logistics, external_id: str) -> Answer:
    brought_back = store.order(f"{external_id}{_BROUGHT_BACK}", _RETURN)
    if brought_back is not None:
        return replace(_arrived(brought_back, "returned"), awaits=f"returned:{external_id}{_BROUGHT_BACK}")
    order = store.last(external_id)
    is_return = order is not None and order["shippingOrderItem"][0].get("action") == "delete"
    if order is None or (is_return and order.get("status") == "cancelled"):
        raise TargetRefused(f"{store.target} has no order {external_id}, or it was cancelled", target=store.target)
    if order.get("status") == "cancelled":
        return Answer(Look.DONE, f"parcel {_tracking_code(order)} never left the warehouse")
    return _arrived(order, "returned")


def _arrived(order: Mapping[str, Any], status: str) -> Answer:
    code = _tracking_code(order)
    learned = {"id": str(order["id"]), "tracking_code": code}
    if order.get("status") != status:
        return Answer(Look.NOT_YET, f"parcel {code} is {order.get('status')}", learned)
    at = str(_shipment(order).get("deliveryDate") or order.get("lastUpdateDate"))
    return Answer(Look.DONE, f"parcel {code} was {status} at {at}", {**learned, f"{status}_at": at})


_QUESTIONS: Mapping[str, Callable[[_Logistics, str], Answer]] = {"delivered": _delivered, "returned": _returned}

LOGISTICS = LogisticsKind()
