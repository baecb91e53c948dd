"""Documents that cannot be taken back any more: a parcel that is on the road."""

from __future__ import annotations

from engine.errors import TargetRefused, TargetUnreachable
from engine.ports import Push, TransactionState
from tasks.kinds.documents import Body, DocumentStore, DocumentTransaction
from tasks.transaction import Deadline
from tests.integration.tasks.document_changes import change, put


class Carrier(DocumentStore):
    """Takes orders and never cancels one. After `left` of them its line is down until `up` is called."""

    def __init__(self, left: int) -> None:
        super().__init__("logistics", Deadline(5))
        self.held: dict[str, Body] = {}
        self.left = left

    def up(self) -> None:
        self.left, self.deadline = 100, Deadline(5)

    def read(self, kind: str, key: str) -> Body | None:
        return self.held.get(f"{kind}/{key}")

    def create(self, kind: str, key: str, body: Body) -> None:
        if self.left == 0:
            raise TargetUnreachable("the line is down", target=self.target)
        self.left -= 1
        self.held[f"{kind}/{key}"] = body

    def replace(self, kind: str, key: str, body: Body) -> None:
        raise TargetRefused("it is on the road", target=self.target)

    def delete(self, kind: str, key: str) -> None:
        raise TargetRefused("it is on the road", target=self.target)


PARCELS = change(put("shippingOrder", "RO-1/ROI-007", {"a": 1}), put("shippingOrder", "RO-2/ROI-007", {"a": 2}))


def push() -> Push:
    return Push("t1", "logistics", PARCELS)


def test_what_cannot_be_taken_back_is_left_open_and_carried_through_later() -> None:
    carrier = Carrier(left=1)
    assert DocumentTransaction(push(), carrier).carry_out().state is TransactionState.OPEN
    carrier.up()
    assert DocumentTransaction(push(), carrier).find_out().state is TransactionState.CONFIRMED
    assert len(carrier.held) == 2


def test_while_the_rest_cannot_be_asked_for_it_stays_open() -> None:
    carrier = Carrier(left=1)
    DocumentTransaction(push(), carrier).carry_out()
    assert DocumentTransaction(push(), carrier).find_out().state is TransactionState.NOT_ATTEMPTED  # the engine comes again


def test_nothing_was_done() -> None:
    carrier = Carrier(left=0)
    assert DocumentTransaction(push(), carrier).find_out().state is TransactionState.REVERSED
