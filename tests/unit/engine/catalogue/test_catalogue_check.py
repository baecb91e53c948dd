"""What is wrong with a catalogue is found when it is loaded, all of it, with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.check import check
from engine.catalogue.loader import examine
from engine.catalogue.models import FailureRule
from engine.errors import CatalogueInvalid

RESOURCES, SERVICES, PRODUCTS, POLICIES = (f"catalog/{name}.yaml" for name in ("resources", "services", "products", "policies"))
SF200, FAILURES = "catalog/superfibre-200.yaml", "catalog/failure-policy.yaml"


def test_the_repository_s_catalogue_has_no_problems(catalogue: Catalogue) -> None:
    assert check(catalogue) == []


# file, what is replaced, by what, lines further down where the problem is, the problem
BAD = {
    "dependency circle": (
        RESOURCES,
        "  - id: RFS:GPON-Bearer\n",
        "  - id: RFS:GPON-Bearer\n    depends_on: [RFS:IP-Profile]\n",
        1,
        "RFS:GPON-Bearer.depends_on: dependency circle: RFS:GPON-Bearer -> RFS:IP-Profile -> RFS:VLAN-Service -> RFS:GPON-Bearer",
    ),
    "unknown template": (
        RESOURCES,
        "template: gpon-bearer",
        "template: gpon-bearr",
        0,
        "RFS:GPON-Bearer.configure[0].template: unknown template `gpon-bearr`, did you mean `gpon-bearer`?",
    ),
    "unknown shared template": (
        RESOURCES,
        "template: traffic-descriptor",
        "template: traffic",
        0,
        "RFS:QoS-Profile.configure[0].shared[1].template: unknown template `traffic`",
    ),
    "unknown RFS in depends_on": (
        RESOURCES,
        "depends_on: [RFS:GPON-Bearer]",
        "depends_on: [RFS:GPON-Bear]",
        0,
        "RFS:VLAN-Service.depends_on[0]: unknown resource specification `RFS:GPON-Bear`, did you mean `RFS:GPON-Bearer`?",
    ),
    "unknown RFS in a rule": (
        SERVICES,
        "- specification: RFS:QoS-Profile",
        "- specification: RFS:QOS",
        0,
        "CFS:Internet-Access.decompose[3].specification: unknown resource specification `RFS:QOS`",
    ),
    "unknown CFS": (
        PRODUCTS,
        "- specification: CFS:WiFi-Management",
        "- specification: CFS:Wifi-Manager",
        0,
        "PS-RBA-01.decompose[1].specification: unknown service specification `CFS:Wifi-Manager`, did you mean `CFS:WiFi-Management`?",
    ),
    "unknown product specification": (
        SF200,
        "PS-RBA-01",
        "PS-RBA-02",
        0,
        "PO-SF200H.specification: unknown product specification `PS-RBA-02`, did you mean `PS-RBA-01`?",
    ),
    "unknown RFS in online_after": (SERVICES, "online_after: [RFS:TR069-Config]", "online_after: [RFS:X]", 0, "online_after[0]: unknown"),
    "illegal value": (
        SF200,
        "downloadSpeed: 200",
        "downloadSpeed: 250",
        0,
        "PO-SF200H.characteristics.downloadSpeed: `downloadSpeed` of PS-RBA-01 is 250; legal values: 100, 200, 500, 1000",
    ),
    "value of another type": (SF200, "downloadSpeed: 200", 'downloadSpeed: "200"', 0, "is '200', an integer is needed"),
    "unknown characteristic": (
        SF200,
        "downloadSpeed: 200",
        "downloadSped: 200",
        0,
        "unknown characteristic of PS-RBA-01 `downloadSped`, did you mean `downloadSpeed`?",
    ),
    "unknown characteristic in a rule": (
        SERVICES,
        "bearerSpeed: 1G",
        "bearerSped: 1G",
        0,
        "unknown characteristic of RFS:GPON-Bearer `bearerSped`, did you mean `bearerSpeed`?",
    ),
    "illegal constant in a rule": (SERVICES, "bearerSpeed: 1G", "bearerSpeed: 10G", 0, "is '10G'; legal values: 1G"),
    "unknown name in a rule": (
        SERVICES,
        "else c.uploadSpeed }}M",
        "else c.uploadSped }}M",
        0,
        "unknown name `c.uploadSped`, did you mean `c.uploadSpeed`?",
    ),
    "unknown name in a condition": (
        PRODUCTS,
        "when: c.wifiApp",
        "when: c.wifiapp",
        0,
        "unknown name `c.wifiapp`, did you mean `c.wifiApp`?",
    ),
    "condition that is no expression": (
        PRODUCTS,
        "when: c.wifiApp",
        "when: c.wifiApp ==",
        0,
        "PS-RBA-01.decompose[1].when: `{{ c.wifiApp == }}`",
    ),
    "unknown role of the exchange": (
        RESOURCES,
        'target: "{{ exchange.bng }}", template: vlan-service',
        'target: "{{ exchange.bgn }}", template: vlan-service',
        0,
        "unknown name `exchange.bgn`, did you mean `exchange.bng`?",
    ),
    "expression that does not end": (RESOURCES, '"{{ port.device }}"', '"{{ port.device"', 0, "unexpected end of template"),
    "secret given to what is not secret": (
        SERVICES,
        "wifiPassword: {secret: true, generate: 20, mandatory: true}",
        "wifiPassword: {mandatory: true}",
        None,
        "PS-RBA-01.decompose[2].characteristics.wifiPassword: gives a secret to `wifiPassword` of CFS:CPE-Management, which is not secret",
    ),
    "secret with a default": (
        PRODUCTS,
        "wifiPassword: {secret: true,",
        "wifiPassword: {secret: true, default: password1,",
        0,
        "a secret has no default",
    ),
    "default that is not legal": (PRODUCTS, "default: GPON,", "default: HFC,", 0, "the default is 'HFC'; legal values: GPON"),
    "pattern that is none": (
        SERVICES,
        r"ssid: {mandatory: true, pattern: '[ -~]{1,32}'}",
        "ssid: {mandatory: true, pattern: '('}",
        0,
        "not a regular expression",
    ),
    "pool without what it is found by": (RESOURCES, "kind: vlan, pool: {group", "kind: vlan, pool: {site", 0, "`group` is missing"),
    "unknown key of a pool": (RESOURCES, "kind: vlan, pool: {", "kind: vlan, pool: {grop: x, ", 0, "`grop`, did you mean `group`?"),
    "two of one name": (RESOURCES, "      ipv4: {kind", "      vlan: {kind", 0, "`vlan` is reserved by RFS:VLAN-Service already"),
    "allocation that would hide something": (
        RESOURCES,
        "      vlan: {kind",
        "      order: {kind",
        0,
        "`order` cannot be an allocation's name",
    ),
    "characteristic that would be a method": (
        PRODUCTS,
        "      dataQuota: {",
        "      items: {",
        0,
        "`items` cannot be used in expressions",
    ),
    "unknown reservation": (RESOURCES, "uses: [vlan]", "uses: [vlan, vlam]", 0, "unknown reservation `vlam`, did you mean `vlan`?"),
    "two policies for the same": (
        POLICIES,
        "match: {download: 200M, upload: 50M",
        "match: {download: 100M, upload: 20M",
        0,
        "BW-200-50-RES.match: BW-100-20-RES is for the same values",
    ),
    "unknown key of policies": (RESOURCES, "policy: {download:", "policy: {downlod:", 0, "did you mean `download`?"),
    "offering without a policy": (
        POLICIES,
        "match: {download: 200M, upload: 50M",
        "match: {download: 300M, upload: 50M",
        None,
        "PO-SF200H: an order of it cannot be carried out: no policy for download 200M, upload 50M, class residential",
    ),
    "failure rule that is never reached": (
        FAILURES,
        "  - {error: denied",
        "  - {then: hold}\n  - {error: denied",
        1,
        "failure_policy[8]: never reached: rule 8 decides before it",
    ),
    "failure rule for a code that its class decides": (
        FAILURES,
        "  - {error: locked,",
        "  - {error: TARGET_TIMEOUT, then: hold}\n  - {error: locked,",
        0,
        "failure_policy[3]: never reached: rule 3 decides before it",
    ),
    "failure rule for an unknown error": (
        FAILURES,
        "error: locked",
        "error: loked",
        0,
        "unknown error class or code `loked`, did you mean `locked`?",
    ),
    "failure rule for all of a class after rules for each of its codes": (
        FAILURES,
        "  - {error: locked,",
        "  - {error: TARGET_LOCKED, then: fail}\n  - {error: locked,",
        1,
        "failure_policy[4]: never reached: the rules before it decide about all that it is for",
    ),
    "failure rule for an unknown RFS": (
        FAILURES,
        '"RFS:GPON-Bearer"',
        '"RFS:GPON-Barer"',
        0,
        "unknown resource specification `RFS:GPON-Barer`, did you mean `RFS:GPON-Bearer`?",
    ),
    "failure rule for an unknown kind of step": (
        FAILURES,
        "  - {error: locked, then",
        "  - {error: locked, step: configur, then",
        0,
        "unknown kind of step `configur`, did you mean `configure`?",
    ),
    "retries of a rule that does not retry": (
        FAILURES,
        "  - {error: denied, then: fallout",
        "  - {error: denied, then: fallout, limit: 3",
        0,
        "`limit` has no meaning here: nothing is tried again",
    ),
    "a queue of a rule that opens no case": (
        FAILURES,
        "  - {error: template, then: fail}",
        "  - {error: template, then: fail, queue: provisioning}",
        0,
        "`queue` has no meaning here: no case is opened",
    ),
    "failure policy without an end": (
        FAILURES,
        "  - {then: fallout, queue: provisioning}\n",
        "",
        None,
        "the last rule must be for everything else",
    ),
    "undefined variable in a template": (
        "templates/junos/qos-profile.set.j2",
        "policer input {{ policy.name }}-UP",
        "policer input {{ polcy.name }}-UP",
        0,
        "unknown name `polcy`, did you mean `policy`?",
    ),
    "undefined attribute in a template": (
        "templates/bbf-olt/gpon-bearer.xml.j2",
        "<onu-id>{{ port.onu }}",
        "<onu-id>{{ port.onuid }}",
        0,
        "unknown name `port.onuid`, did you mean",
    ),
    "undefined characteristic in a template": (
        "templates/genieacs/tr069-config.json.j2",
        "c.firmware",
        "c.fimware",
        0,
        "unknown name `c.fimware`, did you mean `c.firmware`?",
    ),
    "included template with an unknown name": (
        "templates/parts/junos-unit.set.j2",
        "port.device",
        "ipv4.address",
        0,
        "[used by RFS:QoS-Profile]; RFS:IP-Profile reserves `ipv4`: depend on it, or name `ipv4` in `uses`",
    ),
    "template that is no Jinja": ("templates/kea/ip-profile.json.j2", "{% set mac", "{% sett mac", 0, "Encountered unknown tag 'sett'"),
    "unknown filter": ("templates/kea/ip-profile.json.j2", "| mac %}", "| mak %}", 0, "No filter named 'mak'."),
    "unknown template to include": (
        "templates/junos/vlan-service.set.j2",
        "parts/junos-unit",
        "parts/junos-unti",
        None,
        "did you mean `parts/junos-unit.set.j2`?",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_problem_is_found_with_file_and_line(copy: Any, case: str) -> None:
    file, old, new, below, message = BAD[case]
    line = copy.edit(file, old, new)
    problems = copy.problems()
    place = "" if below is None else f"{file}:{line + below}: "
    assert [problem for problem in problems if problem.startswith(place) and message in problem], problems


def test_what_an_item_reads_without_depending_on_it_must_be_named(copy: Any) -> None:
    copy.edit(RESOURCES, "    uses: [vlan]", "    uses: []")
    problems = copy.problems()
    assert problems
    assert all("RFS:VLAN-Service reserves `vlan`: depend on it, or name `vlan` in `uses`" in problem for problem in problems)


def test_all_problems_are_listed_not_just_the_first(copy: Any) -> None:
    first = copy.edit(RESOURCES, "template: gpon-bearer", "template: nothing")
    second = copy.edit(SF200, "downloadSpeed: 200", "downloadSpeed: 1")
    with pytest.raises(CatalogueInvalid) as raised:
        copy.load()
    message = str(raised.value)
    assert message.startswith("2 problems in the catalogue")
    assert f"{RESOURCES}:{first}: " in message
    assert f"{SF200}:{second}: " in message
    assert raised.value.exit_code == 2


def test_one_mistake_does_not_cause_more_problems_elsewhere(copy: Any) -> None:
    copy.edit(RESOURCES, "depends_on: [RFS:GPON-Bearer]", "depends_on: [RFS:GPON-Bear]")
    assert len(copy.problems()) == 1


def test_a_template_twice_for_one_platform_is_a_problem(copy: Any) -> None:
    (copy.templates / "junos" / "vlan-service.xml.j2").write_text("")
    assert copy.problems() == ["templates/junos/vlan-service.xml.j2: junos/vlan-service.set.j2 is the same template for the same platform"]


@pytest.mark.parametrize("name", ["junos/vlan-service.j2", "junos/deep/vlan.set.j2", "junos/vlan.txt.j2"])
def test_names_of_templates(copy: Any, name: str) -> None:
    file = copy.templates / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    assert copy.problems() == [f"templates/{name}: the name must be <platform>/<template>.<xml|set|json>.j2"]


def test_templates_of_another_folder_are_named_after_it(copy: Any) -> None:
    mine = copy.templates.rename(copy.templates.with_name("mine"))
    (mine / "junos" / "vlan.txt.j2").write_text("")
    assert [problem.file for problem in examine(copy.catalog, mine)[1]] == ["mine/junos/vlan.txt.j2"]


def test_a_restored_catalogue_is_checked_too_without_lines(catalogue: Catalogue) -> None:
    restored = Catalogue.restore(catalogue.dump())
    assert check(restored) == []
    spoiled = Catalogue(**{**restored.__dict__, "failure_policy": (FailureRule(then="hold"), FailureRule(then="fail"))})
    assert [str(problem) for problem in check(spoiled)] == ["catalogue: failure_policy[1]: never reached: rule 1 decides before it"]


def test_messages_name_nothing_of_this_machine(copy: Any, tmp_path: Path) -> None:
    copy.edit(RESOURCES, "template: gpon-bearer", "template: nothing")
    assert not [problem for problem in copy.problems() if str(tmp_path) in problem]
