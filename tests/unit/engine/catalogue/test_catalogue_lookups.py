"""Lookups, the failure policy, and versions."""

from __future__ import annotations

from typing import Any

import pytest

from engine.catalogue.catalogue import LAST_RESORT, Catalogue
from engine.errors import ErrorClass, UnknownSpecification


def test_lookups_by_id(catalogue: Catalogue) -> None:
    assert catalogue.offering("PO-SF200H").name == "SuperFibre 200 Home"
    assert catalogue.product("PS-RBA-01").instance == "PI-BB-{{ customer.number }}"
    assert catalogue.service("CFS:Static-IP").name == "Static IP"
    assert catalogue.resource("RFS:GPON-Bearer").technology == ("GPON",)


@pytest.mark.parametrize(
    ("kind", "name", "nearest"),
    [
        ("offering", "PO-SF200", "PO-SF200H"),
        ("product", "PS-RBA-1", "PS-RBA-01"),
        ("service", "CFS:Internet", "CFS:Internet-Access"),
        ("resource", "rfs:vlan-service", "RFS:VLAN-Service"),
    ],
)
def test_an_unknown_id_names_the_nearest_and_the_known(catalogue: Catalogue, kind: str, name: str, nearest: str) -> None:
    with pytest.raises(UnknownSpecification) as raised:
        getattr(catalogue, kind)(name)
    assert f"`{name}`, did you mean `{nearest}`? (known: " in str(raised.value)
    assert raised.value.code == "UNKNOWN_SPECIFICATION"


def test_policies_are_chosen_by_all_of_their_values(catalogue: Catalogue) -> None:
    assert catalogue.policy_for({"download": "200M", "upload": "50M", "class": "residential"}).name == "BW-200-50-RES"
    with pytest.raises(UnknownSpecification, match=r"no policy for download 200M, upload 20M \(known: BW-100-20-RES, "):
        catalogue.policy_for({"download": "200M", "upload": "20M"})


def test_the_rates_of_policies_are_those_of_their_names(catalogue: Catalogue) -> None:
    assert set(catalogue.policies) >= {"BW-100-20-RES", "BW-200-50-RES", "BW-500-100-RES", "BW-1000-400-RES"}
    for policy in (policy for name, policy in catalogue.policies.items() if name.startswith("BW-")):
        _, down, up, _ = policy.name.split("-")
        assert (policy.downstream_bps, policy.upstream_bps) == (int(down) * 1_000_000, int(up) * 1_000_000)
        # 100 ms
        assert (policy.downstream_burst_bytes, policy.upstream_burst_bytes) == (policy.downstream_bps // 80, policy.upstream_bps // 80)


@pytest.mark.parametrize(
    ("specification", "target", "code", "error_class", "then", "queue"),
    [
        ("RFS:GPON-Bearer", "netbox", "RESOURCE_EXHAUSTED", ErrorClass.EXHAUSTED, "hold", "network-planning"),
        ("RFS:VLAN-Service", "OLT-EAST-07", "TARGET_UNREACHABLE", ErrorClass.UNREACHABLE, "retry", "noc"),
        ("RFS:CPE-Provisioning", "logistics", "TARGET_TIMEOUT", ErrorClass.UNREACHABLE, "retry", "logistics"),
        ("RFS:VLAN-Service", "OLT-EAST-07", "TARGET_LOCKED", ErrorClass.LOCKED, "retry", "noc"),
        ("RFS:VLAN-Service", "OLT-EAST-07", "HOST_KEY_UNKNOWN", ErrorClass.DENIED, "fallout", "platform"),
        ("RFS:GPON-Bearer", "OLT-EAST-07", "CHECK_FAILED", ErrorClass.CHECK, "fallout", "field-operations"),
        ("RFS:QoS-Profile", "BNG-EAST-01", "CHECK_FAILED", ErrorClass.CHECK, "fallout", "noc"),
        ("RFS:QoS-Profile", "BNG-EAST-01", "TARGET_REFUSED", ErrorClass.REFUSED, "fallout", "provisioning"),
        ("RFS:QoS-Profile", "BNG-EAST-01", "TEMPLATE_FAILED", ErrorClass.TEMPLATE, "fail", "noc"),
        ("*", "*", "INTERNAL", ErrorClass.INTERNAL, "fallout", "provisioning"),
    ],
)
def test_the_failure_policy(
    catalogue: Catalogue, specification: str, target: str, code: str, error_class: str, then: str, queue: str
) -> None:
    rule = catalogue.failure_rule(specification, "configure", target, code, error_class)
    assert (rule.then, rule.queue) == (then, queue)


def test_without_a_policy_a_person_looks_at_it() -> None:
    assert Catalogue().failure_rule("RFS:X", "configure", "OLT", "TARGET_REFUSED", "refused") is LAST_RESORT


def test_a_version_is_pinned_with_its_templates(catalogue: Catalogue) -> None:
    restored = Catalogue.restore(catalogue.dump())
    assert restored == catalogue
    assert restored.digest == catalogue.digest
    assert list(restored.resources) == list(catalogue.resources)
    assert list(restored.resource("RFS:IP-Profile").reserve) == ["ipv4", "ipv6"]
    assert restored.templates == catalogue.templates


def test_any_change_makes_another_version(copy: Any, catalogue: Catalogue) -> None:
    assert copy.load().digest == catalogue.digest
    copy.edit("templates/junos/qos-policy.set.j2", "then discard", "then discard ")
    template = copy.load().digest
    copy.edit("catalog/policies.yaml", "upstream_burst_bytes: 625000", "upstream_burst_bytes: 625001")
    assert len({catalogue.digest, template, copy.load().digest}) == 3


def test_a_comment_makes_no_other_version(copy: Any, catalogue: Catalogue) -> None:
    copy.edit("catalog/policies.yaml", "policies:", "# a comment\npolicies:")
    assert copy.load().digest == catalogue.digest
