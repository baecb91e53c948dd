"""`turnup lab`: the embedded lab."""

from __future__ import annotations

from typing import Annotated

import typer

from turnup.cli.options import Json, TimeScale
from turnup.cli.session import Session, begin

app = typer.Typer(no_args_is_help=True, help="The embedded lab: stand-ins of every outside system, each a process of its own.")

Pace = Annotated[float | None, typer.Option("--pace", min=1.0, help="Lab seconds a real second when no parcel is on the road (else 600).")]

Profile = Annotated[
    str | None,
    typer.Option(
        "--profile", help="What its NetBox is filled with: example, two-exchanges, bench or capacity. For good.", show_default=False
    ),
]


@app.command()
def up(context: typer.Context, time_scale: TimeScale = None, pace: Pace = None, profile: Profile = None, as_json: Json = False) -> int:
    """Start the lab, or what is missing of it, and fill its NetBox. Calling it again changes nothing.

    Examples:

      turnup lab up --time-scale 36000

      turnup --home /tmp/bench lab up --profile bench
    """
    session = begin(context, as_json=as_json)
    from turnup.embedded import bring_up
    from turnup.seeding import seed_lab

    settings = session.settings()
    wish = {name: value for name, value in (("time_scale", time_scale), ("pace", pace), ("profile", profile)) if value is not None}
    settings = settings.model_copy(update={"lab": settings.lab.model_copy(update=wish)})
    seed_lab(settings, bring_up(settings))
    return _show(session)


@app.command()
def down(context: typer.Context, as_json: Json = False) -> int:
    """End the lab. Its state stays, its time stands still.

    Example:

      turnup lab down
    """
    session = begin(context, as_json=as_json)
    from turnup.embedded import take_down

    take_down(session.settings())
    session.output.document({"lab": "down"})
    session.output.show("the lab is down; `turnup lab up` goes on where it stopped")
    return 0


@app.command()
def status(context: typer.Context, as_json: Json = False) -> int:
    """Show what became of each stand-in, where it listens, and the lab's time. Exit code 1 unless all are ready.

    Example:

      turnup lab status
    """
    return _show(begin(context, as_json=as_json))


def _show(session: Session) -> int:
    from lab.control import State, status
    from turnup.clock import EmbeddedClock

    folder = session.settings().lab_folder
    found = status(folder)
    now = EmbeddedClock(folder).now()
    rows = [
        {
            "name": one.name,
            "kind": one.kind,
            "state": str(one.state),
            "pid": one.pid,
            "address": f"{one.endpoint.host}:{one.endpoint.port}" if one.endpoint else None,
            "control": one.endpoint.control if one.endpoint else None,
            "detail": one.detail,
        }
        for one in found
    ]
    session.output.document({"time": now.isoformat(), "standIns": rows})
    if not session.output.as_json:
        from turnup.screen.lab import lab

        session.output.show(lab(found, now))
    return 0 if all(one.state is State.READY for one in found) else 1
