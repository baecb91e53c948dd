"""The small model: what the tables must say, told by the events so far and by what outside is so.

It knows nothing of how lanes are worked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from engine.catalogue.catalogue import Catalogue
from engine.states import Level, legal
from engine.store import schema
from engine.store.database import Database
from tests.property.lanes.outside import Facts, Fate, ordered, service_of

Row = Mapping[str, Any]
FINAL = {"completed", "failed", "partial", "rejected", "cancelled"}


@dataclass(frozen=True)
class Tables:
    """What the database says."""

    orders: list[Row]
    items: list[Row]
    steps: list[Row]
    lanes: list[Row]
    events: list[Row]
    allocations: list[Row]

    @classmethod
    def read(cls, database: Database) -> Tables:
        """All of it, at one moment."""
        with database.read() as tx:
            found = {
                name: [dict(row) for row in tx.execute(sa.select(table).order_by(*table.primary_key)).mappings()]
                for name, table in schema.metadata.tables.items()
                if name in cls.__annotations__
            }
        return cls(**found)

    def of(self, root: str) -> Tables:
        """Of one order."""
        return Tables(*([row for row in rows if row.get("root") == root] for rows in vars(self).values()))


def wrong_at_any_time(tables: Tables) -> Iterator[str]:
    """Whatever happens, and at every moment."""
    yield from _events(tables)
    yield from _roll_up(tables)
    for step in tables.steps:
        if step["state"] == "done":
            by_key = {other["key"]: other["state"] for other in tables.steps if other["root"] == step["root"]}
            missing = [need for need in step["needs"] if by_key[need] != "done"]
            yield from (f"{step['key']} of {step['root']} is done, {need} is {by_key[need]}" for need in missing)


# -- events ------------------------------------------------------------------------------------------------------------
def _events(tables: Tables) -> Iterator[str]:
    """Each order's events are in order, follow the state machines and end at what the rows say."""
    stories = defaultdict(lambda: ["acknowledged"])
    last: dict[str, str] = {}
    for event in tables.events:
        if event["at"] < last.get(event["root"], ""):
            yield f"event {event['number']} of {event['root']} is from before the one before it"
        last[event["root"]] = event["at"]
        if event["type"] in ("orderStateChange", "itemStateChange"):
            stories[event["order"], event["item"]].append(event["data"]["state"])
    created = [event["order"] for event in tables.events if event["type"] == "orderCreate"]
    if sorted(created) != sorted(order["id"] for order in tables.orders):
        yield f"created according to events: {created}"
    for row in [*tables.orders, *tables.items]:
        name = (row["order"], row["id"]) if "order" in row else (row["id"], None)
        story = stories[name]
        yield from (f"{name}: {a} -> {b}" for a, b in pairwise(story) if not legal(Level(row["level"]), a, b))
        if story[-1] != row["state"]:
            yield f"{name} is {row['state']}, its events say {story}"
    yield from _told_twice(tables)


def _told_twice(tables: Tables) -> Iterator[str]:
    given = [(e["order"], e["item"], e["data"]["name"]) for e in tables.events if e["type"] == "allocation"]
    if len(given) != len(set(given)):
        yield f"allocations told twice: {given}"
    if set(given) != {(row["order"], row["item"], row["name"]) for row in tables.allocations}:
        yield "allocations and their events differ"


# -- states ------------------------------------------------------------------------------------------------------------
def _roll_up(tables: Tables) -> Iterator[str]:
    """Orders are as their items, items as those below that serve them and as their own steps."""
    for order in tables.orders:
        items = [item for item in tables.items if item["order"] == order["id"]]
        yield from _differs(order["id"], order["state"], rolled_up(item["state"] for item in items))
        below = next((other for other in tables.orders if other["parent"] == order["id"]), None)
        for item in items:
            steps = [s for s in tables.steps if (s["order"], s["item"]) == (order["id"], item["id"]) and s["gates"]]
            serving = [i for i in tables.items if below and i["order"] == below["id"] and item["id"] in i["serves"]]
            states = [child["state"] for child in serving] + ([of_steps([_held_or(s) for s in steps])] if steps else [])
            if states:
                yield from _differs(f"{order['id']}/{item['id']}", item["state"], rolled_up(states))


def _held_or(step: Row) -> str:
    """What waits for a pool and asks again is held until there is something."""
    asks = step["kind"] == "reserve" and step["awaits"] is not None and step["trouble"] is not None
    return "held" if asks and step["state"] in ("ready", "running") else str(step["state"])


def _differs(name: str, state: str, expected: str) -> Iterator[str]:
    """Nothing that has begun is acknowledged again; who waits for its own steps may have begun without one that is done; what is
    pending is so while it is looked at; nothing ends that never began but by being rejected."""
    alike = {
        "acknowledged": {"acknowledged", "inProgress", "pending"},
        "inProgress": {"inProgress", "pending"},
        "failed": {"failed", "rejected"},
    }
    if state not in alike.get(expected, {expected}) and not (state == "pending" and expected == "acknowledged"):
        yield f"{name} is {state}, it should be {expected}"


def rolled_up(states: Iterable[str]) -> str:
    """As docs/architecture.md says it."""
    seen = set(states)
    if "held" in seen:
        return "held"
    if seen <= FINAL:
        if len(seen) == 1 and seen <= {"completed", "cancelled"}:
            return seen.pop()
        return "partial" if seen & {"completed", "partial"} else "failed"
    if seen == {"acknowledged"}:
        return "acknowledged"
    return "pending" if "pending" in seen and "inProgress" not in seen else "inProgress"


def of_steps(states: list[str]) -> str:
    """An item with steps of its own: it ends when they all have."""
    seen = set(states)
    if "held" in seen:
        return "held"
    if seen <= {"done", "failed", "cancelled"}:
        return "completed" if seen == {"done"} else "failed"
    return "inProgress" if seen & {"done", "waiting", "failed"} else "acknowledged"


# -- the end -----------------------------------------------------------------------------------------------------------
def wrong_at_the_end(tables: Tables, facts: Facts, given: set[tuple[str, str, str]]) -> Iterator[str]:
    """When nothing moves any more: each step ended as it had to, and what was given out is known."""
    for root in {order["root"] for order in tables.orders}:
        mine = tables.of(root)
        expected = ends(mine, facts)
        for step in mine.steps:
            if step["state"] != expected[step["key"]]:
                yield f"{step['key']} of {root} is {step['state']}, it should be {expected[step['key']]}"
        for row in [*mine.orders, *mine.items]:
            if row["state"] in ("held", "failed", "partial", "rejected") and not row["reason"]:
                yield f"{row['id']} of {root} is {row['state']} without a reason"
        yield from (f"{row['id']} stands still and is {row['state']}" for row in mine.orders if row["state"] not in FINAL | {"held"})
        if {order["level"] for order in mine.orders} != set(Level):
            yield f"{root} has orders of {[order['level'] for order in mine.orders]}"
    if {(row["order"], row["item"], row["name"]) for row in tables.allocations} != given:
        yield "what was given out and what is known of it differ"


def ends(tables: Tables, facts: Facts) -> dict[str, str]:
    """How each step of an order ends, from what it needs and what it meets."""
    services = {item["id"]: item["instance"] for item in tables.items if item["level"] == Level.SERVICE}
    of_item = {(item["order"], item["id"]): item for item in tables.items}
    found: dict[str, str] = {}
    todo = {step["key"]: step for step in tables.steps}
    while todo:
        for key, step in list(todo.items()):
            if all(need in found for need in step["needs"]):
                before = {found[need] for need in step["needs"]}
                item = of_item.get((step["order"], step["item"]))
                never = item is not None and item["state"] == "rejected" and step["state"] == "cancelled"  # nothing of it may begin
                own = "cancelled" if never else _meets(step, item, next(iter(services.values()), ""), facts)
                found[key] = "cancelled" if before & {"failed", "cancelled"} else "blocked" if before - {"done"} else own
                del todo[key]
    return found


def _meets(step: Row, item: Row | None, service: str, facts: Facts) -> str:
    if item is None or step["kind"] not in ("configure", "reserve"):
        return "done"
    who = service_of(facts.catalogue, service, item["specification"])
    if step["kind"] == "reserve":  # what was short is asked for once more, all of it
        return "held" if any(facts.fate(*one) is Fate.SHORT for one in reservations(facts.catalogue, service)) else "done"
    fate = facts.fate(step["target"], who)
    if fate in (Fate.TEMPLATE, Fate.REFUSED, Fate.CHECK):
        then = next(rule.then for rule in facts.catalogue.failure_policy if rule.error == fate)
        return "held" if then in ("hold", "fallout") else "failed"
    return "done"


def reservations(catalogue: Catalogue, service: str) -> Iterator[tuple[str, str]]:
    """What an order reserves, of which one service is known: each with the service that it is for."""
    for resource in catalogue.resources.values():
        if resource.reserve and ordered(catalogue, resource.id):
            owner = service_of(catalogue, service, resource.id).partition("/")[0]
            yield from ((name, owner) for name in resource.reserve)
