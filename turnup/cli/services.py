"""`turnup services`."""

from __future__ import annotations

from typing import Annotated

import typer

from turnup.cli.options import Json
from turnup.cli.session import begin

Id = Annotated[
    str | None, typer.Argument(metavar="ID", help="A customer, product or service, e.g. CUST-4821, SI-INT-4821.", show_default=False)
]


def services(context: typer.Context, name: Id = None, as_json: Json = False) -> int:
    """What customers have: products and services, since when, and from which orders.

    Examples:

      turnup services

      turnup services CUST-4821

      turnup services SI-INT-4821 --json
    """
    session = begin(context, as_json=as_json)
    from engine.views import owned

    found = owned(session.wiring().records, name)
    session.output.document({"services": [each.model_dump(mode="json", by_alias=True) for each in found]})
    if not as_json:
        from turnup.screen import tables

        session.output.show(tables.owned(found) if found else "nobody has anything yet")
    return 0
