"""`turnup run` and `turnup submit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import BadInput
from turnup.cli.options import Json, Orders, TimeScale
from turnup.cli.session import Session, begin

if TYPE_CHECKING:
    from engine.acceptance import Accepted
    from turnup.running import RunDocument
    from turnup.settings import Settings
    from turnup.working import Working

Checksum = Annotated[
    str | None,
    typer.Option("--checksum", metavar="X", help="Only send what `turnup plan` showed under this checksum; refuse anything else."),
]


def run(context: typer.Context, file: Orders, checksum: Checksum = None, time_scale: TimeScale = None, as_json: Json = False) -> int:
    """Order what a playbook says, and follow it until it is done or a person is needed.

    Works the lanes in this process unless another one does. Running the same
    playbook again does not order twice: its external id is the idempotency key.

    A CSV or JSON Lines file, or YAML with several documents or a list, holds many
    orders. A bad row does not stop the others; it is listed with its line.

    Exit code: 0 done, 1 failed, 2 bad input, 3 held, waiting or scheduled for later.
    Of many orders: 0 all done, 1 one failed or was refused, 2 none was accepted, 3
    one is held or scheduled.

    Examples:

      turnup run playbooks/superfibre-200.yaml

      turnup run playbooks/superfibre-200.yaml --checksum 3f2a9c0d11e4b7a6

      turnup run playbooks/superfibre-200.yaml --json | jq .allocations

      turnup run playbooks/bulk.csv
    """
    session = begin(context, as_json=as_json)
    from turnup.bulk.files import is_bulk

    if is_bulk(file):
        from turnup.cli.bulk import many

        if checksum is not None:
            raise BadInput("--checksum is of one order; this file holds many", remedy="Leave it out, or run a playbook with one order.")
        return many(session, file, _with_time_scale(session.settings(), time_scale), follow=True)
    return run_file(session, file, checksum=checksum, time_scale=time_scale)


def run_file(session: Session, file: Path, *, checksum: str | None = None, time_scale: float | None = None) -> int:
    """Run a playbook and show its result. Returns the exit code."""
    from turnup.following import exit_code
    from turnup.playbook import load
    from turnup.running import Run
    from turnup.screen.watch import watch

    output, playbook = session.output, load(file)
    wiring = session.wiring(_with_time_scale(session.settings(), time_scale))
    screen = watch(output.progress, wiring.clock.now)

    def begun(accepted: Accepted, working: Working) -> None:
        how = "was ordered before, nothing is ordered twice:" if accepted.repeated else "is accepted as"
        output.note(f"{accepted.external_id} {how} {accepted.id}")
        if not working.here:
            output.note(f"process {working.other} works the lanes; this one follows, and takes over when that one ends")

    try:
        with screen:
            document = Run(wiring, begun, screen.update).order(playbook, checksum=checksum)
    except KeyboardInterrupt:
        output.note("interrupted: the order stays as it is; `turnup worker`, or the same `turnup run` again, goes on with it")
        return 130
    output.document(document)
    _result(session, document)
    return exit_code(document.order.state)


def _with_time_scale(settings: Settings, time_scale: float | None) -> Settings:
    if time_scale is None:
        return settings
    return settings.model_copy(update={"lab": settings.lab.model_copy(update={"time_scale": time_scale})})


def _result(session: Session, document: RunDocument) -> None:
    if session.output.as_json:
        return
    from turnup.screen import marks, tables
    from turnup.screen.troubles import troubles
    from turnup.timeline import timeline

    show = session.output.show
    show("", tables.timeline(timeline(document)), *tables.result(document), *troubles(document))
    line = marks.state(document.order.state).append(f"  {document.order.id}", "bold")
    line.append(" (ordered before: nothing was ordered twice)" if document.repeated else "", "dim")
    if dates := marks.dates(document.order):
        line.append("  ").append_text(dates)
    show("", line)
    if document.order.scheduled:
        show("it begins by itself then, if a `turnup worker` or another `turnup run` works the lanes")


def submit(context: typer.Context, file: Orders, as_json: Json = False) -> int:
    """Order what a playbook says and return at once. Says who will work the order.

    Examples:

      turnup submit playbooks/superfibre-200-second.yaml

      turnup submit playbooks/superfibre-200-second.yaml --json | jq -r .order.id

      turnup submit playbooks/bulk.csv
    """
    session = begin(context, as_json=as_json)
    from turnup.bulk.files import is_bulk

    if is_bulk(file):
        from turnup.cli.bulk import many

        return many(session, file, session.settings(), follow=False)
    return _submit_file(session, file)


def _submit_file(session: Session, file: Path) -> int:
    from engine.views import head
    from turnup.playbook import load
    from turnup.running import submit as accept
    from turnup.screen.marks import dates
    from turnup.working import who_works

    playbook = load(file)
    wiring = session.wiring()
    accepted = accept(wiring, playbook)
    root = wiring.store.tree(accepted.id).root
    found = head(root, wiring.clock.now())
    worker, told = who_works(wiring)
    order = {"id": accepted.id, "externalId": accepted.external_id, "state": found.state, "scheduled": found.scheduled}
    session.output.document({"order": order, "repeated": accepted.repeated, "worker": worker})
    how = "was ordered before, nothing is ordered twice:" if accepted.repeated else "is accepted as"
    state = ", ".join(filter(None, (found.state, dates(found).plain)))
    session.output.show(f"{accepted.external_id} {how} [bold]{accepted.id}[/] ({state})")
    if root.state.final:
        return 0
    session.output.show(f"{told}; `turnup show {accepted.id}` shows how far it is")
    return 0
