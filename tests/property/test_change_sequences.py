"""Random histories of services that share a device: after every change the device holds day-0 and what all services state.

Each notation is run against a simulated device that shares no code with it. Every change is carried out, taken back and carried
out again; a conflict is only raised when what is wanted really contradicts what somebody else states, and changes nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ChangeConflict
from tasks.change import Format
from tasks.change.documents import Documents
from tasks.change.set_lines import SetLines
from tasks.change.xml import Xml
from tests.random_fragments import Universe, documents, junos_service, olt_service, set_lines
from tests.simulated_devices import Contradiction, DocumentStore, Junos, Netconf, all_of

Step = Mapping[str, str | None]
"""What becomes of some services in one transaction: key -> its new fragment, None when it ceases."""

SEEDS = st.integers(0, 10_000)
T = TypeVar("T")
FEWER = settings(max_examples=50)


def index_of(notation: Format, fragments: Mapping[str, str], paths: set[str]) -> dict[str, frozenset[str]]:
    """What the store's index answers: path -> values that these fragments state, for the paths asked for."""
    found: dict[str, set[str]] = {}
    for text in fragments.values():
        for node in notation.nodes(text):
            if node.path in paths:
                found.setdefault(node.path, set()).add(node.value)
    return {path: frozenset(values) for path, values in found.items()}


def run(notation: Format, kind: type[Netconf | Junos | DocumentStore], day_zero: str, steps: Sequence[Step]) -> Counter[str]:
    """Go through a history. Returns how many steps came to what."""
    applied = {"day-0": day_zero}
    device = all_of(kind, [day_zero])
    seen: Counter[str] = Counter()
    for step in steps:
        old = [applied[key] for key in step if key in applied]
        new = [text for text in step.values() if text is not None]
        others = {key: text for key, text in applied.items() if key not in step}
        paths = {node.path for text in (*old, *new) for node in notation.nodes(text)}
        before = device.held()
        try:
            change = notation.change(old, new, index_of(notation, others, paths))
        except ChangeConflict:
            with pytest.raises(Contradiction):
                all_of(kind, [*others.values(), *new])
            seen["conflict"] += 1
            continue
        wanted = all_of(kind, [*others.values(), *new]).held()
        device.edit(change.forward)
        assert device.held() == wanted
        device.edit(change.reverse)
        assert device.held() == before
        device.edit(change.forward)
        assert device.held() == wanted
        assert bool(change) == (before != wanted), "something is sent exactly when something changes"
        assert bool(change.reverse) == bool(change.forward)
        notation.show(change)
        seen["changed" if change else "nothing to do"] += 1
        applied = others | {key: text for key, text in step.items() if text is not None}
    return seen


def histories(fragments: st.SearchStrategy[T]) -> st.SearchStrategy[list[Mapping[str, T | None]]]:
    keys = st.sampled_from(["A", "B", "C", "D"])
    return st.lists(st.dictionaries(keys, st.none() | fragments, min_size=1, max_size=2), min_size=3, max_size=12)


@FEWER
@given(universe=st.builds(Universe, st.integers(0, 10_000)), day_zero=SEEDS, history=histories(SEEDS))
def test_any_part_of_the_yang_schema(universe: Universe, day_zero: int, history: list[Mapping[str, int | None]]) -> None:
    steps = [{key: None if seed is None else universe.fragment(seed, key) for key, seed in step.items()} for step in history]
    run(Xml(), Netconf, universe.fragment(day_zero, "day-0"), steps)


@FEWER
@given(day_zero=set_lines(), history=histories(set_lines()))
def test_any_junos_statements(day_zero: str, history: list[Step]) -> None:
    run(SetLines(), Junos, day_zero, history)


@FEWER
@given(day_zero=documents(), history=histories(documents()))
def test_any_documents(day_zero: str, history: list[Step]) -> None:
    run(Documents(), DocumentStore, day_zero, history)


@pytest.mark.parametrize(("notation", "kind", "service"), [(Xml(), Netconf, olt_service), (SetLines(), Junos, junos_service)])
def test_150_changes_of_services_two_thirds_of_which_share_a_vlan(notation: Format, kind: type[Netconf | Junos], service) -> None:
    chance = random.Random(4)
    live: set[str] = set()
    steps: list[Step] = []
    for _ in range(150):
        number = chance.randrange(10, 22)
        key = f"SI-INT-{number}"
        if key in live and chance.random() < 0.5:
            steps.append({key: None})
            live.discard(key)
        else:
            vlan = 1042 if number % 3 else 1100 + number
            steps.append({key: service(number, vlan, chance.choice(["BW-200-50-RES", "BW-500-100-RES"]))})
            live.add(key)
    assert run(notation, kind, service(1, 1000, "BW-200-50-RES"), steps).keys() == {"changed", "nothing to do"}
