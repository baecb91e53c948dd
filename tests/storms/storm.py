"""Plays a story on a world, brings it to its end, and lets the independent checker look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

import sqlalchemy as sa

from engine.acceptance import Acceptance, Accepted
from engine.amend import Wish as Amendment
from engine.amend import amend
from engine.batch import Workplace
from engine.cancel import cancel, undo
from engine.catalogue.catalogue import Catalogue
from engine.errors import Conflict, NothingHeld, TurnupError, UnknownInstance
from engine.requests import OrderRequest
from engine.resuming import resume
from engine.store import schema
from engine.store.schema import WAITS
from engine.tree import Tree
from tests.chaos.checker import Expected, Finding, check
from tests.chaos.findings import Kind
from tests.chaos.lines import Line
from tests.chaos.observed import Observed
from tests.null_world import superfibre
from tests.storms.story import ASKED, UNTIL_STILL, Amends, Fails, Happening, Heals, Ordered, Orders, TakesBack, TakesUp, Wish, Works, lines

_ROUNDS = 4
"""So often all that is held is done again at the end, before it counts as stuck."""


_NO_LINE = ("ended at",)
"""Why an order fails whose line has ended before it had its turn."""


class World(Protocol):
    """What stories are played on."""

    @property
    def at(self) -> Workplace:
        """All that carrying out a step needs."""

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of new orders."""

    def fail(self, target: str, how: str) -> None:
        """From now on this goes wrong."""

    def heal(self) -> None:
        """Everything works again."""

    def work(self, rounds: int) -> None:
        """Let the lanes be worked: a little, or until nothing moves any more."""

    def observe(self) -> Observed:
        """Look at everything."""

    def check(self, lines: Mapping[str, Line | None], seen: Observed) -> Iterable[Finding]:
        """What is wrong beside what the checker finds in every world."""


@dataclass
class Storm:
    """One story. `number`: keeps its customers apart from those of other stories on the same world."""

    world: World
    before: Observed
    number: int = 0
    orders: list[Ordered] = field(default_factory=list)
    products: dict[int, str] = field(default_factory=dict)
    taken_back: set[str] = field(default_factory=set)
    amended: dict[str, str] = field(default_factory=dict)
    refusals: list[TurnupError] = field(default_factory=list)
    """What was refused on the way."""

    def __post_init__(self) -> None:
        self.acceptance = Acceptance(self.world.at, self.world.catalogue)
        self._numbers = count(1)

    def play(self, story: Sequence[Happening]) -> None:
        """Everything that happens, one after the other. A refusal of what somebody asks for is part of the story."""
        for happening in story:
            try:
                self._happen(happening)
            except (Conflict, UnknownInstance) as refusal:
                self.refusals.append(refusal)

    def _happen(self, happening: Happening) -> None:
        world = self.world
        match happening:
            case Orders(customer, wish):
                self._order(customer, wish)
            case TakesBack(customer, how, back):
                self._take_back(customer, how, back)
            case Amends(customer, ssid):
                self._amend(customer, ssid)
            case Fails(target, how):
                world.fail(target, how)
            case Heals():
                world.heal()
            case TakesUp():
                self._take_up()
            case Works(rounds):
                world.work(rounds)

    def last(self) -> Tree:
        """The order that was accepted last."""
        return self.world.at.store.tree(self.orders[-1].id)

    # -- orders --------------------------------------------------------------------------------------------------------
    def _order(self, customer: int, wish: Wish) -> None:
        product = self.products.get(customer)
        if (wish is Wish.ADD) == (product is not None and self._lives(product)):
            return  # one line a customer, and nothing is ordered for what was never there
        request = self._request(customer, wish, product)
        order = self.acceptance.submit(request).id
        if wish is Wish.ADD:
            product = self.products[customer] = str(self.world.at.store.tree(order).root.subscription)
        self.orders.append(Ordered(order, customer, wish, product or ""))

    def _request(self, customer: int, wish: Wish, product: str | None) -> OrderRequest:
        name = f"storm-{self.number}-{next(self._numbers)}"
        if wish is Wish.ADD:
            return superfibre(1000 + self.number * 10 + customer).model_copy(update={"external_id": name})
        return OrderRequest.model_validate({"externalId": name, "product": product, **ASKED[wish]})

    def _lives(self, product: str) -> bool:
        ended = sa.select(schema.instances.c.ended).where(schema.instances.c.id == product)
        return self.world.at.store.database.look(lambda tx: tx.execute(ended).scalar()) is None

    def _take_back(self, customer: int, how: str, back: int) -> None:
        mine = [order for order in self.orders if order.customer == customer]
        if len(mine) <= back:
            return
        order = mine[-1 - back]
        if how == "cancel":
            cancel(self.world.at, order.id, "changed my mind")
            self.taken_back.add(order.id)
            return
        outcome = undo(self.world.at, self.acceptance, order.id, "not what I wanted")
        if not isinstance(outcome, Accepted):
            self.taken_back.add(order.id)
        elif not outcome.repeated:
            self.orders.append(Ordered(outcome.id, customer, None, order.product, order.id))

    def _amend(self, customer: int, ssid: str) -> None:
        mine = [order for order in self.orders if order.customer == customer]
        if mine:
            amend(self.world.at, self.acceptance, mine[-1].id, Amendment(characteristics={"ssid": ssid}), "another name")
            self.amended[mine[-1].id] = ssid

    def _take_up(self) -> None:
        for root in self._held():
            with suppress(NothingHeld):
                resume(self.world.at.store, root, "somebody")

    def _held(self) -> list[str]:
        """The orders of which something is held."""
        steps = schema.steps
        held = sa.or_(steps.c.state == "held", WAITS)
        return list(self.world.at.store.database.look(lambda tx: tx.execute(sa.select(steps.c.root).where(held).distinct()).scalars()))

    # -- the end -------------------------------------------------------------------------------------------------------
    def end(self) -> list[Finding]:
        """Everything works again, and all that is held is done again. Returns what is wrong."""
        self.world.heal()
        self.world.work(UNTIL_STILL)
        for _ in range(_ROUNDS):
            if not self._held():
                break
            self._take_up()
            self.world.work(UNTIL_STILL)
        return [*self._stuck()] or self.findings() or self._all_cease()

    def _all_cease(self) -> list[Finding]:
        """In the end all lines are given up: then nothing is left of them."""
        for customer in self.products:
            self._order(customer, Wish.CEASE)
        self.world.work(UNTIL_STILL)
        left = {product: line for product, line in self._lines().items() if line is not None}
        return [Finding(Kind.LOST, f"{product} was given up and is {line}") for product, line in left.items()] or self.findings()

    def _stuck(self) -> Iterator[Finding]:
        """What stands still, though nothing is in its way."""
        for order in self.orders:
            held = [step for step in self.world.at.store.tree(order.id).steps.values() if step.held]
            if held:
                yield Finding(Kind.LOST, f"{order.id} stands still: {[(s.key, s.trouble and s.trouble.message) for s in held]}")

    def findings(self) -> list[Finding]:
        """What the checker finds now."""
        seen = self.world.observe()
        expected = self.expected()
        return [*check(expected, seen), *self.world.check(expected.lines or {}, seen)]

    def expected(self) -> Expected:
        """What the checker is told, with each line as it must be by the states in which its orders have ended."""
        before = self.before
        netbox = {path: {row["id"] for row in rows} for path, rows in before.netbox.items()}
        earlier = [row for row in before.tables["orders"] if row["id"] == row["root"]]
        taken_back = self.taken_back | {row["id"] for row in earlier if row["state"] == "cancelled"}
        orders = [*(row["id"] for row in earlier), *(order.id for order in self.orders)]
        return Expected(orders, before.devices, netbox, (), taken_back, _NO_LINE, self._lines())

    def _lines(self) -> dict[str, Line | None]:
        rows = self.world.at.store.database.look(lambda tx: tx.execute(sa.select(schema.orders.c.id, schema.orders.c.state)).all())
        return lines(self.orders, {row.id: row.state for row in rows}, self.amended)
