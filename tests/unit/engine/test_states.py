"""The TM Forum state machines and the roll-up rule."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import IllegalTransition
from engine.states import Level, OrderState, legal, require, roll_up

S = OrderState


@pytest.mark.parametrize(
    ("level", "source", "to"),
    [
        (Level.PRODUCT, S.ACKNOWLEDGED, S.IN_PROGRESS),
        (Level.SERVICE, S.IN_PROGRESS, S.HELD),
        (Level.RESOURCE, S.HELD, S.IN_PROGRESS),
        (Level.RESOURCE, S.IN_PROGRESS, S.COMPLETED),
    ],
)
def test_legal(level: Level, source: S, to: S) -> None:
    require(level, "x", source, to)


@pytest.mark.parametrize(
    ("level", "source", "to"),
    [
        (Level.PRODUCT, S.ACKNOWLEDGED, S.COMPLETED),
        (Level.PRODUCT, S.ACKNOWLEDGED, S.REJECTED),  # TMF622 rejects only at birth
        (Level.SERVICE, S.COMPLETED, S.IN_PROGRESS),
        (Level.RESOURCE, S.HELD, S.COMPLETED),
        (Level.RESOURCE, S.PENDING, S.HELD),
    ],
)
def test_illegal_transitions_are_refused(level: Level, source: S, to: S) -> None:
    with pytest.raises(IllegalTransition, match=f"cannot go from {source} to {to}"):
        require(level, "RO-1", source, to)


@pytest.mark.parametrize("level", list(Level))
def test_final_states_stay_final(level: Level) -> None:
    assert not [(source, to) for source in S for to in S if source.final and legal(level, source, to)]


@pytest.mark.parametrize(
    ("states", "result"),
    [
        ([S.ACKNOWLEDGED, S.ACKNOWLEDGED], S.ACKNOWLEDGED),
        ([S.COMPLETED, S.ACKNOWLEDGED], S.IN_PROGRESS),
        ([S.COMPLETED, S.COMPLETED], S.COMPLETED),
        ([S.COMPLETED, S.HELD, S.IN_PROGRESS], S.HELD),
        ([S.PENDING, S.ACKNOWLEDGED], S.PENDING),
        ([S.PENDING, S.IN_PROGRESS], S.IN_PROGRESS),
        ([S.COMPLETED, S.FAILED], S.PARTIAL),
        ([S.FAILED, S.REJECTED], S.FAILED),
        ([S.FAILED, S.IN_PROGRESS], S.IN_PROGRESS),
        ([S.CANCELLED], S.CANCELLED),
    ],
)
def test_roll_up(states: list[S], result: S) -> None:
    assert roll_up(states) is result


@given(st.lists(st.sampled_from(list(S)), min_size=1))
def test_a_whole_is_final_exactly_when_all_its_parts_are(states: list[S]) -> None:
    held = S.HELD in states
    assert roll_up(states).final == (all(state.final for state in states) and not held)


@given(st.lists(st.sampled_from(list(S)), min_size=1), st.randoms())
def test_the_order_of_the_parts_does_not_matter(states: list[S], random: object) -> None:
    shuffled = list(states)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert roll_up(states) is roll_up(shuffled)


def test_the_machines_are_those_of_the_specifications() -> None:
    from importlib.resources import files

    machine = json.loads((files("engine") / "state_machines.json").read_text("utf-8"))["TMF652.ResourceOrder"]["transitions"]
    for source in S:
        assert {to for to in S if legal(Level.RESOURCE, source, to)} == set(machine.get(source, []))
