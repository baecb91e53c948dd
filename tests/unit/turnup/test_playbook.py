"""Playbooks: what is read, and file, line and field of what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import CharacteristicInvalid, PlaybookInvalid, SettingsInvalid
from tests.unit.turnup.conftest import PLAYBOOKS
from turnup.playbook import load


@pytest.mark.parametrize("file", sorted(PLAYBOOKS.glob("*.yaml")), ids=lambda file: file.name)
def test_the_playbooks_of_the_project_are_valid(file: Path) -> None:
    request = load(file).request
    if request.adds:
        assert request.address is not None
        assert request.address.exchange == "EAST-07"
    else:
        assert {line.subject for line in request.lines} == {"PI-BB-4821"}


def test_the_worked_example_says_what_the_order_says() -> None:
    request = load(PLAYBOOKS / "superfibre-200.yaml").request
    assert (request.customer.id, request.customer.name, request.customer.account) == ("CUST-4821", "Jane Smith", "ACC-7742")
    assert (request.address.street, request.address.distribution_point) == ("42 Fibre Lane", "DP-142")
    assert (request.offering, request.characteristics["ssid"]) == ("PO-SF200H", "SmithHome")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"offering: PO": "offering: [PO"}, "not YAML: "),
        ({"distributionPoint:": "distributionpoint:"}, "19: address.distributionpoint: unknown field `distributionpoint`, did you mean"),
        ({"customer:": "custmer:"}, "9: custmer: unknown field `custmer`, did you mean `customer`?"),
        ({"  id: CUST-4821\n": ""}, "9: customer: `id` is missing"),
        ({'"3000"': "3000"}, "17: address.postcode: text is needed here; numbers and dates are text when they stand in quotes"),
        ({'"3000"': '"30\\a00"'}, "17: address.postcode: U+0007 is a control character: only text can stand here"),
        ({"ssid: SmithHome": 'ssid: "Smith\\x7fHome"'}, "21: characteristics: U+007F is a control character"),
        ({"ssid: SmithHome": "ssid: [SmithHome]"}, "25: characteristics.ssid: "),
        ({"offering: PO-SF200H": "specification: PS-RBA-01"}, "1: a product order needs `offering` in each line"),
        ({"offering: PO-SF200H": "offering: PO-SF200H\noffering: PO-SF500H"}, "21: offering: the key is there twice"),
        ({"offering: PO-SF200H": "offering: PO-SF200H\nrequestedStartDate: 2024-03-12T09:00:00"}, "needs a time zone"),
    ],
)  # fmt: skip
def test_file_line_and_field_of_what_is_wrong(changes: dict[str, str], said: str, playbook: Callable[..., Path]) -> None:
    path = playbook(**changes)
    with pytest.raises(PlaybookInvalid) as raised:
        load(path)
    assert str(raised.value).startswith(f"{path}:")
    assert said in str(raised.value)


@pytest.mark.parametrize("text", ["", "- 1\n", "hello\n", "\x00"])
def test_what_is_no_mapping_at_all(text: str, tmp_path: Path) -> None:
    path = tmp_path / "order.yaml"
    path.write_text(text)
    with pytest.raises(PlaybookInvalid):
        load(path)


def test_everything_that_is_wrong_is_said_at_once(playbook: Callable[..., Path]) -> None:
    with pytest.raises(PlaybookInvalid) as raised:
        load(playbook(**{"externalId": "externalid", "city": "town", "wifiApp: true": "wifiApp: {}"}))
    assert len(str(raised.value).splitlines()) == 4  # externalId is missing, too


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PlaybookInvalid, match="No such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes("customer: Müller".encode("latin-1"))
    with pytest.raises(PlaybookInvalid, match="not UTF-8"):
        load(tmp_path / "latin.yaml")


def test_what_the_catalogue_refuses_gets_its_line() -> None:
    found = load(PLAYBOOKS / "superfibre-200.yaml")
    placed = found.placed(CharacteristicInvalid("PS-RBA-01: `routerModel` is 'X'; legal values: HG8245H"))
    assert isinstance(placed, CharacteristicInvalid)
    assert str(placed) == f"{found.file}:22: PS-RBA-01: `routerModel` is 'X'; legal values: HG8245H"
    missing = found.placed(CharacteristicInvalid("PS-RBA-01: `downloadSpeed` is missing"))
    assert str(missing).startswith(f"{found.file}: ")


def test_what_is_wrong_with_the_settings_has_no_line_in_the_playbook() -> None:
    placed = load(PLAYBOOKS / "superfibre-200.yaml").placed(SettingsInvalid("there is no token"))
    assert isinstance(placed, SettingsInvalid)
    assert str(placed) == "there is no token"
