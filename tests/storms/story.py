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
class Fails:
    """From now on a target refuses everything, does not answer, or (NetBox) has nothing left."""

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


Happening: TypeAlias = Orders | TakesBack | Fails | Heals | TakesUp | Works
UNTIL_STILL = 1000


def stories(*, most: int) -> st.SearchStrategy[list[Happening]]:
    """Stories of so many happenings at most."""
    customers = st.sampled_from(CUSTOMERS)
    happenings = st.one_of(
        st.builds(Orders, customers, st.sampled_from(Wish)),
        st.builds(Orders, customers, st.sampled_from([wish for wish in Wish if wish is not Wish.CEASE])),
        st.builds(Works, st.sampled_from((1, 2, 4, 8, UNTIL_STILL))),
        st.builds(Works, st.just(UNTIL_STILL)),
        st.builds(TakesBack, customers, st.sampled_from(("cancel", "undo")), st.sampled_from((0, 0, 1))),
        st.builds(Fails, st.sampled_from(TARGETS), st.sampled_from(("refuse", "away"))),
        st.builds(Fails, st.just("netbox"), st.sampled_from(("olt-port", "stock", "vlan", "ipv4", "away"))),
        st.just(Heals()),
        st.just(TakesUp()),
    )
    return st.lists(happenings, min_size=2, max_size=most).map(lambda found: [Orders(CUSTOMERS[0], Wish.ADD), *found])


# -- what must come of it ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Ordered:
    """An order that was accepted. `wish`: None when it takes back `undoes`."""

    id: str
    customer: int
    wish: Wish | None
    product: str
    undoes: str = ""


def lines(orders: list[Ordered], states: Mapping[str, str]) -> dict[str, Line | None]:
    """What each product must be, from what was ordered and the state in which each order has ended. None: it is no more."""
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
    return now
