"""Bulk files: which they are, what their rows say, and what is wrong with them, each with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.loader import load
from engine.errors import PlaybookInvalid
from tests.null_world import ROOT
from tests.unit.turnup.conftest import PLAYBOOKS
from turnup.bulk.files import Found, is_bulk, read
from turnup.bulk.rows import RefusedRow, Row

HEADER = "externalId,offering,customer.id,address.exchange"
FIRST = "A-1,PO-SF200H,CUST-1,EAST-07"
ORDER = {"externalId": "A-1", "offering": "PO-SF200H", "customer": {"id": "CUST-1"}, "address": {"exchange": "EAST-07"}}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The project's own."""
    return load(ROOT / "catalog", ROOT / "templates")


@pytest.fixture
def rows(tmp_path: Path, catalogue: Catalogue) -> Rows:
    """Reads a file with this text."""
    return Rows(tmp_path, catalogue)


class Rows:
    """Reads texts as files."""

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self._folder, self._catalogue = folder, catalogue

    def __call__(self, text: str | bytes, name: str = "orders.csv") -> list[Found]:
        path = self._folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read(path, self._catalogue)

    def row(self, text: str | bytes, name: str = "orders.csv") -> Row:
        """The only row, which is good."""
        (found,) = self(text, name)
        assert isinstance(found, Row), found
        return found

    def refused(self, text: str | bytes, name: str = "orders.csv") -> RefusedRow:
        """The only row that is not good."""
        (found,) = [each for each in self(text, name) if isinstance(each, RefusedRow)]
        return found


@pytest.mark.parametrize(
    ("name", "text", "many"),
    [
        ("orders.csv", "", True),
        ("ORDERS.CSV", "", True),
        ("orders.tsv", "", True),
        ("orders.jsonl", "", True),
        ("orders.yaml", "externalId: A\n---\nexternalId: B\n", True),
        ("orders.yaml", "# many\n\n---\nexternalId: A\n--- # next\nexternalId: B\n", True),
        ("orders.yaml", "# many\n- externalId: A\n", True),
        ("orders.json", '[{"externalId": "A"}]', True),
        ("orders.yaml", "externalId: A\n---\nexternalId: [B\n", True),
        ("orders.yaml", "---\nexternalId: A\ndescription: |\n  - one\n  ---\n", False),
        ("orders.yaml", "# one\nexternalId: A\nitems:\n- specification: B\n", False),
        ("orders.yaml", "", False),
        ("orders.yaml", "\x00", False),
    ],
)
def test_which_files_hold_many_orders(name: str, text: str, many: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert is_bulk(tmp_path / name) is many


def test_the_playbooks_of_the_project_are_one_order_each_but_for_the_bulk_files(catalogue: Catalogue) -> None:
    assert [path.name for path in sorted(PLAYBOOKS.iterdir()) if is_bulk(path)] == ["bulk.csv"]
    found = read(PLAYBOOKS / "bulk.csv", catalogue)
    assert [row.request.external_id for row in found if isinstance(row, Row)] == [f"BULK-{number}" for number in range(1, 7)]


def test_a_file_that_is_not_there_is_no_bulk_file(tmp_path: Path) -> None:
    assert not is_bulk(tmp_path / "orders.yaml")


# ---------------------------------------------------------------------------------------------------------------------- CSV


def test_a_row_says_what_a_playbook_says(rows: Rows) -> None:
    found = rows.row(
        "externalId,offering,customer.id,customer.name,address.exchange,address.postcode,characteristics.downloadSpeed,"
        "characteristics.staticIp,characteristics.ssid,priority,requestedStartDate\n"
        'A-1,PO-SF200H,CUST-1,"Smith, Jane",EAST-07,0300,200,TRUE,007,1,2024-04-01T09:00:00+11:00\n'
    )
    assert found.line == 2
    assert found.request.body() == {
        "externalId": "A-1",
        "offering": "PO-SF200H",
        "customer": {"id": "CUST-1", "name": "Smith, Jane"},
        "address": {"exchange": "EAST-07", "postcode": "0300"},
        "characteristics": {"downloadSpeed": 200, "staticIp": True, "ssid": "007"},
        "priority": 1,
        "requestedStartDate": "2024-04-01T09:00:00+11:00",
    }


def test_an_empty_cell_says_nothing(rows: Rows) -> None:
    found = rows.row(f"{HEADER},priority,characteristics.ssid,characteristics.wifiApp\n{FIRST},, ,\n").request
    assert (found.priority, found.characteristics) == (4, {})


def test_services_are_ordered_with_their_own_characteristics(rows: Rows) -> None:
    found = rows.row(
        "externalId,level,specification,customer.id,address.exchange,characteristics.downloadSpeed\n"
        "A-1,service,CFS:Internet-Access,CUST-1,EAST-07,200\n"
    ).request
    assert (found.level, found.characteristics) == ("service", {"downloadSpeed": 200})


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{HEADER}\n{FIRST}\n",
        f"{HEADER}\r\n{FIRST}\r\n",
        f"{HEADER}\n{FIRST}",
        f"# from the spreadsheet\n\n{HEADER}\n\n{FIRST}\n,,,\n",
        f"{HEADER}\n{FIRST}\n".replace(",", ";"),
        f"{HEADER}\n{FIRST}\n".replace(",", "\t"),
        f"{HEADER}\n{FIRST}\n".replace(",", " , "),
    ],
)  # fmt: skip
def test_what_spreadsheets_write(text: str, rows: Rows) -> None:
    assert rows.row(text).request.body() == ORDER


def test_the_line_is_that_on_which_the_row_begins(rows: Rows) -> None:
    found = rows(f'# one\n{HEADER},customer.name\n{FIRST},"Jane\nSmith"\n\n{FIRST},Tom\n')
    assert [row.line for row in found] == [3, 6]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("A-1,PO-SF200H,CUST-1", "the row has 3 cells, the header 5; what has a `,` in it stands in double quotes"),
        ("A-1,PO-SF200H,CUST-1,EAST-07,1,2", "the row has 6 cells"),
        ("A-1,PO-SF200H,CUST-1,,1", "address: `exchange` is missing"),
        ("A-1,PO-SF200H,CUST-1,EAST-07,9", "priority: Input should be less than or equal to 4"),
        ("A-1,PO-SF200H,CUST-1,EAST-07,high", "priority: Input should be a valid integer"),
        ("A-1,,CUST-1,EAST-07,1", "a product order needs `offering` in each line"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_harms_no_other(cells: str, said: str, rows: Rows) -> None:
    text = f"{HEADER},priority\n{FIRST},1\n{cells}\n{FIRST},2\n"
    assert len(rows(text)) == 3
    found = rows.refused(text)
    assert (found.line, found.external_id, found.code) == (3, "A-1", "PLAYBOOK_INVALID")
    assert said in found.message
    assert found.remedy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no orders"),
        (f"{HEADER}\n", "has no orders"),
        (f"{HEADER},adress.street\n{FIRST},x\n", ":1: unknown column `adress.street`, did you mean `address.street`? (known: "),
        (f"{HEADER},characteristics.sid\n{FIRST},x\n", "unknown column `characteristics.sid`, did you mean `characteristics.ssid`?"),
        (f"{HEADER},items\n{FIRST},x\n", "unknown column `items`"),
        (f"{HEADER},offering\n{FIRST},x\n", "column `offering` is there twice"),
        ("# x\nexternalId,offering,customer.id\nA,B,C\n", ":2: column `address.exchange` is missing"),
        (f'{HEADER}\n{FIRST}\n"A"-1,PO-SF200H,CUST-1,EAST-07\n', ":3: not CSV: "),
        (f'{HEADER}\n{FIRST}\n"A-1,PO-SF200H,CUST-1,EAST-07\n', ":3: not CSV: unexpected end of data"),
        (b"externalId\xff", "cannot be read: it is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_understood_as_a_whole(text: str | bytes, said: str, rows: Rows) -> None:
    with pytest.raises(PlaybookInvalid) as raised:
        rows(text)
    assert said in raised.value.message


# --------------------------------------------------------------------------------------------------------- JSON Lines, YAML


def test_json_lines(rows: Rows) -> None:
    second = {**ORDER, "externalId": "A-2", "characteristics": {"downloadSpeed": 200}}
    found = rows(f"{json.dumps(ORDER)}\n\n{json.dumps(second)}\n", "orders.jsonl")
    assert [(row.line, row.request.body()) for row in found if isinstance(row, Row)] == [(1, ORDER), (3, second)]


@pytest.mark.parametrize(
    ("line", "name", "said"),
    [
        ('{"externalId": ', None, "not JSON: "),
        ("17", None, "a mapping of fields is needed here"),
        (json.dumps({**ORDER, "offring": 1}), "A-1", "unknown field `offring`, did you mean `offering`?"),
        (json.dumps(ORDER).replace('"CUST-1"', '"CUST-1", "id": "CUST-2"'), "A-1", "id: the key is there twice"),
        (json.dumps({**ORDER, "externalId": 17}), None, "externalId: text is needed here"),
        ("[" * 100_000, None, "nested too deeply"),
    ],
)
def test_a_bad_line(line: str, name: str | None, said: str, rows: Rows) -> None:
    found = rows.refused(f"{json.dumps(ORDER)}\n{line}\n", "orders.jsonl")
    assert (found.line, found.external_id, found.code) == (2, name, "PLAYBOOK_INVALID")
    assert said in found.message


YAML = "externalId: A-1\noffering: PO-SF200H\ncustomer: {id: CUST-1}\naddress:\n  exchange: EAST-07\n"


def test_yaml_documents(rows: Rows) -> None:
    found = rows(f"# many\n---\n{YAML}---\n---\n{YAML.replace('A-1', 'A-2')}", "orders.yaml")
    assert [(row.line, row.request.external_id) for row in found if isinstance(row, Row)] == [(3, "A-1"), (10, "A-2")]


def test_a_yaml_list(rows: Rows) -> None:
    entry = "- " + YAML.replace("\n", "\n  ").rstrip() + "\n"
    found = rows(f"# many\n{entry}{entry.replace('A-1', 'A-2')}- 17\n", "orders.yaml")
    assert [(row.line, row.request.external_id) for row in found if isinstance(row, Row)] == [(2, "A-1"), (7, "A-2")]
    bad = found[2]
    assert isinstance(bad, RefusedRow)
    assert (bad.line, bad.message) == (12, "a mapping of fields is needed here")


def test_the_line_within_a_document(rows: Rows) -> None:
    bad = rows.refused(f"{YAML}---\n{YAML}  exchnge: EAST-08\n", "orders.yaml")
    assert (bad.line, bad.external_id) == (12, "A-1")
    assert "unknown field `exchnge`, did you mean `exchange`?" in bad.message


def test_yaml_that_is_not_yaml_is_refused_as_a_whole(rows: Rows) -> None:
    with pytest.raises(PlaybookInvalid, match=r":8: not YAML"):
        rows(f"{YAML}---\nexternalId: [A\n", "orders.yaml")
