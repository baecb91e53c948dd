"""Validating a slice is sound because of the form of the modules' constraints (lab/netconf/slice.py): here that form is read out of them.

When this fails after a module was added, the slice has to learn the new form, or validation has to be of everything again.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from lab.netconf.schema import Node, load_schema
from lab.yang import make_schema

ABSOLUTE = re.compile(r"(?:^|[\s(,=|<>+-])(/[\w:.-]+(?:\s*/\s*[\w:.-]+)*)\s*(\[\s*(?:[\w-]+:)?([\w-]+)\s*=\s*current\(\))?")
UPWARDS = re.compile(r"\.\.(?:\s*/\s*\.\.)*")
# looks at /system/radius/server, a list that the user orders: part of what a container holds besides units
ABOVE_UNITS = {"/system/authentication/user-authentication-order"}


@cache
def modules() -> tuple[Any, list[Any]]:
    return make_schema.load(make_schema.HERE / "modules", make_schema.HERE / "closure.txt")


def plain(path: str) -> str:
    """A path without namespaces and prefixes."""
    return re.sub(r"\{[^}]*\}|[\w.-]+:|\s", "", path)


@cache
def units() -> dict[str, Node]:
    return {plain(path): node for path, node in load_schema().nodes.items() if node.is_unit}


def walk(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All configuration nodes, with the choices and cases between them under their data parent's path."""
    for child in getattr(node, "i_children", []):
        if getattr(child, "i_config", None) is False or child.keyword not in (*make_schema.DATA, "choice", "case"):
            continue
        here = path if child.keyword in ("choice", "case") else f"{path}/{child.arg}"
        yield here, child
        yield from walk(child, here)


def nodes() -> Iterator[tuple[str, Any]]:
    for module in modules()[1]:
        yield from walk(module)


def unit_of(path: str) -> str | None:
    return next((unit for unit in units() if path == unit or path.startswith(unit + "/")), None)


def constraints(path: str, node: Any) -> Iterator[tuple[str, str]]:
    """Path of the context node, and XPath, of each must and when; those of augments and uses stand at the parent."""
    above = path.rpartition("/")[0] if node.keyword in make_schema.DATA else path
    for statement in node.substmts:
        if statement.keyword in ("must", "when"):
            yield path, " ".join(statement.arg.split())
    outside = [getattr(node, "i_augment", None), *getattr(node, "i_uses", [])]
    for holder in outside:
        if holder is not None and (when := holder.search_one("when")) is not None:
            yield above, " ".join(when.arg.split())


def all_constraints() -> list[tuple[str, str]]:
    return sorted({found for path, node in nodes() for found in constraints(path, node)})


def without_strings(xpath: str) -> str:
    """The expression without string literals and the spaces in its paths."""
    return re.sub(r"\s*([/\[\]=])\s*", r"\1", re.sub(r"'[^']*'|\"[^\"]*\"", "''", xpath))


def test_there_are_constraints() -> None:
    """Or the other tests would pass because nothing was read."""
    found = all_constraints()
    assert len(found) > 80
    assert any("/if:interfaces/if:interface[if:name=current()]" in without_strings(xpath) for _, xpath in found)


@pytest.mark.parametrize(("context", "xpath"), all_constraints())
def test_a_constraint_stays_in_its_unit_or_looks_up_units_by_key(context: str, xpath: str) -> None:
    expression = without_strings(xpath)
    assert not re.search(r"//|::|deref\(|\|", expression)
    if context in ABOVE_UNITS:
        return
    unit = unit_of(context)
    assert unit is not None, "a constraint outside of units"
    depth = context.removeprefix(unit).count("/")
    for run in UPWARDS.findall(expression):
        assert run.count("..") <= depth, f"{run} leaves the unit"
    for path, _, key in ABSOLUTE.findall(expression):
        node = units().get(plain(path))
        assert node is not None, f"{path} is not a list of units"
        assert plain(node.keys[0]) == key, f"{path} is not looked up by its key and a value of this unit"


def leafrefs() -> list[tuple[str, str, str]]:
    """Path of the leaf, path of what it points to, and the expression."""
    paths = {id(node): path for path, node in nodes()}
    found = []
    for path, node in nodes():
        pointer = getattr(node, "i_leafref_ptr", None)
        if pointer is not None:
            found.append((path, paths[id(pointer[0])], " ".join(str(node.i_leafref.path_spec and node.i_leafref.path_.arg).split())))
    return found


def test_leafrefs_point_into_their_unit_or_at_the_key_of_a_unit() -> None:
    found = leafrefs()
    assert len(found) > 50
    for path, target, expression in found:
        keys = {f"{unit}/{plain(node.keys[0])}" for unit, node in units().items()}
        if target in keys:
            continue
        unit = unit_of(target)
        assert unit is not None, f"{path} points at {target}, which is in no unit"
        depth = path.removeprefix(unit).count("/")
        within = (
            not expression.startswith("/")
            and unit_of(path) == unit
            and max(run.count("..") for run in UPWARDS.findall(expression)) <= depth
        )
        by_key = re.match(r"/[^\[]*\[[^=]*=\s*current\(\)", expression) and plain(expression.partition("[")[0]) == unit
        assert within or by_key, f"{path}: {expression}"


def test_outermost_lists_do_not_limit_or_relate_their_entries() -> None:
    seen = 0
    for path, node in nodes():
        if node.keyword == "list" and path in units():
            seen += 1
            assert node.search_one("unique") is None
            assert node.search_one("min-elements") is None
            assert node.search_one("max-elements") is None
    assert seen == len(units())


def base_type(leaf: Any) -> str:
    kind = leaf.search_one("type")
    while getattr(kind, "i_typedef", None) is not None:
        kind = kind.i_typedef.search_one("type")
    return str(kind.arg)


def test_names_of_units_are_strings() -> None:
    """Names are compared as text: another spelling of the same number would not be found."""
    by_path = {path: node for path, node in nodes() if node.keyword == "leaf"}
    for unit, node in units().items():
        assert base_type(by_path[f"{unit}/{plain(node.keys[0])}"]) in ("string", "leafref", "union")
