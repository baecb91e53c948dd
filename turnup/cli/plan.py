"""`turnup plan`."""

from __future__ import annotations

import typer

from engine.errors import PlaybookInvalid
from turnup.cli.options import File, Json
from turnup.cli.session import begin


def plan(context: typer.Context, file: File, as_json: Json = False) -> int:
    """Dry run: what an order would do. Claims nothing, changes nothing.

    Shows items, dependencies, what would be allocated ("expected": another
    order may be faster), and per device exactly what would be sent, with a
    checksum that `turnup run --checksum` insists on. Secrets are masked.

    Example:

      turnup plan playbooks/superfibre-200.yaml
    """
    session = begin(context, as_json=as_json)
    from turnup.bulk.files import is_bulk
    from turnup.planning import PlanDocument, planned
    from turnup.playbook import load

    if is_bulk(file):
        raise PlaybookInvalid(f"{file} holds many orders", remedy="A dry run is of one order: give it a playbook of its own.")
    playbook = load(file)
    document: PlanDocument = planned(session.wiring(), playbook)
    session.output.document(document)
    if not as_json:
        from turnup.screen import dryrun

        session.output.show(*dryrun.dry_run(document, str(file)))
    return 0
