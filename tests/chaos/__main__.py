"""`make chaos`: processes die, stand-ins fail, and an independent checker looks at what is left.

Ends with one line, and with 0 only when nothing was lost or doubled, nothing is an orphan and nothing differs.
"""

from __future__ import annotations

import argparse
import contextlib
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from engine.failpoints import Failpoint
from tests import postgres
from tests.chaos.checker import Kind
from tests.chaos.run import Plan, Report, run
from tests.chaos.world import world


def main() -> int:
    """Run on each database that is there."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or lab and database would go on without us
    print(f"seed {arguments.seed}", flush=True)
    reports: list[Report] = []
    for name in arguments.databases:
        if name == "postgresql" and postgres.programs() is None:
            print("PostgreSQL is not installed: left out", flush=True)
            continue
        reports += [_one(name, arguments, Random(f"{arguments.seed}/{name}/{number}")) for number in range(arguments.runs)]
    total = {kind: sum(report.count(kind) for report in reports) for kind in Kind}
    kills = sum(report.kills.total() for report in reports)
    faults = sum(report.faults + report.freezes for report in reports)
    print(
        f"chaos: {len(reports)} runs, {kills} kills, {faults} faults; {total[Kind.LOST]} lost, {total[Kind.DOUBLED]} doubled, "
        f"{total[Kind.ORPHAN]} orphans, {total[Kind.DIFFERENCE]} differences"
    )
    return 1 if sum(total.values()) or not reports else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--orders", type=int, default=200, help="orders in each run")
    parser.add_argument("--lives", type=int, default=40, help="workers that are killed in each run")
    parser.add_argument("--runs", type=int, default=1, help="runs on each database")
    parser.add_argument("--workers", type=int, default=3, help="workers at the same time on PostgreSQL")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="makes the same choices again")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    parser.add_argument("--keep", action="store_true", help="do not delete the folder of a run")
    return parser.parse_args()


def _one(name: str, arguments: argparse.Namespace, random: Random) -> Report:
    several = name == "postgresql"
    plan = Plan(arguments.orders, arguments.lives, arguments.workers if several else 1, freezes=2 if several else 1, holding=3)
    began = time.monotonic()
    with _folder(keep=arguments.keep) as folder, _database(name, folder) as url, world(folder / "home", url, plan.orders) as found:
        report = run(found, plan, random)
    never = sorted(set(Failpoint) - set(report.kills))
    print(
        f"{name}: {plan.orders} orders ({report.completed} completed, {report.cancelled} cancelled, {report.held} held for an injected "
        f"reason) in {time.monotonic() - began:.0f} s; kills {dict(sorted(report.kills.items()))}; {report.freezes} freezes, "
        f"{report.faults} faults" + (f"; not reached: {', '.join(never)}" if never else ""),
        flush=True,
    )
    for finding in report.findings[:50]:
        print(f"  {finding.kind}: {finding.what}", flush=True)
    return report


@contextlib.contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    if keep:
        yield Path(tempfile.mkdtemp(prefix="chaos-"))
        return
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextlib.contextmanager
def _database(name: str, folder: Path) -> Iterator[str | None]:
    if name == "sqlite":
        yield None
        return
    with postgres.server(folder / "postgresql") as url:
        yield postgres.create(url, "chaos")


if __name__ == "__main__":
    sys.exit(main())
