"""`turnup check` and `turnup repair`: devices and systems compared with what they were given, and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from turnup.cli.options import Json
from turnup.cli.session import begin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from engine.drift.check import Scope
    from turnup.drifting import RepairReport
    from turnup.wiring import Wiring

Subject = Annotated[
    str | None, typer.Argument(metavar="[TARGET|SERVICE]", help="A device or system, or a service (SI-...).", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="Every target that something was applied to.")]
RemoveExtra = Annotated[bool, typer.Option("--remove-extra", help="Also take away what somebody added within entries that are ours.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def check(context: typer.Context, subject: Subject = None, everything: All = False, as_json: Json = False) -> int:
    """Compare what devices and systems hold with what they were given. Changes nothing.

    Only what is ours is looked at: what was there before, and what others
    configure beside it, is theirs. `--all` compares NetBox with the orders, too.

    Exit code: 0 no drift, 1 drift, 3 no drift seen but something could not be looked at.

    Examples:

      turnup check --all

      turnup check OLT-EAST-07

      turnup check SI-INT-4821 --json
    """
    session = begin(context, as_json=as_json)
    from turnup.drifting import checked

    wiring = session.wiring()
    wanted = _wanted(wiring, subject, everything=everything)
    with session.output.err.status(f"looking at {len(wanted)} targets"):
        report = checked(wiring, wanted, everything=subject is None)
    session.output.document(report)
    if not as_json:
        from turnup.screen import drift

        session.output.show(*drift.checked(report))
    return 1 if not report.clean else 3 if report.unreachable else 0


def repair(
    context: typer.Context,
    subject: Subject = None,
    everything: All = False,
    remove_extra: RemoveExtra = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Put back what somebody changed: shows what would be sent to each target, asks, and sends exactly that.

    In transactions like those of orders: written ahead, checked by reading
    back, taken back when that fails. A worker's lane is waited for.

    Exit code: 0 nothing is left to put back, 1 something is.

    Examples:

      turnup repair --all --dry-run

      turnup repair OLT-EAST-07

      turnup repair SI-INT-4821 --remove-extra --yes
    """
    session = begin(context, as_json=as_json)
    from engine.drift.repair import Repaired
    from turnup.drifting import planned, repaired, report

    wiring = session.wiring()
    plans = planned(wiring, _wanted(wiring, subject, everything=everything), remove_extra=remove_extra)
    shown = report(wiring, [Repaired(each, trouble=each.trouble) for each in plans], dry_run=True)
    todo = any(each.mendings for each in plans)
    if dry_run or not todo:
        session.output.document(shown)
        session.output.show(*_lines(shown))
        return 0 if shown.done else 1
    if not yes:
        session.output.progress.print(*_lines(shown), sep="\n")
        typer.confirm("Send this?", abort=True, err=as_json)
    done = report(wiring, repaired(wiring, plans, remove_extra=remove_extra), dry_run=False)
    session.output.document(done)
    session.output.show(*_lines(done))
    return 0 if done.done else 1


def _wanted(wiring: Wiring, subject: str | None, *, everything: bool) -> list[Scope]:
    if (subject is None) != everything:
        raise typer.BadParameter("name a target or a service, or say --all")
    from turnup.drifting import subjects

    return subjects(wiring, subject)


def _lines(report: RepairReport) -> Iterator[RenderableType]:
    from turnup.screen import drift

    return drift.repaired(report)
