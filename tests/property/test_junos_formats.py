"""The three formats of a Junos configuration say the same, and comparisons tell exactly what differs."""

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from lab.junos import curly, jxml, setlines
from lab.junos.grammar import Kind, Statement
from lab.junos.loading import Load
from lab.junos.statements import TOP
from lab.junos.tree import EMPTY, Key, Path, Tree

VALUES = (
    *("1", "2", "3", "1042", "300", "50m", "625k", "1g", "1000m", "ge-0/0/1", "lo0", "ge-0/0/1.1042", "lo0.0", "GOLD", "BW-200-50-RES"),
    *("10.42.17.1", "10.42.17.1/32", "2001:db8::1", "2001:db8:42:17::/64", "inet6.0", "SI-INT-4821 OLT-EAST-07 3/12/1"),
    *(
        'a "quoted" # one; {two} \\ <three> & [four]',
        "vrf",
        "low",
        "1g",
        "device",
        "frame-mode",
        "flexible-ethernet-services",
        "vlan-bridge",
    ),
)


def values(statement: Statement) -> list[str]:
    return [value for value in VALUES if statement.check(value) is None]


@st.composite
def statements(draw: st.DrawFn) -> tuple[Path, Statement, str]:
    """A statement somewhere beneath [edit], with a value that it takes."""
    statement, path = TOP, ()
    here: Path = path
    while True:
        choices = [child for child in statement.children.values() if child.kind in (Kind.CONTAINER, Kind.FLAG) or values(child)]
        # not an option of a statement without the word that makes it: `unnumbered-address preferred-source-address ...`
        named = [child for child in choices if child.implied and child.kind is Kind.LEAF]
        statement = draw(st.sampled_from(named or choices))
        value = draw(st.sampled_from(values(statement))) if statement.kind in (Kind.ENTRY, Kind.LEAF) else ""
        here = (*here, Key(statement.name, value if statement.kind is Kind.ENTRY else ""))
        if statement.kind in (Kind.LEAF, Kind.FLAG):
            return here, statement, value
        may_end = statement.kind is Kind.ENTRY or statement.presence
        if not statement.children or (may_end and draw(st.booleans())):
            return here, statement, ""


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    onto = Load(EMPTY)
    for path, statement, value in draw(st.lists(statements(), max_size=12)):
        onto.set(path, statement, value)
    return onto.tree


def loaded(load: object, source: object) -> Tree:
    onto = Load(EMPTY)
    load(source, onto)  # type: ignore[operator]
    assert not onto.errors
    assert not onto.warnings
    return onto.tree


@settings(max_examples=200)
@given(trees())
def test_every_format_says_it_all(tree: Tree) -> None:
    assert loaded(setlines.load, "\n".join(setlines.lines(tree))) == tree
    assert loaded(curly.load, "\n".join(curly.write(tree))) == tree
    assert loaded(jxml.load, etree.fromstring(f"<configuration>{''.join(jxml.write(tree))}</configuration>")) == tree


@settings(max_examples=200)
@given(trees(), trees())
def test_a_comparison_is_empty_for_equal_trees_only(one: Tree, other: Tree) -> None:
    again = loaded(setlines.load, "\n".join(reversed(list(setlines.lines(one)))))
    assert list(curly.compare(one, again)) == []
    assert setlines.difference(one, again) == ([], [])
    assert (list(curly.compare(one, other)) == []) == (one == other)


@settings(max_examples=200)
@given(trees(), trees())
def test_a_difference_makes_the_one_of_the_other(one: Tree, other: Tree) -> None:
    gone, came = setlines.difference(one, other)
    lines = [line for line in setlines.lines(one) if line not in gone] + came
    assert loaded(setlines.load, "\n".join(lines)) == other
    assert set(gone).isdisjoint(came)


@settings(max_examples=200)
@given(trees(), statements())
def test_what_was_set_can_be_deleted(tree: Tree, statement: tuple[Path, Statement, str]) -> None:
    path, described, value = statement
    onto = Load(tree)
    onto.set(path, described, value)
    onto.delete(path, "it")
    assert not onto.warnings
    onto.delete(path, "it")
    assert [warning.message for warning in onto.warnings] == ["statement not found"]
