"""`turnup orders` and `turnup show`: neither needs NetBox, a device or the lab."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.states import OrderState
from turnup.cli.options import Json, OrderId
from turnup.cli.session import begin

_STATES = ", ".join(OrderState)
State = Annotated[
    OrderState | None, typer.Option("--state", metavar="STATE", help=f"Only orders in this state: {_STATES}.", show_default=False)
]


def orders(context: typer.Context, state: State = None, as_json: Json = False) -> int:
    """List the orders that were submitted.

    Examples:

      turnup orders

      turnup orders --state held
    """
    session = begin(context, as_json=as_json)
    from engine.views import listed

    found = listed(session.wiring().records, state)
    session.output.document({"orders": [order.model_dump(mode="json", by_alias=True) for order in found]})
    if not as_json:
        from turnup.screen import tables

        session.output.show(tables.orders(found) if found else "no orders" + (f" that are {state}" if state else ""))
    return 0


def show(context: typer.Context, order: OrderId, as_json: Json = False) -> int:
    """Show an order: tree, states, allocations, what was sent to each device, history.

    Examples:

      turnup show PO-2024-00847

      turnup show SF200-CUST-4821 --json
    """
    session = begin(context, as_json=as_json)
    from engine.views import document

    wiring = session.wiring()
    found = document(wiring.records, wiring.store.tree(order))
    session.output.document(found)
    if not as_json:
        from turnup.screen.order import whole

        session.output.show(*whole(found))
    return 0
