"""Accepting orders: checked against the catalogue, stored durably, once per external id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from engine.batch import Workplace
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.characteristics import offered
from engine.changing import INHERITED, facts, prepare, waits_for
from engine.context import order_facts
from engine.decomposition import Line, complete
from engine.errors import DuplicateOrder, PlaybookInvalid, SubscriptionBusy, TurnupError, UnknownInstance, UnknownSpecification
from engine.lines import lines_below, new_items
from engine.model import Action, Order
from engine.requests import Address, ItemRequest, OrderRequest
from engine.schedule import is_scheduled, put_off
from engine.states import Level, OrderState
from engine.steps.decompose import begin, holders, steps_of
from engine.store import bulk
from engine.store.instance_ids import InstanceIds
from engine.store.schema import orders
from engine.store.store import Subscription
from engine.tree import Tree


@dataclass(frozen=True)
class Accepted:
    """What became of a submit. `repeated`: the same order was accepted before; nothing was ordered twice."""

    id: str
    external_id: str
    repeated: bool


Submitted: TypeAlias = Accepted | TurnupError


class Acceptance:
    """The way in, the same for playbooks, bulk files and APIs."""

    def __init__(self, at: Workplace, catalogue: Catalogue) -> None:
        self._at, self._catalogue = at, catalogue

    def submit(self, request: OrderRequest, *, checksum: str | None = None) -> Accepted:
        """Accept an order durably, or say that it was accepted before.

        Raises UnknownSpecification, DuplicateOrder, InventoryIncomplete, InventoryUnreachable: then nothing is
        left behind.
        """
        (outcome,) = self._submit([request], checksum)
        if isinstance(outcome, TurnupError):
            raise outcome
        return outcome

    def submit_many(self, requests: Sequence[OrderRequest]) -> list[Submitted]:
        """Accept many orders with one write to the disk; say of each, in their order, what became of it.

        One that is refused, as `submit` would, harms no other. Raises StoreError: then none of them may count as accepted; to submit
        all again is safe.
        """
        return self._submit(requests, None)

    def _submit(self, requests: Sequence[OrderRequest], checksum: str | None) -> list[Submitted]:
        outcomes: dict[int, Submitted] = {}
        while left := [place for place in range(len(requests)) if place not in outcomes]:
            # of those with the same external id the first goes ahead, the others find what became of it
            first: dict[str, int] = {}
            for place in left:
                first.setdefault(requests[place].external_id, place)
            told = self._submit_different([requests[place] for place in first.values()], checksum)
            outcomes |= {place: told[name] for name, place in first.items()}
        return [outcomes[place] for place in range(len(requests))]

    def _submit_different(self, requests: Sequence[OrderRequest], checksum: str | None) -> dict[str, Submitted]:
        told = self._earlier(requests)
        good = []
        for request in requests:
            try:
                if request.external_id not in told:
                    self.rehearse(self.draft(request))
                    self._must_be_free(request)
                    good.append(request)
            except TurnupError as error:
                told[request.external_id] = error
        return told | self._store(good, checksum)

    def ordered(self, request: OrderRequest) -> str | None:
        """The order that has this external id already: submitting orders nothing. Raises DuplicateOrder when that was another order."""
        outcome = self._earlier([request]).get(request.external_id)
        if isinstance(outcome, TurnupError):
            raise outcome
        return outcome.id if outcome else None

    def draft(self, request: OrderRequest, order_id: str = "") -> Tree:
        """The order as a tree of one level, not stored. Raises as `submit`."""
        at, now = self._at, self._at.clock.now()
        body, subscription = self._body(request), self._subscription(request)
        if subscription is not None:
            known = facts(subscription)
            body |= {INHERITED: [name for name in known if name not in body]}
            body |= {name: known[name] for name in body[INHERITED]}
        at.inventory.site(Address.model_validate(body["address"]).exchange)
        prefix = request.level.item_prefix
        lines = [(f"{prefix}-{n:03d}", self._line(request.level, line, body)) for n, line in enumerate(request.lines, start=1)]
        order = Order(
            id=order_id or f"{request.level.order_prefix}-draft",
            root=order_id or f"{request.level.order_prefix}-draft",
            level=request.level,
            state=OrderState.ACKNOWLEDGED,
            created=now,
            catalogue=self._pinned(request, subscription),
            subscription=subscription.name if subscription else None,
            undoes=request.undoes,
            external_id=request.external_id,
            digest=at.store.vault.digest(request.model_dump_json(by_alias=True)),
            priority=request.priority,
            body=body,
        )
        tree = Tree([order], [], [], (), subscription.instances if subscription else ())
        for item in new_items(at.store.catalogue(order.catalogue), at.store.vault, tree, order, lines):
            tree.items[item.order, item.id] = item
        return tree

    def _subscription(self, request: OrderRequest) -> Subscription | None:
        """What an order changes; None when it orders something new. Raises UnknownInstance, PlaybookInvalid."""
        if request.adds:
            return None
        look = self._at.store.database.look
        found = [look(partial(self._at.store.subscription, name=line.subject)) for line in request.lines]
        if len({subscription.name for subscription in found}) > 1:
            raise PlaybookInvalid("an order changes products and services of one subscription, not of several")
        levels = {instance.id: instance.level for instance in found[0].instances}
        for line in request.lines:
            if levels[line.subject] is not request.level:
                raise UnknownInstance(f"{line.subject} is no {request.level}, but a {levels[line.subject]}")
        return found[0]

    def _pinned(self, request: OrderRequest, subscription: Subscription | None) -> str:
        """What is only ended, suspended or resumed stays with the catalogue that it was made by."""
        if subscription is None or any(line.action == "modify" for line in request.lines):
            self._at.store.know(self._catalogue)
            return self._catalogue.digest
        return next(i.catalogue for i in subscription.instances if i.id == request.lines[0].subject)

    def _must_be_free(self, request: OrderRequest) -> None:
        """Raises SubscriptionBusy when an order is under way on what is to be changed, and the offering lets none wait."""
        subscription = self._subscription(request)
        if subscription is None:
            return
        first, *others = subscription.orders
        others = [order for order in others if not is_scheduled(order, self._at.clock.now())]
        busy = next((order for order in (first, *others) if not order.state.final), None)
        if busy is None:
            return
        offerings = [self._catalogue.offerings.get(i.offering or "") for i in subscription.instances if i.level is Level.PRODUCT]
        if any(offering is not None and offering.while_busy == "refuse" for offering in offerings):
            raise SubscriptionBusy(f"order {busy.id} ({busy.state}) is under way on {subscription.name}")

    def rehearse(self, tree: Tree) -> None:
        """Decompose down to the resources in memory, so that what cannot be decomposed is refused now. The tree is left as it would be
        planned: with the orders and items of all levels, and their steps."""
        self._rehearse(tree, InstanceIds(), turn=False)

    def preview(self, tree: Tree) -> None:
        """As `rehearse`, with the ids of products and services that would be given now."""
        with self._at.store.database.read() as tx:
            self._rehearse(tree, InstanceIds(tx), turn=True)

    def _rehearse(self, tree: Tree, ids: InstanceIds, *, turn: bool) -> None:
        """`turn`: as if nothing had its turn before it; else what an order changes that waits may not be there yet, and it is looked at
        whole."""
        at, catalogue, order = self._at, self._at.store.catalogue(tree.root.catalogue), tree.root
        waits = False
        if tree.changes_something:
            subscription = at.store.database.look(partial(at.store.subscription, name=order.subscription or ""))
            prepare(catalogue, at.store.vault, tree, subscription)
            waits = not turn and waits_for(subscription, order.id) is not None
        begin(ids, at.store.vault, catalogue, tree, order)
        while order.level.below is not None:
            lines = lines_below(catalogue, at.store.vault, tree, order, whole=waits)
            name = f"{order.level.below.order_prefix}-draft"
            below = Order(name, order.root, order.level.below, OrderState.ACKNOWLEDGED, order.created, order.catalogue, parent=order.id)
            tree.orders[below.id] = below
            tree.items |= {(item.order, item.id): item for item in new_items(catalogue, at.store.vault, tree, below, lines)}
            begin(ids, at.store.vault, catalogue, tree, below)
            order = below
        held_by = at.store.database.look(partial(holders, at=at, tree=tree, order=order)) if tree.changes_something else {}
        tree.steps = {step.key: step for step in steps_of(catalogue, tree, order, held_by)}

    def _line(self, level: Level, line: ItemRequest, body: Mapping[str, Any]) -> Line:
        """What is ordered anew is complete; what a change asks for is completed when its turn comes (engine.changing)."""
        offering = self._catalogue.offering(line.offering) if line.offering else None
        if offering is not None and not offering.active:
            raise UnknownSpecification(f"offering {offering.id} ({offering.name}) is no longer sold")
        if line.subject:
            action = Action.DELETE if line.action == "delete" else Action.MODIFY
            return Line("", line.characteristics, offering=line.offering, action=action, instance=line.subject)
        facts = order_facts(body)
        if offering is None:
            name = line.specification or ""
            return Line(name, complete(self._catalogue, level, name, line.characteristics, facts))
        given = offered(offering, line.characteristics)
        return Line(offering.specification, complete(self._catalogue, level, offering.specification, given, facts), offering=offering.id)

    def _body(self, request: OrderRequest) -> dict[str, Any]:
        """The request as it is stored: without its characteristics, which the items hold with their secrets sealed."""
        body = request.body()
        body.pop("characteristics", None)
        for line in body.get("items", []):
            line.pop("characteristics", None)
        return body

    def _earlier(self, requests: Sequence[OrderRequest]) -> dict[str, Submitted]:
        """What is to be said of those whose external id is known already."""
        by_id = {request.external_id: request for request in requests}
        found = self._at.store.database.look(lambda tx: tx.execute(_ORDERED, {"names": list(by_id)}).all())
        return {name: self._again(by_id[name], order, digest) for name, order, digest in found}

    def _again(self, request: OrderRequest, order: str, digest: str) -> Submitted:
        if digest != self._at.store.vault.digest(request.model_dump_json(by_alias=True)):
            return DuplicateOrder(f"external id {request.external_id} belongs to order {order}, which was ordered with another body")
        return Accepted(order, request.external_id, repeated=True)

    def _store(self, requests: Sequence[OrderRequest], checksum: str | None) -> dict[str, Submitted]:
        if not requests:
            return {}
        try:
            made = self._at.store.database.change(lambda tx: self._insert(tx, requests, checksum))
        except IntegrityError:
            # other submits of some of these external ids were faster, or it was this one, and the answer to its commit was lost
            earlier = self._earlier(requests)
            if not earlier:
                raise
            return earlier | self._store([request for request in requests if request.external_id not in earlier], checksum)
        return {
            request.external_id: Accepted(order, request.external_id, repeated=False) for request, order in zip(requests, made, strict=True)
        }

    def _insert(self, tx: sa.Connection, requests: Sequence[OrderRequest], checksum: str | None) -> list[str]:
        store, ids = self._at.store, InstanceIds(tx)
        store.pin(tx, self._catalogue)
        trees = [self._planned(ids, request, store.next_id(tx, request.level), checksum) for request in requests]
        store.ensure_lanes(tx, {step.lane for tree in trees for step in tree.steps.values() if step.lane})
        store.save(tx, trees)
        return [tree.root.id for tree in trees]

    def _planned(self, ids: InstanceIds, request: OrderRequest, number: str, checksum: str | None) -> Tree:
        """The order as it is stored: with its instances and its first steps."""
        store = self._at.store
        tree = self.draft(request, number)
        order = tree.root
        order.checksum = checksum
        catalogue = store.catalogue(order.catalogue)
        begin(ids, store.vault, catalogue, tree, order)
        tree.emit(order.id, None, "orderCreate", order.created, state=order.state, level=order.level)
        tree.plan(steps_of(catalogue, tree, order), store.clock.real())
        start = request.requested_start_date
        if start is not None and is_scheduled(order, store.clock.now()):
            for step in tree.steps.values():
                put_off(step, store.clock.earliest(start))
        return tree


_ORDERED = sa.select(orders.c.external_id, orders.c.id, orders.c.digest).where(orders.c.external_id.in_(bulk.many("names")))
