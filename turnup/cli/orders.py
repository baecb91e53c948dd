"""`turnup orders` and `turnup show`: neither needs NetBox, a device or the lab."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.errors import BadInput
from engine.states import OrderState
from turnup.cli.options import Json, OrderId
from turnup.cli.session import begin

_STATES = ", ".join(OrderState)
State = Annotated[
    OrderState | None, typer.Option("--state", metavar="STATE", help=f"Only orders in this state: {_STATES}.", show_default=False)
]


Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on showing what changes, until Ctrl-C.")]
Since = Annotated[
    int | None, typer.Option("--since", metavar="NUMBER", min=0, help="With --follow: begin after this event.", show_default=False)
]


def orders(context: typer.Context, state: State = None, follow: Follow = False, since: Since = None, as_json: Json = False) -> int:
    """List the orders that were submitted, or follow how they change.

    `--follow` shows a live list in a terminal, elsewhere a line for each change of
    an order's state, and with `--json` a JSON object a line. `--state` restricts it
    to changes to that state. `--since` goes on after the `number` of such an object.

    Examples:

      turnup orders

      turnup orders --state held

      turnup orders --follow

      turnup orders --follow --state held --json | jq -r .reason
    """
    session = begin(context, as_json=as_json)
    if follow:
        from turnup.cli.following import follow_orders

        return follow_orders(session, state, since)
    if since is not None:
        raise BadInput("--since is for --follow", remedy="Say --follow, too.")
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
