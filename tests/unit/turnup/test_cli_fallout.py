"""`turnup fallout`: what stands still is seen and answered, in words and in JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.null_world import NullWorld, refused
from tests.unit.turnup.conftest import Turnup

PORT = "OLT-EAST-07:LC3/P14"
Playbook = Callable[..., Path]


@pytest.fixture
def order(world: NullWorld, turnup: Turnup, playbook: Playbook) -> str:
    """An order for which there is no port."""
    world.inventory.left["olt-port"] = 0
    done = turnup("run", playbook(), "--json")
    assert done.code == 3
    return str(done.document["order"]["id"])


def only(turnup: Turnup, *arguments: str) -> Any:
    (case,) = turnup("fallout", "list", "--json", *arguments).document["cases"]
    return case


def test_a_list_says_why_since_when_who_and_what(turnup: Turnup, order: str) -> None:
    said = turnup("fallout", "list").out
    for words in (
        "FC-00001",
        "network-planning",
        order,
        "ROI-001 reserve",
        "no free olt-port",
        "retry, done",
        "0 min",
    ):
        assert words in said
    case = only(turnup)
    assert (case["id"], case["queue"], case["type"], case["overdue"]) == ("FC-00001", "network-planning", "exhausted", False)


@pytest.mark.parametrize(
    ("options", "there"),
    [
        (("--queue", "network-planning"), True),
        (("--queue", "noc"), False),
        (("--type", "exhausted"), True),
        (("--type", "refused"), False),
        (("--assignee", "jane"), False),
        (("--mine", "--as", "jane"), False),
        (("--all",), True),
    ],
)
def test_a_list_of_some(turnup: Turnup, order: str, options: tuple[str, ...], there: bool) -> None:
    assert bool(turnup("fallout", "list", "--json", *options).document["cases"]) is there


def test_nothing_stands_still(turnup: Turnup, world: NullWorld) -> None:
    assert turnup("fallout", "list").out == "nothing stands still\n"


def test_a_case_from_taking_to_answering(world: NullWorld, turnup: Turnup, order: str) -> None:
    assert turnup("fallout", "take", "FC-00001", "--as", "jane").out == "FC-00001 is yours, jane\n"
    assert only(turnup, "--mine", "--as", "jane")["state"] == "taken"
    turnup("fallout", "note", "FC-00001", "line card ordered", "--as", "jane")
    shown = turnup("fallout", "show", "FC-00001").out
    for words in (
        "jane (network-planning)",
        "line card ordered",
        "resource exhaustion",
        f"turnup fallout answer FC-00001 retry [--with port={'DEVICE:PORT'}]",
    ):
        assert words in shown
    world.inventory.spare = {PORT}
    answered = turnup("fallout", "answer", "FC-00001", "retry", "--with", f"port={PORT}", "--as", "jane")
    assert answered.code == 0
    assert "FC-00001 is answered: retry, by jane" in answered.out
    assert "no process works the lanes: `turnup worker` starts one" in answered.out
    assert turnup("fallout", "list", "--json").document["cases"] == []


def test_two_people(turnup: Turnup, order: str) -> None:
    turnup("fallout", "answer", "FC-00001", "retry", "--as", "jane")
    late = turnup("fallout", "answer", "FC-00001", "retry", "--as", "paul", "--json")
    assert late.code == 2
    assert late.document["error"]["code"] == "CASE_ANSWERED"
    assert "was answered by jane at" in late.document["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("answer", "FC-00001", "maybe"), "ANSWER_NOT_POSSIBLE", "'maybe' is no answer; there are retry, done, skip, undo, cancel"),
        (("answer", "FC-00001", "skip"), "ANSWER_NOT_POSSIBLE", "possible is retry"),
        (("answer", "FC-00001", "retry", "--with", "port"), "ANSWER_NOT_POSSIBLE", "write NAME=VALUE"),
        (("show", "FC-00007"), "UNKNOWN_CASE", "there is no case FC-00007"),
    ],
)
def test_what_cannot_be(turnup: Turnup, order: str, arguments: tuple[str, ...], code: str, words: str) -> None:
    said = turnup("fallout", *arguments, "--json")
    assert (said.code, said.document["error"]["code"]) == (2, code)
    assert words in said.document["error"]["message"]


def test_what_was_tried_before_is_told(world: NullWorld, turnup: Turnup, playbook: Playbook) -> None:
    world.targets.fail = lambda push: refused("forwarding table is full") if push.target == "ASW-EAST-07" else None
    turnup("run", playbook())
    turnup("fallout", "answer", "FC-00001", "retry", "--as", "jane")
    turnup("run", playbook())
    shown = turnup("fallout", "show", "FC-00002").out
    assert "What was tried before" in shown
    assert "forwarding table is full; retry, by jane" in shown


def test_an_order_names_its_case_and_the_answers(turnup: Turnup, order: str) -> None:
    said = turnup("show", order).out
    assert "FC-00001, open for network-planning since" in said
    assert "Policy: rule 1 (exhausted): it waits until what is missing is there, with a case for network-planning" in said
    assert "Answers: retry [--with port=DEVICE:PORT]" in said
    assert turnup("show", order, "--json").document["cases"][0]["id"] == "FC-00001"
