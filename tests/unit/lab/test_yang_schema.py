"""The tables made from the YANG modules are those of the modules, and the outermost lists are units."""

import json

import pytest

from lab.netconf.schema import load_schema
from lab.yang import make_schema


def test_the_tables_are_what_the_modules_say() -> None:
    for path, text in make_schema.tables().items():
        assert path.read_text() == text, f"{path.name}: run python lab/yang/make_schema.py"


def test_client_and_server_know_the_same_nodes() -> None:
    of_lab, of_tasks = (json.loads(path.read_text()) for path in (make_schema.FOR_LAB, make_schema.FOR_TASKS))
    assert of_lab == of_tasks


IF = "{urn:ietf:params:xml:ns:yang:ietf-interfaces}"
PLC = "{urn:bbf:yang:bbf-qos-policing}"
CLS = "{urn:bbf:yang:bbf-qos-classifiers}"


@pytest.mark.parametrize(
    ("path", "facts"),
    [
        (f"/{IF}interfaces/{IF}interface", {"kind": "list", "keys": [f"{IF}name"]}),
        (f"/{IF}interfaces/{IF}interface/{IF}type", {"kind": "leaf", "q": "id"}),
        (
            f"/{CLS}classifiers/{CLS}classifier-entry/{CLS}classifier-action-entry-cfg",
            {"kind": "list", "user": True, "keys": [f"{CLS}action-type"]},
        ),
    ],
)
def test_facts_of_a_node(path: str, facts: dict[str, object]) -> None:
    node = json.loads(make_schema.FOR_TASKS.read_text())["nodes"][path]
    assert node == facts


def test_cases_of_a_choice_are_known_to_the_server() -> None:
    profile = load_schema().tops[f"{PLC}policing-profiles"].children[f"{PLC}policing-profile"]
    markers = {tag: dict(node.cases) for tag, node in profile.children.items() if node.cases}
    assert len({case for cases in markers.values() for case in cases.values()}) > 1


def test_outermost_lists_are_units_and_what_is_above_them_is_not() -> None:
    schema = load_schema()
    interfaces = schema.tops[f"{IF}interfaces"]
    assert interfaces.above_units
    assert interfaces.children[f"{IF}interface"].is_unit
    # its one list is ordered by the user: it stays whole
    radius = schema.tops["{urn:ietf:params:xml:ns:yang:ietf-system}system"].children["{urn:ietf:params:xml:ns:yang:ietf-system}radius"]
    assert not radius.above_units
