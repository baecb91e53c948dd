"""Whatever became of what fragments state on a device, what leads back is computed and makes it right; what undoes it does so exactly."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.change import Format
from tasks.change.documents import Documents
from tasks.change.set_lines import SetLines
from tasks.change.xml import Xml
from tests.random_fragments import Universe, documents, set_lines
from tests.simulated_devices import DocumentStore, Junos, Netconf, all_of

SEEDS = st.integers(0, 10_000)
FEWER = settings(max_examples=50)


def repaired(notation: Format, kind: type[Netconf | Junos | DocumentStore], applied: str, held: str) -> None:
    """`held` is what a device holds in place of `applied`."""
    device = all_of(kind, [held])
    before = device.held()
    part = notation.part(held, [applied], ())
    change = notation.change([part], [applied], {})
    device.edit(change.forward)
    now = device.held()
    device.state(applied)  # raises Contradiction when that alters anything that is there
    assert device.held() == now, "it holds all of it"
    device.edit(change.reverse)
    assert device.held() == before

    extra = {node.path for node in notation.nodes(held)}
    change = notation.change([notation.part(held, [applied], extra)], [applied], {})
    device.edit(change.forward)
    assert device.held() == all_of(kind, [applied]).held(), "and nothing else"
    device.edit(change.reverse)
    assert device.held() == before


@FEWER
@given(universe=st.builds(Universe, SEEDS), applied=SEEDS, held=SEEDS)
def test_any_part_of_the_yang_schema(universe: Universe, applied: int, held: int) -> None:
    repaired(Xml(), Netconf, universe.fragment(applied, "A"), universe.fragment(held, "A"))


RELAY = "set interfaces ge-0/0/1 unit 1042 family inet unnumbered-address {}"
SOURCE = " preferred-source-address 10.42.17.1"


@FEWER
@example(applied=RELAY.format("lo0.0"), held=RELAY.format("lo0.1") + SOURCE)  # what is below a name that is replaced
@given(applied=set_lines(), held=set_lines())
def test_any_junos_statements(applied: str, held: str) -> None:
    repaired(SetLines(), Junos, applied, held)


@FEWER
@given(applied=documents(), held=documents())
def test_any_documents(applied: str, held: str) -> None:
    repaired(Documents(), DocumentStore, applied, held)


def kept(notation: Format, kind: type[Netconf | Junos | DocumentStore], applied: str, held: str) -> None:
    """What differs is left as somebody made it: a fragment that says so needs no change on that device."""
    there = {node.path: node.value for node in notation.nodes(held)}
    differing = {node.path for node in notation.nodes(applied) if there.get(node.path) != node.value}
    adopted = notation.as_held(applied, held, differing)
    device = all_of(kind, [held])
    before = device.held()
    device.state(adopted)
    assert device.held() == before, "it is there already"
    assert {node.path for node in notation.nodes(adopted)} <= {node.path for node in notation.nodes(applied)}
    assert notation.nodes(notation.as_held(applied, held, ())) == notation.nodes(applied)


@FEWER
@example(applied=RELAY.format("lo0.0") + SOURCE, held=RELAY.format("lo0.1") + SOURCE)  # what is below a name that differs
@given(applied=set_lines(), held=set_lines())
def test_what_stays_as_somebody_made_it_on_a_router(applied: str, held: str) -> None:
    kept(SetLines(), Junos, applied, held)


@FEWER
@given(applied=documents(), held=documents())
def test_what_stays_as_somebody_made_it_among_documents(applied: str, held: str) -> None:
    kept(Documents(), DocumentStore, applied, held)
