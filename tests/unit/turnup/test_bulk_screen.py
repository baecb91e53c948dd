"""A bulk file on the screen: bars in a terminal, lines elsewhere."""

from __future__ import annotations

import io
import itertools

import pytest
from rich.console import Console

from engine.overview import Counts
from engine.states import OrderState
from turnup.bulk.accepting import Intake
from turnup.bulk.rows import RefusedRow
from turnup.bulk.running import BulkDocument
from turnup.screen import bulk
from turnup.screen.bulk import BulkScreen, result

REFUSED = RefusedRow(line=7, external_id="A-7", code="PLAYBOOK_INVALID", message="[bold]`x` is missing", remedy="Correct it.")


def counts(**states: int) -> Counts:
    return Counts({OrderState(state): count for state, count in states.items()})


def shown(*, terminal: bool) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=160, color_system=None)
    seconds = itertools.count(step=0.5)
    with BulkScreen(console, lambda: next(seconds)) as screen:
        for done in (10, 20, 40):
            screen.accepting(Intake(40, accepted=done - 1, refused=[REFUSED]))
        screen.following(counts(inProgress=39), ["OLT-EAST-07 does not answer: no route"])
        screen.following(counts(inProgress=29, completed=8, held=2), ["OLT-EAST-07 does not answer: no route"])
        screen.following(counts(completed=37, held=2), [])
    return written.getvalue()


def test_in_a_terminal_bars_with_counts() -> None:
    text = shown(terminal=True)
    last = text[text.rindex("40/40") :]
    assert "39 accepted, 1 refused" in last
    assert "39/39" in last
    assert "✔ 37 completed  ■ 2 held" in last
    assert "/s" in last
    assert text.count("OLT-EAST-07 does not answer") == 1


def test_elsewhere_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(terminal=False)
    for line in ("accept: 40 of 40, ", "OLT-EAST-07 does not answer: no route", "complete: 39 of 39, "):
        assert sum(each.startswith(line) for each in text.splitlines()) == 1
    monkeypatch.setattr(bulk, "LINE", 0.0)
    lines = shown(terminal=False).splitlines()
    assert len(lines) == 7
    assert lines[1].startswith("accept: 20 of 40, ")
    assert "/s, " in lines[1]
    assert lines[1].endswith("s left; 19 accepted, 1 refused")
    assert lines[5] == "complete: 10 of 39; ● 29 inProgress  ✔ 8 completed  ■ 2 held"  # no rate yet


def test_a_result_with_very_many_bad_rows_shows_the_first() -> None:
    written = io.StringIO()
    rows = [REFUSED.model_copy(update={"line": line}) for line in range(2, 202)]
    document = BulkDocument(file="orders.csv", rows=200, accepted=0, repeated=0, refused=rows, orders={})
    Console(file=written, width=160, color_system=None).print(*result(document), sep="\n")
    text = written.getvalue()
    assert text.count("orders.csv:") == bulk.MOST_SHOWN + 1
    assert "and 150 more; --json lists all" in text
    assert "[bold]`x` is missing" in text


@pytest.mark.parametrize(
    ("orders", "refused", "worker", "code"),
    [
        ({"completed": 2}, False, False, 0),
        ({"completed": 2}, True, False, 1),
        ({"completed": 1, "failed": 1}, False, False, 1),
        ({"completed": 1, "partial": 1, "held": 1}, False, False, 1),
        ({"completed": 1, "held": 1}, False, False, 3),
        ({"held": 1}, True, False, 1),
        ({"pending": 1}, False, False, 3),
        ({}, True, False, 2),
        ({"acknowledged": 2}, False, True, 0),
        ({"acknowledged": 2}, True, True, 1),
        ({}, True, True, 2),
    ],
)
def test_exit_codes(orders: dict[str, int], refused: bool, worker: bool, code: int) -> None:
    """0 all done, 1 something failed or was refused, 2 nothing was accepted, 3 something is held or waits."""
    document = BulkDocument(
        file="orders.csv",
        rows=2,
        accepted=2,
        repeated=0,
        refused=[REFUSED] if refused else [],
        orders=orders,
        worker={"running": False} if worker else {},
    )
    assert document.exit_code == code
