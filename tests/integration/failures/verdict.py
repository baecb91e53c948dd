"""What an order came to, as its JSON document says it, and what must be true of every order that something went wrong with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.integration.failures.machine import Done

TARGETS = {"OLT-EAST-07", "ASW-EAST-07", "BNG-EAST-01", "DHCP-EAST-01", "RADIUS-EAST-01", "ACS-01", "cloudwifi", "logistics"}
NETWORK, CPE = ("ROI-001", "ROI-002", "ROI-003", "ROI-004"), ("ROI-005", "ROI-006", "ROI-007")
"""Items of the two branches."""
NOTHING_LEFT = {"refused", "reversed", "notAttempted"}
"""States of transactions that left nothing on their target."""


@dataclass(frozen=True)
class Verdict:
    """An order as `--json` shows it."""

    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Of the order."""
        return str(self.document["order"]["id"])

    @property
    def state(self) -> str:
        """Of the order."""
        return str(self.document["order"]["state"])

    @property
    def reason(self) -> str:
        """Of the order."""
        return str(self.document["order"]["reason"])

    @property
    def items(self) -> dict[str, str]:
        """State by id."""
        return {item["id"]: item["state"] for item in self.document["items"]}

    @property
    def troubles(self) -> dict[str, dict[str, str]]:
        """Code, message and remedy by id of the item that has one."""
        return {item["id"]: item["trouble"] for item in self.document["items"] if item["trouble"]}

    @property
    def targets(self) -> dict[str, str]:
        """State by name."""
        return {target["name"]: target["state"] for target in self.document["targets"]}

    def attempts(self, target: str) -> list[str]:
        """States of the order's transactions on a target, the first first."""
        return [one["state"] for one in self.document["transactions"] if one["target"] == target]

    def value(self, resource: str) -> str | None:
        """What was allocated of a resource."""
        return next((line["value"] for line in self.document["allocations"] if line["resource"] == resource), None)

    def nothing_is_green_that_was_not_checked(self) -> None:
        """Every target has a result; what is done was confirmed, with checks that passed."""
        assert set(self.targets) == TARGETS
        assert set(self.targets.values()) <= {"done", "held", "failed", "notAttempted"}
        for target, state in self.targets.items():
            last = next((one for one in reversed(self.document["transactions"]) if one["target"] == target), None)
            if state == "done":
                assert last is not None
                assert last["state"] == "confirmed"
                assert last["checks"]
                assert all(check.startswith("passed: ") for check in last["checks"])
            if state == "notAttempted":
                assert last is None


def of(done: Done, code: int) -> Verdict:
    """What a run came to that ended with this exit code, its targets looked at."""
    assert done.code == code, done.out + done.err
    verdict = Verdict(done.document)
    verdict.nothing_is_green_that_was_not_checked()
    return verdict


def stands_still(
    verdict: Verdict, target: str, code: str, said: Sequence[str], *, state: str = "held", left: set[str] = NOTHING_LEFT
) -> None:
    """One target stopped the order: its items say why, with a code, in its own words; nothing of the order is left on it."""
    assert verdict.targets[target] == state
    stopped = {name: trouble for name, trouble in verdict.troubles.items() if verdict.items[name] == state}
    assert any(name.startswith("ROI") for name in stopped)
    for trouble in stopped.values():
        assert trouble["code"] == code
        assert target in trouble["message"]
        for words in said:
            assert words in trouble["message"]
        assert trouble["remedy"]
    assert verdict.reason in {trouble["message"] for trouble in stopped.values()}
    assert verdict.attempts(target) or "notAttempted" in left  # where not even day-0 was read there is no transaction
    assert set(verdict.attempts(target)) <= left


def completed(verdict: Verdict, *items: str) -> None:
    """These items stand."""
    assert {name: verdict.items[name] for name in items} == dict.fromkeys(items, "completed")
