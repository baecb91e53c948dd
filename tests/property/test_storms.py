"""After any story of orders, changes, failures and second thoughts, network, inventory and orders agree, says the checker of `make chaos`.

Here over a world that answers at once; tests/integration/lifecycle/test_storms_over_the_lab.py plays fewer stories over the embedded lab.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from engine.store.database import Database
from engine.store.migrate import migrate
from tests.chaos.checker import Expected, Finding, Kind, check
from tests.chaos.observed import Observed, Row
from tests.storms.quick import QuickWorld
from tests.storms.storm import Storm
from tests.storms.story import UNTIL_STILL, Happening, Orders, Wish, Works, stories


@contextlib.contextmanager
def played(empty: Path, story: list[Happening]) -> Iterator[Storm]:
    """A story on a world of its own."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(empty, Path(folder) / "turnup.db")
        with contextlib.closing(QuickWorld(Path(folder))) as world:
            storm = Storm(world, world.observe())
            storm.play(story)
            yield storm


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables."""
    path = tmp_path_factory.mktemp("storms") / "empty.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


STORIES = int(os.environ.get("STORIES", 25))
"""More of them take longer, and find more."""


# a failing story is shown as it is: to make it short takes minutes
@pytest.mark.timeout(100 + 10 * STORIES)
@settings(max_examples=STORIES, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(story=stories(scenes=4))
def test_whatever_happens_all_agree_at_the_end(empty: Path, story: list[Happening]) -> None:
    with played(empty, story) as storm:
        assert [f"{finding.kind}: {finding.what}" for finding in storm.end()] == []


# -- the proof that the checker would have found something ---------------------------------------------------------------
Rows = list[Row]


@dataclass(frozen=True)
class Ran:
    """A customer with a line, another whose line has ended, and what is seen of it."""

    expected: Expected
    seen: Observed

    def found(self, table: str, change: Callable[[Rows], Rows]) -> set[Kind]:
        """What is found when a table reads differently."""
        rows = change(self.seen.tables[table])
        assert rows != self.seen.tables[table]
        return kinds(check(self.expected, replace(self.seen, tables={**self.seen.tables, table: rows})))


def kinds(found: list[Finding]) -> set[Kind]:
    return {finding.kind for finding in found}


@pytest.fixture(scope="module")
def ran(empty: Path) -> Iterator[Ran]:
    story: list[Happening] = [Orders(1, Wish.ADD), Orders(2, Wish.ADD), Orders(1, Wish.UPGRADE), Orders(2, Wish.CEASE), Works(UNTIL_STILL)]
    with played(empty, story) as storm:
        seen = storm.world.observe()
        expected = storm.expected()
        assert check(expected, seen) == []
        yield Ran(expected, seen)


LIVES, ENDED = "PI-BB-1001", "PI-BB-1002"


def changed(where: Mapping[str, Any], **values: Any) -> Callable[[Rows], Rows]:
    """Some rows with other values."""
    return lambda rows: [{**row, **values} if all(row[name] == value for name, value in where.items()) else row for row in rows]


def without(**where: Any) -> Callable[[Rows], Rows]:
    """Without some rows."""
    return lambda rows: [row for row in rows if any(row[name] != value for name, value in where.items())]


PLANTED = {
    "a service that outlives its product": ("instances", changed({"id": "SI-INT-1002"}, ended=None, state="active"), Kind.ORPHAN),
    "a product that is gone": ("instances", without(id=LIVES), Kind.LOST),
    "a service that is gone": ("instances", without(id="SI-WIFI-1001"), Kind.DIFFERENCE),
    "a service that is not in use": ("instances", changed({"id": "SI-INT-1001"}, state="inactive"), Kind.DIFFERENCE),
    "an offering that nobody ordered": ("instances", changed({"id": LIVES}, offering="PO-SF200H"), Kind.DIFFERENCE),
    "a resource of a line that has ended": (
        "allocations",
        changed({"subscription": ENDED, "name": "vlan"}, state="active"),
        Kind.ORPHAN,
    ),
    "a line without its address": ("allocations", changed({"subscription": LIVES, "name": "ipv4"}, state="released"), Kind.LOST),
    "a resource that is not in use": (
        "allocations",
        changed({"subscription": LIVES, "name": "port"}, state="reserved"),
        Kind.DIFFERENCE,
    ),
    "an order that nobody cancelled": ("orders", changed({"level": "product", "state": "completed"}, state="cancelled"), Kind.LOST),
    "a step that is left": ("steps", changed({"key": "ROI-007/returned"}, state="waiting"), Kind.LOST),
    "a step that stands still and nobody is asked": ("steps", changed({"key": "ROI-007/returned"}, state="held"), Kind.LOST),
    "a case of nothing": ("cases", lambda rows: [*rows, {"root": "PO-1", "step": "reserve", "state": "open"}], Kind.ORPHAN),
}


@pytest.mark.parametrize(("table", "change", "kind"), PLANTED.values(), ids=PLANTED)
def test_the_checker_finds(ran: Ran, table: str, change: Callable[[Rows], Rows], kind: Kind) -> None:
    assert kind in ran.found(table, change)


def test_the_checker_finds_any_state_of_a_product_or_service_that_is_not_told(ran: Ran) -> None:
    told = [row for row in ran.seen.tables["events"] if row["type"] in ("productStateChange", "serviceStateChange")]
    assert len(told) > 10
    for row in told:
        assert ran.found("events", without(number=row["number"])) & {Kind.LOST, Kind.DOUBLED}, row


def test_the_checker_finds_what_stands_of_a_line_that_has_ended(ran: Ran) -> None:
    keys = {**ran.seen.keys, "ACS-01": ran.seen.keys["ACS-01"] | {"SI-CPE-1002/RFS:TR069-Config"}}
    assert kinds(check(ran.expected, replace(ran.seen, keys=keys))) == {Kind.ORPHAN}


def test_the_checker_finds_a_line_that_stands_nowhere(ran: Ran) -> None:
    keys = {name: frozenset(key for key in found if "QoS-Profile" not in key) for name, found in ran.seen.keys.items()}
    assert kinds(check(ran.expected, replace(ran.seen, keys=keys))) == {Kind.LOST}
