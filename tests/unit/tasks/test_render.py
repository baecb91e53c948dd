"""Templates: strict, sandboxed, and safe for the notation they are written in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.errors import TargetUnknown, TemplateFailed
from tasks.jinja import environment
from tasks.render import render, text_of

PATHS = {"bbf-olt": "bbf-olt/t.xml.j2", "junos": "junos/t.set.j2", "kea": "kea/t.json.j2"}


def rendered(platform: str, text: str, **context: Any) -> str:
    return text_of(platform, "t", context, {PATHS[platform]: text})


class TestText:
    def test_what_a_template_says(self) -> None:
        text = "{% for n in [1, 2] %}\n  {% if n > 1 %}\nset unit {{ n }}\n  {% endif %}\n{% endfor %}\n"
        assert rendered("junos", text) == "set unit 2\n", "blocks leave neither lines nor blanks"

    def test_parts_and_macros_of_the_same_set(self) -> None:
        templates = {
            "junos/t.set.j2": '{% from "parts/m.set.j2" import two %}\n{% include "parts/i.set.j2" %}\n{{ two(vid) }}',
            "parts/m.set.j2": "{% macro two(n) %}\nset a {{ n }}\nset b {{ n }}\n{% endmacro %}",
            "parts/i.set.j2": "set c {{ vid }}\n",
        }
        assert text_of("junos", "t", {"vid": 7}, templates) == "set c 7\nset a 7\nset b 7\n"

    def test_a_set_of_templates_is_compiled_once(self) -> None:
        templates = {"junos/t.set.j2": "set {{ x }}"}
        assert text_of("junos", "t", {"x": 1}, templates) == "set 1"
        before = environment.cache_info()
        assert text_of("junos", "t", {"x": 2}, dict(templates)) == "set 2"
        after = environment.cache_info()
        assert (after.hits, after.misses) == (before.hits + 1, before.misses)

    def test_booleans_are_spelled_as_yang_junos_and_json_do(self) -> None:
        assert rendered("bbf-olt", "{{ on }}", on=True) == "true"
        assert rendered("kea", "[{{ on }}]", on=False) == "[false]"

    @pytest.mark.parametrize(
        ("expression", "text"),
        [
            ("'48:57:54:34:00:98' | mac('dot')", "4857.5434.0098"),
            ("'48-57-54-34-00-98' | mac", "48:57:54:34:00:98"),
            ("'48:57:54:34:00:98' | mac('bare') | upper", "485754340098"),
            ("'10.42.17.22/24' | network", "10.42.17.0/24"),
            ("'10.42.17.22/24' | host", "10.42.17.22"),
            ("'10.42.17.22/24' | netmask", "255.255.255.0"),
            ("'2001:db8:42:17::/64' | prefix_length", "64"),
        ],
    )
    def test_filters_of_the_trade(self, expression: str, text: str) -> None:
        assert rendered("junos", f"{{{{ {expression} }}}}") == text


class TestSafe:
    def test_xml_is_escaped_once(self) -> None:
        assert rendered("bbf-olt", "<a>{{ x }}{{ x | e }}{{ '&' }}</a>", x="<&>") == "<a>&lt;&amp;&gt;&lt;&amp;&gt;&amp;</a>"

    @pytest.mark.parametrize("value", ["x\nset system host-name pwned", "two words", 'a"b', "a;b", "[", "{", "#"])
    def test_a_value_cannot_become_more_of_a_set_line_than_a_word(self, value: str) -> None:
        with pytest.raises(TemplateFailed, match=r"junos/t.set.j2:2: .*use `\| quoted`") as caught:
            rendered("junos", "\nset description {{ x }}", x=value)
        assert value not in str(caught.value) or len(value) == 1

    def test_quoted_is_one_word(self) -> None:
        assert rendered("junos", "set d {{ x | quoted }}", x='O"B \\ <&>') == 'set d "O\\"B \\\\ <&>"'
        with pytest.raises(TemplateFailed, match="control character"):
            rendered("junos", "set d {{ x | quoted }}", x="a\nb")

    def test_a_value_cannot_end_a_json_string(self) -> None:
        with pytest.raises(TemplateFailed, match=r"use `\| tojson`"):
            rendered("kea", '["{{ x }}"]', x='", "')
        assert rendered("kea", '["{{ x }}"]', x="a <&> b") == '["a <&> b"]'
        assert json.loads(rendered("kea", "[{{ x | tojson }}, {{ {'n': none} | tojson }}]", x='"\n<&>\\')) == ['"\n<&>\\', {"n": None}]

    def test_constants_are_not_escaped_for_html(self) -> None:
        assert rendered("junos", "set {{ 'a&b' }} {{ 'x<' ~ n }}", n=1) == "set a&b x<1"

    @pytest.mark.parametrize(
        "text", ["{{ x.__class__.__mro__ }}", "{{ d.update({'a': 1}) }}", "{{ ''.__class__ }}", "{{ range(10000000) }}"]
    )
    def test_the_sandbox(self, text: str) -> None:
        with pytest.raises(TemplateFailed, match=r"bbf-olt/t\.xml\.j2:1"):
            rendered("bbf-olt", text, x=1, d={})

    def test_a_template_sees_no_files(self) -> None:
        with pytest.raises(TemplateFailed, match="there is no template"):
            rendered("bbf-olt", "{% include '/etc/hostname' %}")


class TestFailed:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("\n{{ y }}", "kea/t.json.j2:2: 'y' is undefined"),
            ("\n{{ d.y | tojson }}", "kea/t.json.j2:2: 'dict object' has no attribute 'y'"),
            ("\n\n{{ none }}", "kea/t.json.j2:3: None would be printed"),
            ("{{ d.n }}", "kea/t.json.j2:1: None would be printed"),
            ("\n{{ 1 / 0 }}", "kea/t.json.j2:2: ZeroDivisionError"),
            ("{{ f | tojson }}", "kea/t.json.j2:1: tojson: a value is not plain data"),
            ("\n{% if %}", "kea/t.json.j2:2: "),
            ("{{ x | nosuchfilter }}", "kea/t.json.j2:1: No filter named 'nosuchfilter'"),
            ("{% include 'parts/none.j2' %}", "there is no template parts/none.j2"),
        ],
    )
    def test_the_error_says_template_and_line(self, text: str, message: str) -> None:
        with pytest.raises(TemplateFailed) as caught:
            rendered("kea", text, x=1, d={"n": None}, f=object())
        assert message in str(caught.value)

    def test_the_line_in_an_included_template(self) -> None:
        templates = {"junos/t.set.j2": '{% include "parts/i.set.j2" %}', "parts/i.set.j2": "\n\n{{ y }}"}
        with pytest.raises(TemplateFailed, match=r"parts/i\.set\.j2:3: 'y' is undefined"):
            text_of("junos", "t", {}, templates)

    @pytest.mark.parametrize(
        "expression", ["secret[secret]", "secret | mac", "secret | network", "secret | mac(secret)", "secret / 2", "{}[secret]"]
    )
    def test_the_error_never_quotes_a_value(self, expression: str) -> None:
        with pytest.raises(TemplateFailed) as caught:
            rendered("junos", f"{{{{ {expression} }}}}", secret="hunter2")
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None

    def test_a_template_that_is_not_there_and_a_platform_that_is_not_known(self) -> None:
        with pytest.raises(TemplateFailed, match=r"there is no template kea/u.json.j2; kea has kea/t.json.j2"):
            render("kea", "u", {}, {"kea/t.json.j2": ""})
        with pytest.raises(TargetUnknown):
            render("ios", "t", {}, {})


class TestLegal:
    def test_a_fragment_is_what_the_notation_allows(self) -> None:
        assert render("junos", "t", {"vid": 7}, {"junos/t.set.j2": "set interfaces ge-0/0/1 unit {{ vid }}"}).endswith("unit 7")

    @pytest.mark.parametrize(
        ("platform", "text", "message"),
        [
            ("bbf-olt", "\n<a>", r"what bbf-olt/t\.xml\.j2 renders: line 2: not well-formed XML"),
            ("junos", "\nset foo", r"what junos/t\.set\.j2 renders: line 2: the table of Junos statements does not know foo"),
            ("kea", "{}", r"what kea/t\.json\.j2 renders: not a list of documents"),
        ],
    )
    def test_what_is_not_is_refused_with_the_template_and_the_line_of_the_output(self, platform: str, text: str, message: str) -> None:
        with pytest.raises(TemplateFailed, match=message):
            render(platform, "t", {}, {PATHS[platform]: text})
