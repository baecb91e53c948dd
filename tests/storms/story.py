"""What may happen to customers' lines, as random stories, and what each line must be after it: a model that knows nothing of how any of it
is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

from hypothesis import strategies as st

from tests.chaos.lines import Line

CUSTOMERS = (1, 2)
TARGETS = ("OLT-EAST-07", "ASW-EAST-07", "BNG-EAST-01", "DHCP-EAST-01", "RADIUS-EAST-01", "ACS-01", "cloudwifi", "logistics")


class Wish(StrEnum):
    """What a customer orders."""

    ADD = "add"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    NEST = "ssid Nest"
    HOME = "ssid Home"
    STATIC = "static address"
    DYNAMIC = "no static address"
    NO_WIFI = "no wifi"
    WIFI = "wifi"
    SWAP = "another router"
    SUSPEND = "suspend"
    RESUME = "resume"
    CEASE = "cease"


Effect: TypeAlias = Callable[[Line], "Line | None"]
EFFECTS: Mapping[Wish, Effect] = {
    Wish.UPGRADE: lambda line: replace(line, offering="PO-SF500"),
    Wish.DOWNGRADE: lambda line: replace(line, offering="PO-SF200H"),
    Wish.NEST: lambda line: replace(line, ssid="Nest"),
    Wish.HOME: lambda line: replace(line, ssid="Home"),
    Wish.STATIC: lambda line: replace(line, static=True),
    Wish.DYNAMIC: lambda line: replace(line, static=False),
    Wish.NO_WIFI: lambda line: replace(line, wifi=False),
    Wish.WIFI: lambda line: replace(line, wifi=True),
    Wish.SWAP: lambda line: line,
    Wish.SUSPEND: lambda line: replace(line, suspended=True),
    Wish.RESUME: lambda line: replace(line, suspended=False),
    Wish.CEASE: lambda _: None,
}
ASKED: Mapping[Wish, Mapping[str, Any]] = {
    Wish.UPGRADE: {"action": "modify", "offering": "PO-SF500"},
    Wish.DOWNGRADE: {"action": "modify", "offering": "PO-SF200H"},
    Wish.NEST: {"action": "modify", "characteristics": {"ssid": "Nest"}},
    Wish.HOME: {"action": "modify", "characteristics": {"ssid": "Home"}},
    Wish.STATIC: {"action": "modify", "characteristics": {"staticIp": True}},
    Wish.DYNAMIC: {"action": "modify", "characteristics": {"staticIp": False}},
    Wish.NO_WIFI: {"action": "modify", "characteristics": {"wifiApp": False}},
    Wish.WIFI: {"action": "modify", "characteristics": {"wifiApp": True}},
    Wish.SWAP: {"action": "modify", "replace": ["ont"]},
    Wish.SUSPEND: {"action": "suspend"},
    Wish.RESUME: {"action": "resume"},
    Wish.CEASE: {"action": "delete"},
}
"""How it is ordered."""


# -- what happens --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Orders:
    """A customer orders something."""

    customer: int
    wish: Wish


@dataclass(frozen=True)
class TakesBack:
    """Somebody cancels or undoes the customer's last order, or one before it."""

    customer: int
    how: str
    back: int


@dataclass(frozen=True)
class Amends:
    """The customer wants another network name while the last order is under way."""

    customer: int
    ssid: str


@dataclass(frozen=True)
class Fails:
    """From now on a target refuses everything, does not answer, is late, or (NetBox) has nothing left."""

    target: str
    how: str


@dataclass(frozen=True)
class Heals:
    """Everything works again."""


@dataclass(frozen=True)
class TakesUp:
    """Somebody has all that is held done again."""


@dataclass(frozen=True)
class Works:
    """Time passes: a little, or until nothing moves any more."""

    rounds: int


Happening: TypeAlias = Orders | TakesBack | Amends | Fails | Heals | TakesUp | Works
UNTIL_STILL = 1000


_FIRST: list[Happening] = [Orders(customer, Wish.ADD) for customer in CUSTOMERS]
_FAILURES = [
    *(Fails(target, how) for target in TARGETS for how in ("refuse", "away")),
    *(Fails("netbox", how) for how in ("olt-port", "stock", "vlan", "ipv4", "away")),
    Fails("logistics", "late"),
]
_TAKES_BACK = [TakesBack(customer, how, back) for customer in CUSTOMERS for how in ("cancel", "undo") for back in (0, 1)]
_AMENDS = [Amends(customer, ssid) for customer in CUSTOMERS for ssid in ("Nest", "Attic")]


def stories(*, scenes: int) -> st.SearchStrategy[list[Happening]]:
    """Stories of so many scenes at most. A scene: maybe something fails, somebody orders, a while passes, somebody has second thoughts."""
    some_time = st.builds(Works, st.sampled_from((0, 1, 3, 8, UNTIL_STILL, UNTIL_STILL, UNTIL_STILL)))
    wishes = st.sampled_from([*Wish, *(wish for wish in Wish if wish is not Wish.CEASE)])
    scene = st.tuples(
        st.one_of(st.just(Heals()), st.sampled_from(_FAILURES)),
        st.builds(Orders, st.sampled_from(CUSTOMERS), wishes),
        some_time,
        st.one_of(st.just(TakesUp()), st.sampled_from(_TAKES_BACK), st.sampled_from(_AMENDS)),
        some_time,
    )
    told = st.lists(scene, min_size=1, max_size=scenes).map(lambda found: [happening for each in found for happening in each])
    return told.map(lambda found: [*_FIRST, *found])


# -- what must come of it ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Ordered:
    """An order that was accepted. `wish`: None when it takes back `undoes`."""

    id: str
    customer: int
    wish: Wish | None
    product: str
    undoes: str = ""


def lines(orders: list[Ordered], states: Mapping[str, str], amended: Mapping[str, str]) -> dict[str, Line | None]:
    """What each product must be, from what was ordered, with the network names that orders were amended by, and the state in which each
    order has ended. None: it is no more."""
    now: dict[str, Line | None] = {}
    before: dict[str, Line | None] = {}
    for order in orders:
        line = before[order.id] = now.get(order.product)
        if states[order.id] != "completed":
            now.setdefault(order.product, None)
        elif order.undoes:
            now[order.product] = before[order.undoes]
        elif order.wish is Wish.ADD:
            now[order.product] = Line()
        elif order.wish is not None and line is not None:
            now[order.product] = EFFECTS[order.wish](line)
        new = now[order.product]
        if order.id in amended and states[order.id] == "completed" and new is not None:
            now[order.product] = replace(new, ssid=amended[order.id])
    return now
