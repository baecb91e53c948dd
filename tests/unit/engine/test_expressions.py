"""Expressions: strict, sandboxed, and with messages that help."""

from __future__ import annotations

import pytest

from engine import expressions
from engine.errors import TemplateFailed
from tasks.jinja import FILTERS

CONTEXT = {
    "c": {"downloadSpeed": 200, "wifiApp": True, "features": None, "items": 7, "class": "residential", "digits": "1042"},
    "customer": {"name": "Jane Smith", "number": "4821"},
}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{{ c.downloadSpeed }}", 200),
        ("{{c.wifiApp}}", True),
        ("{{ c.features }}", None),
        ("{{ c.downloadSpeed }}M", "200M"),
        ("plain", "plain"),
        ("", ""),
        ("{{ c.digits }}", "1042"),
        ("{{ customer.name.split()[-1] }}Home", "SmithHome"),
        ("{{ c.downloadSpeed * 2 }}", 400),
        ("{{ '}}' }}", "}}"),
        ("{{ c.nothing | default('none') }}", "none"),
    ],
)
def test_a_text_that_is_one_expression_keeps_its_type(text: str, result: object) -> None:
    found = expressions.value(text, CONTEXT)
    assert found == result
    assert type(found) is type(result)


def test_render_gives_text() -> None:
    assert expressions.render("{{ c.downloadSpeed }}", CONTEXT) == "200"


@pytest.mark.parametrize(
    ("condition", "result"), [("c.wifiApp", True), ("c.downloadSpeed > 200", False), ("c.class == 'residential'", True)]
)
def test_conditions(condition: str, result: bool) -> None:
    assert expressions.holds(condition, CONTEXT) is result


def test_a_characteristic_may_be_called_as_a_method_of_dictionaries() -> None:
    assert expressions.value("{{ c.items }}", CONTEXT) == 7
    with pytest.raises(TemplateFailed, match=r"unknown name `c\.values`"):
        expressions.render("{{ c.values }}", CONTEXT)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ c.downloadSped }}", r"unknown name `c\.downloadSped`, did you mean `c\.downloadSpeed`\?"),
        ("{{ custmer.name }}", r"unknown name `custmer`, did you mean `customer`\?"),
        ("x{{ c.downloadSped }}", r"did you mean `c\.downloadSpeed`"),
        ("{{ c.features }}M", r"gives nothing \(None\)"),
        ("{{ c }}", r"gives a dict"),
        ("{{ customer.name.splitt() }}", r"no attribute 'splitt'"),
        ("{{ 1 / 0 }}", r"division by zero"),
        ("{{ c.downloadSpeed + 'x' }}", r"unsupported operand"),
        ("{{ c.downloadSpeed", r"line 1: unexpected end of template"),
        ("{{ c.downloadSpeed | nosuch }}", r"No filter named 'nosuch'"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(TemplateFailed, match=message):
        expressions.value(text, CONTEXT)


@pytest.mark.parametrize("text", ["{{ ''.__class__ }}", "{{ c.__init__ }}", "{{ ''.__class__.__mro__[1].__subclasses__() }}"])
def test_there_is_no_way_out_of_the_sandbox(text: str) -> None:
    with pytest.raises(TemplateFailed):
        expressions.render(text, CONTEXT)


@pytest.mark.parametrize("condition", ["c.nothing", "c.nothing == 1", "c.wifiApp and"])
def test_a_condition_about_something_unknown_is_neither_true_nor_false(condition: str) -> None:
    with pytest.raises(TemplateFailed):
        expressions.holds(condition, CONTEXT)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{{ port.device }}/{{ ont['serial'] }}", {"port.device", "ont.serial"}),
        ("{% for x in c.list %}{{ x.y }}{{ loop.index }}{% endfor %}", {"c.list"}),
        ("{% set a = b %}{{ a }}", {"b"}),
        ("{{ range(3) | list }}", set()),
        ("plain", set()),
    ],
)
def test_names(text: str, names: set[str]) -> None:
    assert expressions.names(text) == names


def test_names_of_a_condition() -> None:
    assert expressions.names_of_condition("c.technology == 'GPON' and not c.wifiApp") == {"c.technology", "c.wifiApp"}


def test_a_template_is_read_with_lines_and_what_it_includes() -> None:
    reading = expressions.read_template('{% include "parts/a.j2" %}\n{{ vlan.vid | quoted }}\n{{ vlan.vid }}')
    assert reading.names == {"vlan.vid": 2}
    assert reading.included == {"parts/a.j2"}
    assert expressions.read_template("a\n{% if %}").error == (2, "Expected an expression, got 'end of statement block'")
    assert expressions.read_template("a\n\n{{ b | nosuch }}").error == (3, "No filter named 'nosuch'.")


def test_the_filters_that_templates_have_are_known() -> None:
    assert set(FILTERS) == expressions.TEMPLATE_FILTERS
