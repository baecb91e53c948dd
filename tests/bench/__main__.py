"""`python -m tests.bench` (`make bench`): measure, print a table, write build/bench.json.

Exit code 1 when a benchmark did not come to its end; whether a figure is as good as it shall be is told, not judged.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path

import structlog
from rich.console import Console

from tests.bench import (
    bench_change,
    bench_engine,
    bench_held,
    bench_lab,
    bench_lines,
    bench_one_olt,
    bench_orders,
    bench_recovery,
    bench_rpc,
    bench_workers,
)
from tests.bench.bench import Bench, Scale, TookTooLong
from tests.bench.machine import ROOT, machine, version
from tests.bench.report import Failure, Report, shown

BENCHES: Sequence[Bench] = (
    *bench_rpc.BENCHES,
    *bench_lines.BENCHES,
    *bench_change.BENCHES,
    *bench_engine.BENCHES,
    *bench_workers.BENCHES,
    *bench_one_olt.BENCHES,
    *bench_orders.BENCHES,
    *bench_held.BENCHES,
    *bench_recovery.BENCHES,
    *bench_lab.BENCHES,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are asked for."""
    options = _options(arguments)
    chosen = [bench for bench in BENCHES if options.only is None or _fits(bench.name, options.only)]
    if not chosen:
        print(f"no benchmark is like {options.only!r}; there are: {', '.join(bench.name for bench in BENCHES)}", file=sys.stderr)
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # what the worker logs is not part of a table
    report = Report(datetime.now().astimezone().isoformat(timespec="seconds"), machine(), version(), options.quick, options.only)
    _run(chosen, report, Scale(options.quick), Console(stderr=True, highlight=False))
    report.write(options.output)
    console = Console(width=None if sys.stdout.isatty() else 180, highlight=False)
    console.print(report.table())
    console.print(f"written to {options.output}")
    return 1 if report.failures else 0


def _run(chosen: Sequence[Bench], report: Report, scale: Scale, progress: Console) -> None:
    began = time.perf_counter()
    for number, bench in enumerate(chosen, start=1):
        progress.print(f"[bold]\\[{number}/{len(chosen)}] {bench.name}[/]")
        try:
            for figure in bench.figures(scale):
                report.figures.append((bench.name, figure))
                progress.print(f"  {figure.name}: {shown(figure.value)} {figure.unit}")
        except TookTooLong as error:
            report.failures.append(Failure(bench.name, str(error)))
            progress.print(f"  [red]{error}[/]")
        report.seconds = time.perf_counter() - began
    progress.print(f"took {report.seconds:.0f} s")


def _fits(name: str, pattern: str) -> bool:
    return fnmatch(name.lower(), pattern.lower()) or pattern.lower() in name.lower()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure turnup on this machine; loopback only.")
    parser.add_argument("--only", metavar="PATTERN", help="benchmarks whose name has this in it, or is like it (*, ?)")
    parser.add_argument("--quick", action="store_true", help="a few runs of each: to see that it works, not to be quoted")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json", help="default: build/bench.json")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
