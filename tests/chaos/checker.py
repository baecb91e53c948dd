"""The independent checker: finds what was lost, what is there twice, what belongs to nobody and what differs.

It compares what was submitted, what the tables say and what NetBox, devices and systems really hold (`tests.chaos.observed`), and knows
nothing of how any of it came about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, pairwise
from typing import Any

from engine.states import Level, legal
from tests.chaos.observed import Observed, Row, Statement


class Kind(StrEnum):
    """What is wrong."""

    LOST = "lost"
    DOUBLED = "doubled"
    ORPHAN = "orphan"
    DIFFERENCE = "difference"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    kind: Kind
    what: str


@dataclass(frozen=True)
class Expected:
    """What the checker is told: the orders that were accepted, what devices and NetBox held before, and which reasons may hold an
    order because they were injected (parts of the message)."""

    orders: Collection[str]
    devices: Mapping[str, Counter[Statement]]
    netbox: Mapping[str, Collection[int]]
    reasons: Collection[str] = ()


def check(expected: Expected, seen: Observed) -> list[Finding]:
    """Everything that is wrong."""
    parts = (_orders, _steps, _events, _allocations, _netbox, _devices, _documents, _transactions)
    return list(chain.from_iterable(part(expected, seen) for part in parts))


# -- orders ------------------------------------------------------------------------------------------------------------
def _orders(expected: Expected, seen: Observed) -> Iterator[Finding]:
    """Every order ended as it should, with one order of each level below it."""
    by_root = _grouped(seen.tables["orders"], "root")
    for root in expected.orders:
        levels = Counter(row["level"] for row in by_root.get(root, ()))
        for level in Level:
            if levels[level] != 1:
                yield Finding(Kind.DOUBLED if levels[level] else Kind.LOST, f"{root} has {levels[level]} orders of level {level}")
        for row in by_root.get(root, ()):
            if row["state"] != "completed" and not _held_for(expected, row):
                yield Finding(Kind.LOST, f"{row['id']} is {row['state']}: {row['reason'] or 'without a reason'}")
    for root in set(by_root) - set(expected.orders):
        yield Finding(Kind.DOUBLED, f"nobody submitted {root}")
    yield from _twice("order for", (row["external_id"] for row in seen.tables["orders"] if row["external_id"]))
    yield from _twice("instance", ((row["customer"], row["specification"]) for row in seen.tables["instances"]))


def _held_for(expected: Expected, row: Row) -> bool:
    return row["state"] == "held" and any(reason in row["reason"] for reason in expected.reasons)


def _steps(expected: Expected, seen: Observed) -> Iterator[Finding]:
    """Nothing of an order that has completed is left to do; what a target told is known."""
    held = {row["root"] for row in seen.tables["orders"] if _held_for(expected, row)}
    for row in seen.tables["steps"]:
        if row["root"] not in held and row["state"] != "done":
            yield Finding(Kind.LOST, f"step {row['key']} of {row['root']} is {row['state']}")
        if row["lane"] in ("cloudwifi", "logistics") and row["state"] == "done" and "id" not in row["learned"]:
            yield Finding(Kind.LOST, f"step {row['key']} of {row['root']} does not know the id that {row['lane']} gave")


# -- events ------------------------------------------------------------------------------------------------------------
def _events(_: Expected, seen: Observed) -> Iterator[Finding]:
    """The events of an order tell its whole story, each step of it once and in its order."""
    of = _grouped(seen.tables["events"], "root")
    for rows in of.values():
        for one, other in pairwise(rows):
            if other["at"] < one["at"]:
                yield Finding(Kind.LOST, f"event {other['number']} of {other['root']} is out of order: {other['at']} after {one['at']}")
    told = {(row["order"], row["item"], row["data"]["name"]) for row in seen.tables["events"] if row["type"] == "allocation"}
    for row in seen.tables["allocations"]:
        if (row["order"], row["item"], row["name"]) not in told:
            yield Finding(Kind.LOST, f"no event tells of the allocation {_mark(row)}")
    yield from _twice("event", _happened_once(seen.tables["events"]))
    chains = defaultdict(list)
    for row in seen.tables["events"]:
        if row["type"] in ("orderCreate", "orderStateChange", "itemStateChange"):
            chains[row["order"], row["item"]].append(row)
    for row in seen.tables["orders"]:
        yield from _story(row["id"], row, chains[row["id"], None], created=True)
    for row in seen.tables["items"]:
        yield from _story(f"{row['order']}/{row['id']}", row, chains[row["order"], row["id"]], created=False)
    yield from _instances(seen)


def _happened_once(rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    """What may happen only once in an order's life."""
    for row in rows:
        if row["type"] == "orderCreate":
            yield ("orderCreate", row["order"])
        elif row["type"] == "allocation":
            yield ("allocation", row["order"], row["item"], row["data"]["name"])
        elif row["type"] == "transaction" and row["data"]["state"] == "confirmed":
            yield ("transaction", row["order"], row["data"]["id"])


def _story(name: str, of: Row, events: list[Row], *, created: bool) -> Iterator[Finding]:
    """Each state follows from the one before it, and the last is the one that the row has."""
    level, state = Level(of["level"]), of["state"]
    states = [row["data"]["state"] for row in events]
    times = [row["at"] for row in events]
    if created:
        if not events or events[0]["type"] != "orderCreate":
            yield Finding(Kind.LOST, f"no event tells of the creation of {name}")
    else:
        states.insert(0, "acknowledged")
        times.insert(0, "")
    for (one, when), (other, again) in pairwise(zip(states, times, strict=True)):
        if one == other and when == again:
            yield Finding(Kind.DOUBLED, f"{name} is told twice that it is {one}")
        elif not legal(level, one, other) or (one, other) == ("acknowledged", "pending"):  # who waits has begun
            yield Finding(Kind.LOST, f"an event is missing of {name} between {one} and {other}")
    if states and states[-1] != state:
        yield Finding(Kind.LOST, f"no event tells that {name} is {state}, the last says {states[-1]}")


def _instances(seen: Observed) -> Iterator[Finding]:
    told: dict[str, list[str]] = defaultdict(list)
    for row in seen.tables["events"]:
        if row["type"] in ("serviceStateChange", "productStateChange"):
            told[row["data"]["id"]].append(row["data"]["state"])
    ways = {"service": ["inactive", "active"], "product": ["pendingActive", "active"]}
    for row in seen.tables["instances"]:
        states = told[row["id"]]
        if row["level"] in ways and row["state"] == "active" and states != ways[row["level"]]:
            kind = Kind.DOUBLED if len(states) > len(set(states)) else Kind.LOST
            yield Finding(kind, f"events tell of {row['id']}: {', '.join(states) or 'nothing'}")


# -- resources ---------------------------------------------------------------------------------------------------------
def _allocations(_: Expected, seen: Observed) -> Iterator[Finding]:
    """No resource is given to two items, and NetBox knows of each."""
    given = [row for row in seen.tables["allocations"] if row["state"] != "released"]
    yield from _twice("allocated", ((row["kind"], _identity(row)) for row in given))
    known = {row["custom_fields"]["order_item"] for rows in seen.netbox.values() for row in rows if _marked(row)}
    for row in given:
        if _mark(row) not in known:
            yield Finding(Kind.LOST, f"NetBox does not know {_mark(row)}")


def _netbox(expected: Expected, seen: Observed) -> Iterator[Finding]:
    """Nothing is taken in NetBox but what an order holds, and that once."""
    held = {_mark(row): row for row in seen.tables["allocations"] if row["state"] != "released"}
    for path, rows in seen.netbox.items():
        yield from _twice(f"{path} for", (row["custom_fields"]["order_item"] for row in rows if _marked(row)))
        for row in rows:
            mark = row["custom_fields"].get("order_item") if _marked(row) else None
            if mark is not None and mark not in held:
                yield Finding(Kind.ORPHAN, f"{path}/{row['id']} ({row['display']}) is marked as {mark}, which nobody holds")
            elif mark is None and row["id"] not in expected.netbox[path]:
                yield Finding(Kind.ORPHAN, f"{path}/{row['id']} ({row['display']}) is there and nobody's")
            elif mark is not None and held[mark]["state"] != _plain(row["custom_fields"].get("alloc_state")):
                yield Finding(Kind.DIFFERENCE, f"{mark} is {held[mark]['state']}, in NetBox {row['custom_fields'].get('alloc_state')}")
    yield from _twice("VLAN", ((_id(row["group"]), row["vid"]) for row in seen.netbox["ipam/vlans"]))
    addresses = [row["address"].partition("/")[0] for row in seen.netbox["ipam/ip-addresses"] if _marked(row)]
    yield from _twice("address", addresses)
    yield from _twice("prefix", (row["prefix"] for row in seen.netbox["ipam/prefixes"]))


def _identity(row: Row) -> str:
    given = row["attributes"]
    return str(given.get("onu_slug") or given.get("serial") or given.get("vid") or given.get("address") or given.get("prefix"))


def _mark(row: Row) -> str:
    return f"{row['order']}/{row['item']}/{row['name']}"


def _marked(row: Row) -> bool:
    return bool(row["custom_fields"].get("order_item"))


def _plain(value: Any) -> Any:
    return value["value"] if isinstance(value, Mapping) else value


def _id(value: Any) -> Any:
    return value["id"] if isinstance(value, Mapping) else value


# -- configuration -----------------------------------------------------------------------------------------------------
def _devices(expected: Expected, seen: Observed) -> Iterator[Finding]:
    """Every device holds what it held before us and the sum of what was applied, and nothing else."""
    for name, holds in seen.devices.items():
        shall = set(expected.devices[name]) | seen.applied[name]
        paths = {path for path, _ in shall}
        for path, value in sorted(set(holds) - shall):
            kind = Kind.DIFFERENCE if path in paths else Kind.ORPHAN
            yield Finding(kind, f"{name} holds {path} {value}, which nobody applied")
        for path, value in sorted(shall - set(holds)):
            yield Finding(Kind.DIFFERENCE, f"{name} does not hold {path} {value}")


def _documents(_: Expected, seen: Observed) -> Iterator[Finding]:
    """Every system holds the sum of what was applied, and each of it once."""
    for name, holds in seen.documents.items():
        yield from _twice(f"{name} holds", (key for key, _ in holds))
        wanted = seen.wanted[name]
        for key, body in holds:
            if key not in wanted:
                yield Finding(Kind.ORPHAN, f"{name} holds {key}, which nobody applied")
            elif name != "logistics" and (
                differs := [member for member, value in wanted[key].items() if not _within(body.get(member), value)]
            ):
                yield Finding(Kind.DIFFERENCE, f"{name} holds {key} with another {', '.join(differs)}")
        for key in sorted(set(wanted) - {key for key, _ in holds}):
            yield Finding(Kind.DIFFERENCE, f"{name} does not hold {key}")
    identity: Mapping[str, Callable[[Row], Any]] = {
        "DHCP-EAST-01": lambda row: row.get("ip-address") or tuple(row.get("prefixes", ())),
        "cloudwifi": lambda row: row["deviceId"],
        "logistics": lambda row: row["shippingOrderItem"][0]["shipment"]["shipmentItem"][0]["product"]["productSerialNumber"],
    }
    for name, of in identity.items():
        yield from _twice(f"{name} has given", (of(body) for _, body in seen.documents[name]))


def _within(held: Any, wanted: Any) -> bool:
    """Whether what is held says at least what is wanted."""
    if isinstance(wanted, Mapping) and isinstance(held, Mapping):
        return all(_within(held.get(name), value) for name, value in wanted.items())
    return bool(held == wanted) or str(held) == str(wanted)


def _transactions(_: Expected, seen: Observed) -> Iterator[Finding]:
    """Of every transaction it is known what became of it, and each order was told of those that were confirmed."""
    told = {(row["root"], row["data"]["id"]) for row in seen.tables["events"] if row["type"] == "transaction"}
    roots = _grouped(seen.tables["transaction_steps"], "transaction")
    for row in seen.tables["transactions"]:
        if row["state"] in ("open", "unknown"):
            yield Finding(Kind.DIFFERENCE, f"transaction {row['id']} on {row['target']} is {row['state']}: {row['message']}")
        if row["state"] == "confirmed":
            for root in sorted({step["root"] for step in roots[row["id"]]}):
                if (root, row["id"]) not in told:
                    yield Finding(Kind.LOST, f"no event tells {root} of transaction {row['id']} on {row['target']}")


# -- small things ------------------------------------------------------------------------------------------------------
def _twice(what: str, values: Iterable[Any]) -> Iterator[Finding]:
    for value, times in Counter(values).items():
        if times > 1:
            yield Finding(Kind.DOUBLED, f"{what} {value}: {times} times")


def _grouped(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found
