"""From files to a catalogue: what is not YAML, not a catalogue, or there twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.catalogue.yaml_lines import NotYaml, read
from engine.errors import CatalogueInvalid

SF200 = "catalog/superfibre-200.yaml"

# what is replaced, by what, lines further down, the problem
BAD = {
    "not YAML": ("characteristics: {", "characteristics: [{", 1, "not YAML: while parsing a flow sequence"),
    "tab": ("    name:", "\tname:", 0, "not YAML: "),
    "unknown field": (
        "    description:",
        "    desciption:",
        0,
        "PO-SF200H.desciption: unknown field `desciption`, did you mean `description`?",
    ),
    "unknown nested field": (
        "price: {monthly",
        "price: {montly",
        0,
        "PO-SF200H.price.montly: unknown field `montly`, did you mean `monthly`?",
    ),
    "unknown kind": ("offerings:", "offering:", 0, "offering: unknown field `offering`, did you mean `offerings`?"),
    "missing field": ("    name: SuperFibre 200 Home\n", "", -1, "PO-SF200H: `name` is missing"),
    "wrong type": ("price: {monthly: 89", "price: {monthly: much", 0, "PO-SF200H.price.monthly: Input should be a valid number"),
    "list for a mapping": ("price: {monthly: 89, once: 0, currency: AUD, term_months: 24}", "price: [89]", 0, "PO-SF200H.price: "),
    "key twice": (
        "    name: SuperFibre 200 Home\n",
        "    name: SuperFibre 200 Home\n    name: SuperFibre\n",
        1,
        "PO-SF200H.name: the key is there twice",
    ),
    "alias of itself": ("    price: {monthly: 89", "    price: &p {monthly: *p", 0, "not YAML: an alias that contains itself"),
    "not a date": ("    name: SuperFibre 200 Home", "    name: 2024-13-45", None, "not YAML: month must be in 1..12"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_read_is_named_with_the_line(copy: Any, case: str) -> None:
    old, new, below, message = BAD[case]
    line = copy.edit(SF200, old, new)
    problems = copy.problems()
    place = f"{SF200}:" if below is None else f"{SF200}:{line + below}: "
    assert len(problems) == 1
    assert problems[0].startswith(place), problems
    assert message in problems[0]


def test_every_problem_of_every_file_is_listed(copy: Any) -> None:
    copy.edit(SF200, "    name:", "    nam:")
    copy.edit("catalog/superfibre-500.yaml", "monthly: 119", "monthly: x")
    copy.edit("catalog/policies.yaml", "downstream_bps: 100000000", "downstream_bps: -1")
    problems = copy.problems()
    assert len(problems) == 4  # an unknown field is a missing one too
    assert {problem.partition(":")[0] for problem in problems} == {SF200, "catalog/superfibre-500.yaml", "catalog/policies.yaml"}
    assert "catalog/policies.yaml:5: BW-100-20-RES.downstream_bps: Input should be greater than 0" in problems


def test_an_id_is_there_once(copy: Any) -> None:
    copy.edit("catalog/superfibre-500.yaml", "PO-SF500H", "PO-SF200H")
    assert copy.problems() == ["catalog/superfibre-500.yaml:3: PO-SF200H: is already at catalog/superfibre-200.yaml:3"]


def test_a_folder_without_files_is_no_catalogue(copy: Any, tmp_path: Path) -> None:
    for folder in (tmp_path / "empty", tmp_path / "nowhere"):
        copy.catalog = folder
        with pytest.raises(CatalogueInvalid, match=r"there is no \*\.yaml file"):
            copy.load()
        folder.mkdir(exist_ok=True)


def test_a_file_that_is_not_text_is_a_problem(copy: Any) -> None:
    (copy.catalog / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert len(copy.problems()) == 1
    assert copy.problems()[0].startswith("catalog/binary.yaml: cannot be read: ")


def test_an_empty_file_says_nothing(copy: Any) -> None:
    (copy.catalog / "later.yaml").write_text("# nothing yet\n")
    assert copy.problems() == []


def test_lines_of_values() -> None:
    document = read("a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n")
    assert document.data == {"a": {"b": 1, "c": ["x", {"d": 2}]}}
    assert document.lines == {("a",): 1, ("a", "b"): 2, ("a", "c"): 3, ("a", "c", 0): 4, ("a", "c", 1): 5, ("a", "c", 1, "d"): 5}
    assert document.line(("a", "c", 1, "nothing")) == 5
    assert document.line(("nothing",)) == 1


def test_an_alias_is_fine_when_it_ends() -> None:
    assert read("a: &x {b: 1}\nc: *x\n").data == {"a": {"b": 1}, "c": {"b": 1}}


def test_no_python_objects_are_made() -> None:
    with pytest.raises(NotYaml):
        read("a: !!python/object/apply:os.system [true]\n")
