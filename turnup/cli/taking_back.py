"""`turnup cancel` and `turnup undo`."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from turnup.cli.options import Json, OrderId
from turnup.cli.session import begin

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the order's history.", show_default=False)]


def cancel(context: typer.Context, order: OrderId, reason: Reason = "", as_json: Json = False) -> int:
    """Cancel an order that is under way: what was done is undone, in reverse.

    Its resources are given back, and a parcel that is on the road is recalled. The
    order goes through assessingCancellation and pendingCancellation to cancelled. It
    is denied, and the order goes on, when an item is past its point of no return.

    Examples:

      turnup cancel PO-2024-00847

      turnup cancel SF200-CUST-4821 --reason "customer changed his mind"
    """
    session = begin(context, as_json=as_json)
    from engine.cancel import cancel as withdraw
    from turnup.working import who_works

    wiring = session.wiring()
    found = withdraw(wiring.workplace, order, f"{getpass.getuser()}: {reason}" if reason else f"{getpass.getuser()} said so")
    worker, told = who_works(wiring)
    session.output.document({"order": found.order, "state": str(found.state), "worker": worker})
    session.output.show(f"{found.order} ({found.state}): what was done is undone; {told}")
    return 0


def undo(context: typer.Context, order: OrderId, reason: Reason = "", as_json: Json = False) -> int:
    """Take back exactly what an order did.

    One that is under way is cancelled, also past its point of no return: a delivered
    router is sent back. For one that has ended a new order is accepted, linked to it,
    which makes everything as it was before: nothing that later orders built upon.

    Examples:

      turnup undo PO-2024-00847
    """
    session = begin(context, as_json=as_json)
    from engine.acceptance import Acceptance, Accepted
    from engine.cancel import undo as take_back
    from turnup.working import who_works

    wiring = session.wiring()
    said = f"{getpass.getuser()}: {reason}" if reason else f"{getpass.getuser()} said so"
    found = take_back(wiring.workplace, Acceptance(wiring.workplace, wiring.catalogue), order, said)
    worker, told = who_works(wiring)
    if isinstance(found, Accepted):
        session.output.document({"order": order, "undoneBy": found.id, "repeated": found.repeated, "worker": worker})
        again = "is taken back already by" if found.repeated else "is taken back by"
        session.output.show(f"{order} {again} {found.id}; {told}")
    else:
        session.output.document({"order": found.order, "state": str(found.state), "worker": worker})
        session.output.show(f"{found.order} ({found.state}): what was done is undone; {told}")
    return 0
