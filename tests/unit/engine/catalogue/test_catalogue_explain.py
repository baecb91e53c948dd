"""What the catalogue says about an RFS, and what happens when a step of it fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.explain import Explanation, OnFailure, explain
from engine.catalogue.failure_words import conditions, words
from engine.catalogue.models import FailureRule
from engine.errors import UnknownSpecification


def lines(found: Explanation, title: str) -> tuple[str, ...]:
    return next((heading.lines for heading in found.says if heading.title == title), ())


def on(found: Explanation, step: str, error: str) -> list[OnFailure]:
    return [each for each in found.failures if step in each.step and each.error == error]


def test_all_that_is_said_of_an_rfs(catalogue: Catalogue) -> None:
    found = explain(catalogue, "RFS:GPON-Bearer")
    assert lines(found, "Used by") == ("CFS:Internet-Access",)
    assert lines(found, "Depended on by") == ("RFS:VLAN-Service", "RFS:QoS-Profile")
    assert lines(found, "Reserves")[0] == "port: olt-port of site {{ c.oltArea }}, not without ont"
    assert lines(found, "Configures") == ("{{ port.device }} by gpon-bearer (bbf-olt/gpon-bearer.xml.j2)",)
    assert lines(found, "Checks before a change is confirmed") == ("bearer-up on {{ port.device }}",)
    parcel = explain(catalogue, "RFS:CPE-Provisioning")
    assert "may be skipped" in lines(parcel, "Waits before it is complete")[0]
    assert lines(parcel, "Cannot be taken back") == ("once it is configured",)


@pytest.mark.parametrize("name", ["RFS:GPON-Bearer", "RFS:VLAN-Service", "RFS:IP-Profile", "RFS:QoS-Profile", "RFS:TR069-Config"])
def test_each_class_of_errors_is_decided(catalogue: Catalogue, name: str) -> None:
    """The last rule that is told of a class is for all of it."""
    found = explain(catalogue, name)
    for step in {each.step for each in found.failures}:
        classes = {each.error for each in found.failures if each.step == step}
        assert "unreachable" in classes
        for error in classes:
            last = [each for each in found.failures if (each.step, each.error) == (step, error)][-1]
            assert last.only == ""


def test_what_is_told_is_what_is_decided(catalogue: Catalogue) -> None:
    for name in catalogue.resources:
        for each in explain(catalogue, name).failures:
            if each.only or "{{" in each.step:
                continue
            kind, _, target = each.step.split(";")[0].partition(" ")
            target = target.rpartition(" at ")[2] if kind == "wait" else "*" if kind == "reserve" else target
            rule = catalogue.failure_rule(name, kind, target, "?", each.error)
            assert rule is catalogue.failure_policy[each.rule - 1]


def test_a_rule_for_some_targets_a_step_and_a_code(catalogue: Catalogue) -> None:
    rules = (
        FailureRule(error="TARGET_TIMEOUT", target="OLT-*", then="undo"),
        FailureRule(error="unreachable", step="reserve", then="fail"),
        FailureRule(error="unreachable", then="retry", limit=1, backoff=0, until=60, afterwards="reject"),
        FailureRule(then="fallout"),
    )
    found = explain(replace(catalogue, failure_policy=rules), "RFS:VLAN-Service")
    assert [(each.rule, each.only) for each in on(found, "configure", "unreachable")] == [(1, "TARGET_TIMEOUT on OLT-*"), (3, "")]
    assert [(each.rule, each.only) for each in on(found, "reserve", "unreachable")] == [(2, "")]
    assert on(found, "configure", "unreachable")[1].what == (
        "again at once, once, for no longer than 60 s; then the item is rejected when nothing of it has begun, else it fails"
    )


def test_rules_in_words() -> None:
    rule = FailureRule(error="exhausted", specification="RFS:X", step="reserve", target="OLT-1", then="hold", queue="planning", due=48)
    assert conditions(rule) == "exhausted, of RFS:X, when it is to reserve, on OLT-1"
    assert words(rule) == "it waits until what is missing is there, with a case for planning, to be answered within 48 h"
    assert conditions(FailureRule(then="fail")) == "everything else"


def test_an_unknown_rfs(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownSpecification, match="did you mean `RFS:VLAN-Service`"):
        explain(catalogue, "RFS:VLAN-Servic")
