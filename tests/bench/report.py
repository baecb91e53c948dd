"""What a run of the benchmarks came to: as a table for people, and as build/bench.json (docs/performance.md describes its fields)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench.figure import Figure
from tests.bench.machine import Machine, Version


@dataclass(frozen=True)
class Failure:
    """A benchmark that did not come to its end."""

    bench: str
    reason: str


@dataclass
class Report:
    """One run."""

    date: str
    """When it began, ISO 8601."""
    machine: Machine
    version: Version
    quick: bool
    only: str | None
    seconds: float = 0.0
    figures: list[tuple[str, Figure]] = field(default_factory=list)
    """Each with the name of its benchmark."""
    failures: list[Failure] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As it is written."""
        figures = [
            {
                "bench": bench,
                **{name: _rounded(value) for name, value in asdict(figure).items() if name != "goal"},
                "goal": str(figure.goal) if figure.goal else None,
                "met": figure.goal.met(figure.value) if figure.goal else None,
            }
            for bench, figure in self.figures
        ]
        return {
            "date": self.date,
            "seconds": round(self.seconds, 1),
            "quick": self.quick,
            "only": self.only,
            **asdict(self.version),
            "machine": asdict(self.machine),
            "figures": figures,
            "failures": [asdict(failure) for failure in self.failures],
        }

    def write(self, path: Path) -> None:
        """Write build/bench.json."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.document(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def table(self) -> Table:
        """For people: a section for each benchmark."""
        made = Table(title=self._title(), title_justify="left", caption=self._caption(), caption_justify="left")
        for heading, justify in (("figure", "left"), ("median", "right"), ("unit", "left"), ("min", "right"), ("max", "right")):
            made.add_column(heading, justify=justify, no_wrap=heading != "figure")  # type: ignore[arg-type]
        made.add_column("runs", justify="right")
        made.add_column("goal", no_wrap=True)
        made.add_column("against", style="dim")
        last = ""
        for bench, figure in self.figures:
            if last not in ("", bench):
                made.add_section()
            last = bench
            made.add_row(
                figure.name,
                f"[bold]{shown(figure.value)}[/]",
                figure.unit,
                shown(figure.minimum),
                shown(figure.maximum),
                str(figure.runs),
                _goal(figure),
                figure.against,
            )
        for failure in self.failures:
            made.add_row(f"[red]{failure.bench}[/]", "-", "", "", "", "", "", f"[red]{failure.reason}[/]")
        return made

    def _title(self) -> str:
        machine, version = self.machine, self.version
        commit = (version.commit or "no commit")[:10] + (" with changes" if version.dirty else "")
        return f"{commit}, {self.date}{', quick' if self.quick else ''}\n{machine.cores} cores of {machine.cpu}, {machine.memory_gib:g} GiB"

    def _caption(self) -> str:
        machine = self.machine
        where = f"{machine.kernel}, {machine.python}, {self.version.database} on {machine.filesystem}"
        return f"{where}; load before {machine.load:g}; took {self.seconds:.0f} s"


def shown(value: float) -> str:
    """Three digits that count."""
    if value and abs(value) < 0.01:
        return f"{value:.4f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    return f"[green]{figure.goal}[/]" if figure.goal.met(figure.value) else f"[yellow]{figure.goal} not met[/]"


def _rounded(value: Any) -> Any:
    return float(f"{value:.5g}") if isinstance(value, float) else value
