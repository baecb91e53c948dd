"""`turnup resume`."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from turnup.cli.options import Json, OrderId
from turnup.cli.session import begin

Item = Annotated[str | None, typer.Option("--item", metavar="ITEM", help="Only what stands still of this item.", show_default=False)]


def resume(context: typer.Context, order: OrderId, item: Item = None, as_json: Json = False) -> int:
    """Take up again what stands still of an order, now. What waits for a resource asks for it, whoever else waits.

    Not needed where there is capacity again: that is found by itself.

    Examples:

      turnup resume PO-2024-00847

      turnup resume PO-2024-00847 --item ROI-001
    """
    session = begin(context, as_json=as_json)
    from engine.resuming import resume as take_up
    from turnup.working import who_works

    wiring = session.wiring()
    resumed = take_up(wiring.store, order, getpass.getuser(), item)
    root = wiring.store.tree(order).root
    worker, told = who_works(wiring)
    steps = [{"step": step.key, "item": step.item, "target": step.target} for step in resumed]
    session.output.document({"order": root.id, "state": str(root.state), "resumed": steps, "worker": worker})
    again = f"{', '.join(step.key for step in resumed)} {'is' if len(steps) == 1 else 'are'} done again"
    session.output.show(f"{root.id} ({root.state}): {again}", told)
    return 0
