"""The independent checker: finds what was lost, what is there twice, what belongs to nobody and what differs.

It compares what was submitted, what the tables say and what NetBox, devices and systems really hold (`tests.chaos.observed`), and knows
nothing of how any of it came about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

from engine.states import Level, legal
from tests.chaos.findings import Finding, Kind
from tests.chaos.lines import Line, check_lines
from tests.chaos.observed import Observed, Row, Statement

__all__ = ["Expected", "Finding", "Kind", "check"]


@dataclass(frozen=True)
class Expected:
    """What the checker is told: the orders that were accepted, what devices and NetBox held before, and which reasons may hold an
    order because they were injected (parts of the message)."""

    orders: Collection[str]
    devices: Mapping[str, Counter[Statement]]
    netbox: Mapping[str, Collection[int]]
    reasons: Collection[str] = ()
    taken_back: Collection[str] = ()
    """The orders that somebody has cancelled: they may have ended so, having begun or not."""
    vain: Collection[str] = ()
    """For which reasons (parts of the message) an order may have failed before it began."""
    lines: Mapping[str, Line | None] | None = None
    """What each product must be; None: it is no more. Not looked at where nothing is said."""


def check(expected: Expected, seen: Observed) -> list[Finding]:
    """Everything that is wrong."""
    parts = (_orders, _steps, _cases, _events, _allocations, _netbox, _devices, _documents, _transactions)
    found = chain.from_iterable(part(expected, seen) for part in parts)
    return [*found, *(() if expected.lines is None else check_lines(expected.lines, seen))]


# -- orders ------------------------------------------------------------------------------------------------------------
def _orders(expected: Expected, seen: Observed) -> Iterator[Finding]:
    """Every order ended as it should, with one order of each level from its own down."""
    by_root = _grouped(seen.tables["orders"], "root")
    for root in expected.orders:
        levels = Counter(row["level"] for row in by_root.get(root, ()))
        yield from _levels(root, levels, whole=not any(_ended_early(expected, row) for row in by_root.get(root, ())))
        for row in by_root.get(root, ()):
            if row["state"] != "completed" and not _held_for(expected, seen, row) and not _ended_early(expected, row):
                yield Finding(Kind.LOST, f"{row['id']} is {row['state']}: {row['reason'] or 'without a reason'}")
    for root in set(by_root) - set(expected.orders):
        yield Finding(Kind.DOUBLED, f"nobody submitted {root}")
    yield from _twice("order for", (row["external_id"] for row in seen.tables["orders"] if row["external_id"]))
    living = [row for row in seen.tables["instances"] if row["ended"] is None]
    yield from _twice("instance", ((row["customer"], row["specification"]) for row in living))


def _levels(root: str, levels: Counter[str], *, whole: bool) -> Iterator[Finding]:
    highest = next((number for number, level in enumerate(Level) if levels[level]), 0)
    for level in list(Level)[highest:]:
        if levels[level] > 1 or (levels[level] == 0 and whole):
            yield Finding(Kind.DOUBLED if levels[level] else Kind.LOST, f"{root} has {levels[level]} orders of level {level}")


def _held_for(expected: Expected, seen: Observed, row: Row) -> bool:
    """A person has to answer for what was injected; while it is taken back, what takes it back stands still."""
    if row["state"] == "pendingCancellation" and row["root"] in expected.taken_back:
        return any(_says(expected, _told(step)) for step in seen.tables["steps"] if step["root"] == row["root"] and step["state"] == "held")
    return row["state"] == "held" and _says(expected, row["reason"])


def _says(expected: Expected, words: str) -> bool:
    return any(reason in words for reason in expected.reasons)


def _told(step: Row) -> str:
    """What went wrong with a step."""
    return str(step["trouble"]["message"]) if step["trouble"] else ""


def _ended_early(expected: Expected, row: Row) -> bool:
    """Somebody cancelled it, or it failed for what it may fail for."""
    failed = row["state"] == "failed" and any(reason in row["reason"] for reason in expected.vain)
    return failed or (row["state"] == "cancelled" and row["root"] in expected.taken_back)


def _steps(expected: Expected, seen: Observed) -> Iterator[Finding]:
    """Nothing of an order that has ended is left to do; what a target told is known."""
    held = {row["root"] for row in seen.tables["orders"] if _held_for(expected, seen, row)}
    early = {row["root"]: row["state"] for row in seen.tables["orders"] if _ended_early(expected, row)}
    for row in seen.tables["steps"]:
        done = ("done", early.get(row["root"], "done"))
        if row["root"] not in held and row["state"] not in done:
            yield Finding(
                Kind.LOST, f"step {row['key']} of {row['root']} is {row['state']}" + (f": {told}" if (told := _told(row)) else "")
            )
        made = row["kind"] == "configure" and row["state"] == "done" and row["lane"] in ("cloudwifi", "logistics")
        if made and "id" not in row["learned"]:
            yield Finding(Kind.LOST, f"step {row['key']} of {row['root']} is {row['state']}: {_told(row) or 'without a reason'}")
        made = row["kind"] == "configure" and row["state"] == "done" and row["lane"] in ("cloudwifi", "logistics")
        if made and "id" not in row["learned"]:
            yield Finding(Kind.LOST, f"step {row['key']} of {row['root']} does not know the id that {row['lane']} gave")


def _cases(_: Expected, seen: Observed) -> Iterator[Finding]:
    """A case is open for each step that is held, and for no other."""
    asked = {(row["root"], row["step"]) for row in seen.tables["cases"] if row["state"] in ("open", "taken")}
    held = {(row["root"], row["key"]) for row in seen.tables["steps"] if row["state"] == "held"}
    yield from (Finding(Kind.LOST, f"nobody is asked about step {key} of {root}") for root, key in sorted(held - asked))
    yield from (Finding(Kind.ORPHAN, f"a case asks about step {key} of {root}, which does not stand still") for root, key in asked - held)


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
    for before, asked, after in zip(states, states[1:], states[2:], strict=False):
        if asked == "assessingCancellation" and after not in (before, "pendingCancellation"):  # who is denied goes on as he was
            yield Finding(Kind.LOST, f"an event is missing of {name} between {asked} and {after}: it was {before}")
    if states and states[-1] != state:
        yield Finding(Kind.LOST, f"no event tells that {name} is {state}, the last says {states[-1]}")


_WAYS = {
    "service": {
        "reserved": {"inactive", "active", "terminated"},
        "inactive": {"active", "terminated"},
        "active": {"inactive", "terminated"},
        "terminated": {"active", "inactive"},
    },
    "product": {
        "created": {"pendingActive", "active", "cancelled"},
        "pendingActive": {"active", "aborted", "cancelled"},
        "active": {"suspended", "pendingTerminate"},
        "suspended": {"active", "pendingTerminate"},
        "pendingTerminate": {"active", "suspended", "terminated"},
    },
}
"""The states that may follow one another (TMF638, TMF637), and what follows when a cease is taken back."""
_FIRST = {"service": "reserved", "product": "created"}
_ALL_TOLD = {"service": {"inactive", "active"}, "product": {"pendingActive", "active"}}
"""Of what is or was in use it is told how it came to that."""


def _instances(seen: Observed) -> Iterator[Finding]:
    """Each state of a product or service follows from the one before it, and the last is the one that it has."""
    told: dict[str, list[str]] = defaultdict(list)
    for row in seen.tables["events"]:
        if row["type"] in ("serviceStateChange", "productStateChange"):
            told[row["data"]["id"]].append(row["data"]["state"])
    for row in seen.tables["instances"]:
        level, states = row["level"], told[row["id"]]
        if level not in _WAYS:
            continue
        story = f"events tell of {row['id']}: {', '.join(states) or 'nothing'}"
        for one, other in pairwise([_FIRST[level], *states]):
            if other not in _WAYS[level].get(one, ()):
                yield Finding(Kind.DOUBLED if one == other else Kind.LOST, story)
        if [_FIRST[level], *states][-1] != row["state"]:
            yield Finding(Kind.LOST, f"{story}; it is {row['state']}")
        elif row["started"] and not _ALL_TOLD[level] <= set(states):
            yield Finding(Kind.LOST, story)


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
        yield from _twice(f"{name} has given", (of(body) for key, body in seen.documents.get(name, ()) if key not in seen.came_back))


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
