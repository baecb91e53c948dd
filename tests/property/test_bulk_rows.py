"""What was written as a row of a bulk file is read as the same order: in every format, whatever stands in its texts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.catalogue.loader import load
from engine.requests import OrderRequest
from tests.null_world import ROOT
from turnup.bulk.files import read
from turnup.bulk.rows import Row

CATALOGUE = load(ROOT / "catalog", ROOT / "templates")
DECLARED = CATALOGUE.products["PS-RBA-01"].characteristics

# any character that an order can hold, quotes, delimiters and all kinds of line ends among them
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"), max_size=12)
DIGITS = st.from_regex("[0-9]{4}", fullmatch=True)
NAME = st.builds("{}{}{}".format, st.sampled_from(["A", "#", '"', "-"]), TEXT, st.sampled_from(["z", "7"]))
VALUES = {
    "string": st.sampled_from(["007", "true", "Smith, Jane", 'a "b"', "x\ny", "=1+1", "ü"]),
    "integer": st.integers(),
    "boolean": st.booleans(),
}
CHARACTERISTICS = st.fixed_dictionaries({}, optional={name: VALUES[each.type] for name, each in DECLARED.items()})
TIMES = st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC)).map(datetime.isoformat)

ORDERS = st.fixed_dictionaries(
    {
        "externalId": NAME,
        "offering": st.sampled_from(sorted(CATALOGUE.offerings)),
        "customer": st.fixed_dictionaries({"id": NAME}, optional={"name": TEXT, "account": TEXT}),
        "address": st.fixed_dictionaries({"exchange": NAME}, optional={"street": TEXT, "postcode": DIGITS}),
    },
    optional={"characteristics": CHARACTERISTICS, "priority": st.integers(0, 4), "requestedStartDate": TIMES, "description": TEXT},
)  # fmt: skip
Order = Mapping[str, Any]


def cells(order: Order) -> dict[str, str]:
    """Each value of an order under the name of its column."""
    found = {}
    for name, value in order.items():
        for inner, deep in value.items() if isinstance(value, Mapping) else [("", value)]:
            found[f"{name}.{inner}" if inner else name] = str(deep)
    return found


def as_csv(orders: list[Order], delimiter: str = ",") -> str:
    rows = [cells(order) for order in orders]
    names = dict.fromkeys(name for row in rows for name in row)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(names), restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_json_lines(orders: list[Order]) -> str:
    return "".join(json.dumps(order, ensure_ascii=False) + "\n" for order in orders)


def as_yaml_documents(orders: list[Order]) -> str:
    return yaml.safe_dump_all([*orders, None], explicit_start=True)


def as_yaml_list(orders: list[Order]) -> str:
    return yaml.safe_dump(orders, sort_keys=False)


FORMATS: dict[str, Callable[[list[Order]], str]] = {
    "a.csv": as_csv,
    "b.csv": lambda orders: as_csv(orders, ";"),
    "c.jsonl": as_json_lines,
    "d.yaml": as_yaml_documents,
    "e.yaml": as_yaml_list,
}


@pytest.mark.parametrize("name", FORMATS)
@given(orders=st.lists(ORDERS, min_size=1, max_size=5))
def test_what_was_written_is_read(name: str, orders: list[Order]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(FORMATS[name](orders).encode())
        found = read(path, CATALOGUE)
    assert [row.request for row in found if isinstance(row, Row)] == [OrderRequest.model_validate(order) for order in orders]
    assert len(found) == len(orders)
