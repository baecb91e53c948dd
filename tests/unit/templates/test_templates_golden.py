"""Each template gives what it gave when it was last looked at. After a wanted change: TURNUP_GOLDEN=update, and read the diff."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.check_expressions import template_files

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("which", ["first", "second"])
def test_templates_give_what_is_in_the_golden_files(orders: SimpleNamespace, catalogue: Catalogue, which: str) -> None:
    files = {identity: path.removesuffix(".j2") for path, identity in template_files(catalogue).items()}
    given = {f"{which}/{files[platform, template]}": text for platform, template, text in getattr(orders, which).fragments()}
    if os.environ.get("TURNUP_GOLDEN") == "update":
        for name, text in given.items():
            file = GOLDEN / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    kept = {file.relative_to(GOLDEN).as_posix(): file.read_text() for file in (GOLDEN / which).rglob("*") if file.is_file()}
    assert given == kept


def test_every_template_is_in_the_golden_files(catalogue: Catalogue) -> None:
    kept = {file.relative_to(GOLDEN / "first").as_posix() for file in (GOLDEN / "first").rglob("*") if file.is_file()}
    assert kept == {path.removesuffix(".j2") for path in template_files(catalogue)}


def test_json_templates_give_documents_with_kind_key_and_body(orders: SimpleNamespace, catalogue: Catalogue) -> None:
    formats = {f"{platform}/{name}": path for path, (platform, name) in template_files(catalogue).items()}
    seen = 0
    for platform, template, text in orders.second.fragments():
        if formats[f"{platform}/{template}"].endswith(".json.j2"):
            for document in json.loads(text):
                seen += 1
                assert set(document) == {"kind", "key", "body"}, template
                assert document["kind"], template
                assert document["key"], template
    assert seen > 10


def test_values_from_outside_arrive_unchanged_whatever_characters_they_have(orders: SimpleNamespace) -> None:
    preset = json.loads(orders.second.text("genieacs", "tr069-config"))[0]["body"]
    assert preset["configurations"][0]["args"] == ["v3.2", "SI-CPE-5937", "<x>Home", "WPA3", "pass<\"&'phrase"]
    assert json.loads(preset["precondition"]) == {"DeviceID.SerialNumber": "HWT2340099"}
    shipment = json.loads(orders.second.text("logistics", "cpe-provisioning"))[0]["body"]
    assert shipment["relatedParty"][0]["name"] == "Seán O'Brien <x>"


def test_a_return_names_the_order_that_shipped_the_router(orders: SimpleNamespace) -> None:
    for order in (orders.first, orders.second):
        shipped, back = (json.loads(order.text("logistics", template)) for template in ("cpe-provisioning", "cpe-return"))
        assert len(back) == 1
        assert (back[-1]["kind"], back[-1]["key"]) == ("returnOrder", f"{shipped[0]['key']}/return")
        assert back[-1]["body"]["externalId"] == back[-1]["key"]
        assert back[-1]["body"]["placeFrom"]["name"] == shipped[0]["body"]["placeTo"]["name"]
