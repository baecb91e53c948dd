"""docs/catalogue.md is what the models say; what docs/adding-an-rfs.md tells to do works."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from engine.catalogue.models import CatalogueFile
from engine.catalogue.reference import reference
from engine.decomposition import Line, decompose
from engine.states import Level
from tasks.render import render

DOCS = Path(__file__).parents[4] / "docs"


LAST = """          class: "{{ 'walled-garden' if c.suspended else 'residential' }}"\n"""


def blocks() -> dict[str, list[str]]:
    """Fenced blocks of the guide by language."""
    found: dict[str, list[str]] = {}
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", (DOCS / "adding-an-rfs.md").read_text(), re.DOTALL | re.MULTILINE):
        found.setdefault(language, []).append(text)
    return found


def test_the_reference_is_up_to_date() -> None:
    """If not: python -m engine.catalogue.reference > docs/catalogue.md"""
    assert (DOCS / "catalogue.md").read_text() == reference()


def test_the_reference_has_every_kind_and_says_what_each_field_means() -> None:
    text = reference()
    for kind in CatalogueFile.model_fields:
        assert f"### `{kind}`" in text
    without = [line for line in text.splitlines() if re.match(r"\| `\w+` \|.*\|\s*\|$", line)]
    assert without == []


def test_the_guide_works(copy: Any) -> None:
    offering, rfs, rule = blocks()["yaml"]
    (template,) = blocks()["jinja"]
    (copy.catalog / "superfibre-100.yaml").write_text(offering)
    assert copy.problems() == []
    (copy.catalog / "session-limit.yaml").write_text(rfs)
    assert [problem for problem in copy.problems() if "unknown template `session-limit`" in problem]
    (copy.templates / "freeradius" / "session-limit.json.j2").write_text(template)
    assert copy.problems() == []
    # the rule goes behind the last one of CFS:Internet-Access
    copy.edit("catalog/services.yaml", LAST, LAST + rule.partition("\n")[2])
    catalogue = copy.load()
    assert "PO-SF100H" in catalogue.offerings

    context = {"customer": {"name": "Jane Smith", "number": "4821"}, "address": {}, "exchange": {"name": "EAST-07"}, "p": {}}
    service = Line("CFS:Internet-Access", {"downloadSpeed": 100, "uploadSpeed": 20, "technology": "GPON", "suspended": None})
    items = dict(decompose(catalogue, Level.SERVICE, [("SOI-001", service)], context))
    assert items["ROI-005"] == Line("RFS:Session-Limit", {"sessions": 1}, ("SOI-001",))
    wanted = {"service": {"id": "SI-INT-4821"}, "c": items["ROI-005"].characteristics}
    (expected,) = blocks()["json"]
    assert json.loads(render("freeradius", "session-limit", wanted, catalogue.templates)) == json.loads(expected)
