"""Warehouse and carrier: shipping orders (TMF700 v4.0). A parcel is a document like any other; taking it back is cancelling it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from nornir.core.inventory import Host

from engine.errors import TargetError, TargetRefused
from engine.ports import Answer, Look, Question, Trouble
from tasks.connections.http import HttpTarget, http_of
from tasks.kinds.bodies import Body
from tasks.kinds.documents import DocumentKind, DocumentStore
from tasks.kinds.unanswered import not_known
from tasks.transaction import Deadline

_ORDER = "shippingOrder"
_CALLBACK = "callbackUrl"
"""Characteristic that tells the carrier where its webhooks go; TMF700 has no field for it."""
_CHARACTERISTICS = "shippingOrderCharacteristic"
_CANCELLED = "cancelled"
_SECONDS_TO_ASK = 30.0


class _Logistics(DocumentStore):
    def __init__(self, http: HttpTarget, deadline: Deadline) -> None:
        super().__init__(http.name, deadline)
        self._http = http

    def read(self, kind: str, key: str) -> Body | None:
        """Return the order with this external id that is not cancelled, without what we add to it ourselves."""
        order = self.order(key) if self._is_order(kind) else None
        if order is None:
            return None
        ours = [one for one in order.get(_CHARACTERISTICS, []) if one.get("name") != _CALLBACK]
        return {**order, _CHARACTERISTICS: ours}

    def create(self, kind: str, key: str, body: Body) -> None:
        self._is_order(kind)
        self._http.request("POST", f"{self._base()}/{_ORDER}", seconds=self._seconds(), json=self._with_callback(key, body))

    def replace(self, kind: str, key: str, body: Body) -> None:  # noqa: ARG002 - the shape of a store
        raise TargetRefused(f"{self.target}: {kind} {key} cannot be changed, only cancelled", target=self.target)

    def delete(self, kind: str, key: str) -> None:
        order = self.read(kind, key)
        if order is not None:
            self._http.request(
                "DELETE", f"{self._base()}/{_ORDER}/{quote(str(order['id']), safe='')}", seconds=self._seconds(), expected={404}
            )

    def learned(self, kind: str, held: Body) -> Mapping[str, str]:  # noqa: ARG002
        """`id` of the shipping order, `tracking_code` of the parcel."""
        return {"id": str(held["id"]), "tracking_code": _tracking_code(held)}

    def order(self, external_id: str) -> Mapping[str, Any] | None:
        """Return the order with this external id as it is now, None when there is none or only cancelled ones."""
        found = self._http.request("GET", f"{self._base()}/{_ORDER}", seconds=self._seconds(), params={"externalId": external_id}).json()
        return next((order for order in found if order.get("status") != _CANCELLED), None)

    def _with_callback(self, key: str, body: Body) -> Body:
        """Add where the webhooks go; `{externalId}` in the setting stands for the order's."""
        url = self._http.access.urls.get("callback")
        if url is None:
            return body
        callback = {"name": _CALLBACK, "value": url.replace("{externalId}", quote(key, safe=""))}
        return {**body, _CHARACTERISTICS: [*body.get(_CHARACTERISTICS, []), callback]}

    def _is_order(self, kind: str) -> bool:
        if kind != _ORDER:
            raise TargetRefused(f"{self.target} holds no documents of kind {kind}, only {_ORDER}", target=self.target)
        return True

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
    """Documents, and the question whether a parcel was `delivered`; argument `order`: the shipping order's external id."""

    def __init__(self) -> None:
        super().__init__(_opened)

    def ask(self, questions: Sequence[Question], host: Host) -> Mapping[int, Answer]:
        """Look where the parcels are (`tasks.kinds.base.Kind`)."""
        store = _Logistics(http_of(host), Deadline(_SECONDS_TO_ASK))
        return {question.step: _answer(store, question) for question in questions}


def _answer(store: _Logistics, question: Question) -> Answer:
    external_id = question.arguments.get("order", "")
    if question.until != "delivered" or not external_id:
        return not_known(question, ["delivered (argument order)"])
    awaits = f"delivered:{external_id}"
    try:
        order = store.order(external_id)
        if order is None:
            raise TargetRefused(f"{question.target} has no shipping order {external_id}, or it was cancelled", target=question.target)
    except TargetError as error:
        return Answer(Look.NOT_YET, error.message, awaits=awaits, trouble=Trouble.of(error))
    shipment, code = _shipment(order), _tracking_code(order)
    learned = {"id": str(order["id"]), "tracking_code": code}
    if order.get("status") != "delivered":
        return Answer(Look.NOT_YET, f"parcel {code} is {order.get('status')}", learned, awaits)
    at = str(shipment.get("deliveryDate") or order.get("lastUpdateDate"))
    return Answer(Look.DONE, f"parcel {code} was delivered at {at}", {**learned, "delivered_at": at}, awaits)


LOGISTICS = LogisticsKind()
