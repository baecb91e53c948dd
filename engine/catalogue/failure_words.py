"""What a failure rule says, in words."""

from __future__ import annotations

from collections.abc import Mapping

from engine.catalogue.models import FailureRule

_ENDS: Mapping[str, str] = {
    "fail": "the item fails",
    "reject": "the item is rejected when nothing of it has begun, else it fails",
    "undo": "the order is taken back",
}


def words(rule: FailureRule) -> str:
    """What the rule does: `again after 1 s, doubling up to 300 s, 4 times; then a case for noc, to be answered within 4 h`."""
    if rule.then != "retry":
        return _end(rule, rule.then)
    pauses = f"again after {rule.backoff:g} s, doubling up to {rule.backoff_max:g} s" if rule.backoff else "again at once"
    limit = f", {rule.limit} times" if rule.limit != 1 else ", once"
    until = f", for no longer than {rule.until:g} s" if rule.until is not None else ""
    return f"{pauses}{limit}{until}; then {_end(rule, rule.afterwards)}"


def conditions(rule: FailureRule) -> str:
    """What the rule is for: `unreachable, on logistics`."""
    found = [] if rule.error == "*" else [rule.error]
    found += [] if rule.specification == "*" else [f"of {rule.specification}"]
    found += [] if rule.step == "*" else [f"when it is to {rule.step}"]
    found += [] if rule.target == "*" else [f"on {rule.target}"]
    return ", ".join(found) or "everything else"


def _end(rule: FailureRule, then: str) -> str:
    if then in _ENDS:
        return _ENDS[then]
    due = f", to be answered within {rule.due:g} h" if rule.due is not None else ""
    held = "it waits until what is missing is there, with " if then == "hold" else ""
    return f"{held}a case for {rule.queue}{due}"
