"""`turnup orders --follow`: what changes, each once, until Ctrl-C."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from rich.console import Console

from engine.acceptance import Acceptance
from engine.documents import OrderHead
from engine.executor import LocalExecutor
from engine.states import OrderState
from engine.views import progress
from tests.null_world import NullWorld, superfibre
from tests.unit.turnup.conftest import Turnup
from turnup.changes import Change, Changes
from turnup.screen.changing import LiveList

Meanwhile = Callable[[Callable[[], object]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Has something happen after the first look, and Ctrl-C pressed after the second."""
    since = Changes.since

    def during(happens: Callable[[], object]) -> None:
        looks = iter((lambda: None, happens))

        def look(self: Changes) -> Iterator[Change]:
            step = next(looks, None)
            if step is None:
                raise KeyboardInterrupt
            step()
            return since(self)

        monkeypatch.setattr(Changes, "since", look)

    return during


def complete(world: NullWorld, number: int) -> str:
    """Order, and work until it has ended."""
    order = Acceptance(world.at, world.catalogue).submit(superfibre(number)).id
    executor = LocalExecutor(world.at)
    executor.start()
    while progress(world.at.store.tree(order)):
        pass
    executor.stop()
    return order


def test_one_json_object_for_each_change(turnup: Turnup, world: NullWorld, meanwhile: Meanwhile) -> None:
    complete(world, 1)
    meanwhile(lambda: complete(world, 2))
    said = turnup("orders", "--follow", "--json")
    assert said.code == 0
    changes = [json.loads(line) for line in said.out.splitlines()]
    assert [change["state"] for change in changes] == ["acknowledged", "inProgress", "completed"]
    assert {change["order"] for change in changes} == {"PO-2024-00848"}
    assert set(changes[0]) == {"number", "at", "order", "externalId", "customer", "state", "reason"}
    assert (changes[0]["externalId"], changes[0]["customer"]) == ("SF200-2", "CUST-2")
    numbers = [change["number"] for change in changes]
    assert numbers == sorted(set(numbers))


def test_going_on_after_a_number(turnup: Turnup, world: NullWorld, meanwhile: Meanwhile) -> None:
    complete(world, 1)
    meanwhile(lambda: None)
    all_of_it = [json.loads(line) for line in turnup("orders", "--follow", "--since", "0", "--json").out.splitlines()]
    assert [change["state"] for change in all_of_it] == ["acknowledged", "inProgress", "completed"]
    meanwhile(lambda: None)
    rest = turnup("orders", "--follow", "--since", str(all_of_it[0]["number"]), "--json").out.splitlines()
    assert [json.loads(line) for line in rest] == all_of_it[1:]


def test_a_line_for_each_change(turnup: Turnup, world: NullWorld, meanwhile: Meanwhile) -> None:
    world.inventory.left["olt-port"] = 0
    meanwhile(lambda: complete(world, 7))
    said = turnup("orders", "--follow", "--state", "held")
    assert said.code == 0
    (line,) = said.out.splitlines()
    assert line.endswith("  PO-2024-00847  SF200-7  CUST-7  ■ held  (resource exhaustion: no free olt-port)")


def test_since_is_for_following(turnup: Turnup, world: NullWorld) -> None:
    assert turnup("orders", "--since", "1").code == 2


# ------------------------------------------------------------------------------------------------------------ the live list


def head(number: int, state: str, reason: str = "") -> OrderHead:
    at = datetime(2024, 3, 11, 9, tzinfo=UTC)
    return OrderHead(id=f"PO-{number}", external_id=f"X-{number}", level="product", state=state, reason=reason, created=at)


def picture(state: OrderState | None, before: list[OrderHead], *changes: OrderHead) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=120, height=12, color_system=None)
    now = {each.id: OrderState(each.state) for each in before}
    with LiveList(console, now, [each for each in before if state in (None, each.state)], state) as screen:
        screen.changed([Change(number, each.created, each) for number, each in enumerate(changes)])
    text = written.getvalue()
    return text[text.rindex("Orders") - 200 :]


def test_counts_and_what_changed_last() -> None:
    before = [head(number, "acknowledged") for number in range(6)]
    text = picture(None, before, head(1, "inProgress"), head(9, "acknowledged"), head(1, "held", "no port"))
    assert "○ 6 acknowledged  ■ 1 held" in text
    shown = [word for word in text[text.rindex("Orders") :].split() if word.startswith("PO-")]
    assert shown == ["PO-4", "PO-5", "PO-9", "PO-1"][-len(shown) :]
    assert len(shown) == 4
    assert "(no port)" in text


def test_of_one_state_all_that_fit() -> None:
    before = [head(number, "held") for number in range(8)] + [head(8, "completed")]
    text = picture(OrderState.HELD, before, head(7, "inProgress"), head(9, "held"))
    assert "and 4 before these" in text
    shown = [word for word in text[text.rindex("Orders") :].split() if word.startswith("PO-")]
    assert shown == ["PO-4", "PO-5", "PO-6", "PO-9"]
