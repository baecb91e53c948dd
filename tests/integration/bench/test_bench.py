"""The benchmarks run, and what they write is as docs/performance.md says. What they measure is not judged here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.bench.__main__ import BENCHES
from tests.bench.figure import Figure, Goal, of_samples, p95

ROOT = Path(__file__).parents[3]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tests.bench", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_one_benchmark_writes_its_figures_and_where_they_come_from(tmp_path: Path) -> None:
    output = tmp_path / "made" / "bench.json"
    done = bench("--quick", "--only", "accept", "--output", str(output))
    assert done.returncode == 0, done.stderr
    document = json.loads(output.read_text("utf-8"))
    assert set(document) == {
        *("date", "seconds", "quick", "only", "commit", "dirty", "catalogue", "database"),
        *("machine", "figures", "failures"),
    }
    assert set(document["machine"]) == {"cores", "cpu", "memory_gib", "kernel", "python", "filesystem", "load"}
    assert (document["quick"], document["only"], document["failures"]) == (True, "accept", [])
    assert document["database"].startswith("SQLite")
    assert datetime.fromisoformat(document["date"]).tzinfo is not None
    figure, together = document["figures"]
    assert "by one call" in together["name"]
    assert set(figure) == {"bench", "name", "value", "unit", "runs", "minimum", "maximum", "against", "goal", "met"}
    assert (figure["bench"], figure["unit"], figure["runs"], figure["goal"]) == ("accept", "orders/s", 2, ">= 200")
    assert 0 < figure["minimum"] <= figure["value"] <= figure["maximum"]
    assert figure["met"] is (figure["value"] >= 200)
    assert figure["name"] in done.stdout
    assert "[1/1] accept" in done.stderr


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("one OLT", ["orders/s", "ms an order", "orders/s", "ms an order", "orders/s", "orders/s"]),
        ("held orders", ["MiB PSS", "% of a core"]),
        ("change", ["ms", "ms", "times"]),
        ("recovery", ["s"]),
    ],
)
def test_benchmarks_come_to_their_end(tmp_path: Path, name: str, units: list[str]) -> None:
    output = tmp_path / "bench.json"
    done = bench("--quick", "--only", name, "--output", str(output))
    assert done.returncode == 0, done.stderr
    document = json.loads(output.read_text("utf-8"))
    assert document["failures"] == []
    found = [figure for figure in document["figures"] if figure["bench"] == name]
    assert [figure["unit"] for figure in found] == units
    assert all(figure["value"] >= 0 and figure["against"] for figure in found)


def test_an_unknown_benchmark_is_refused_and_the_known_are_named(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    done = bench("--only", "coffee", "--output", str(output))
    assert done.returncode == 2
    assert all(known.name in done.stderr for known in BENCHES)
    assert not output.exists()


def test_the_document_is_described_field_by_field() -> None:
    text = (ROOT / "docs" / "performance.md").read_text("utf-8")
    for name in ("minimum", "maximum", "against", "goal", "met", "commit", "dirty", "machine", "failures", "catalogue", "database"):
        assert re.search(rf"`{name}`", text), name


@pytest.mark.parametrize(("goal", "met"), [(Goal("<=", 2), True), (Goal("<=", 1.9), False), (Goal(">=", 2), True), (Goal(">=", 3), False)])
def test_a_goal_is_met_or_not(goal: Goal, met: bool) -> None:
    assert goal.met(2.0) is met


def test_median_extremes_and_the_95th_of_a_hundred() -> None:
    samples = [float(n) for n in range(100, 0, -1)]
    assert of_samples("f", samples, "ms", "x") == Figure("f", 50.5, "ms", 100, 1.0, 100.0, "x")
    assert p95("f", samples, "ms", "x").value == 95.0
    assert p95("f", [3.0], "ms", "x").value == 3.0
