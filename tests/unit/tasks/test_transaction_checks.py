"""Checks and deadlines of transactions."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from engine.errors import TargetTimeout
from engine.ports import Change, CheckRequest, Push
from tasks.transaction import Deadline, check_failed, run_checks

PUSH = Push("T-1", "OLT-1", Change("", ""))


def test_every_check_is_looked_at_also_after_a_failure() -> None:
    requests = [CheckRequest(step, "even", {"number": str(step)}) for step in (1, 2, 3)]
    results = run_checks(requests, {"even": lambda given: (int(given["number"]) % 2 == 0, given["number"])}, Deadline(0))
    assert [(result.step, result.passed) for result in results] == [(1, False), (2, True), (3, False)]
    failure = check_failed(PUSH, results)
    assert failure is not None
    assert (failure.message, failure.target) == ("OLT-1: even: 1; even: 3", "OLT-1")


def test_what_is_not_yet_so_is_looked_at_again_and_what_passed_is_not() -> None:
    looks = {"slow": 0, "fast": 0}

    def slow(_: object) -> tuple[bool, str]:
        looks["slow"] += 1
        return looks["slow"] >= 3, "seen"

    def fast(_: object) -> tuple[bool, str]:
        looks["fast"] += 1
        return True, "seen"

    results = run_checks([CheckRequest(1, "slow", {}), CheckRequest(2, "fast", {})], {"slow": slow, "fast": fast}, Deadline(30))
    assert all(result.passed for result in results)
    assert looks == {"slow": 3, "fast": 1}
    assert check_failed(PUSH, results) is None


def test_what_many_steps_ask_alike_is_looked_at_once_each_time() -> None:
    looks: list[str] = []

    def look(given: Mapping[str, str]) -> tuple[bool, str]:
        looks.append(given.get("port", ""))
        return len(looks) > 3, f"look {len(looks)}"

    requests = [CheckRequest(1, "up", {"port": "a"}), CheckRequest(2, "up", {"port": "b"}), CheckRequest(3, "up", {"port": "a"})]
    results = run_checks(requests, {"up": look}, Deadline(30))
    assert looks == ["a", "b", "a", "b", "a"]
    assert [(result.step, result.evidence) for result in results] == [(1, "look 5"), (2, "look 4"), (3, "look 5")]


def test_an_unknown_check_fails_at_once_and_names_the_known_ones() -> None:
    (result,) = run_checks([CheckRequest(1, "looks-nice", {})], {"readback": lambda _: (True, "")}, Deadline(3600))
    assert not result.passed
    assert "readback" in result.evidence


def test_nothing_is_begun_when_the_time_is_over() -> None:
    with pytest.raises(TargetTimeout, match="before the commit"):
        Deadline(0).require("OLT-1", "the commit")
    assert Deadline(0).left() == 0
    assert Deadline(60).at_most(5) == 5
