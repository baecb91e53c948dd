"""`turnup amend`."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import BadInput
from turnup.cli.options import Json, OrderId, pair
from turnup.cli.session import begin

if TYPE_CHECKING:
    from engine.catalogue.models import Scalar
    from turnup.wiring import Wiring

Start = Annotated[
    str | None,
    typer.Option("--start", metavar="TIME", help="Begin not before this (with a time zone), or `now`.", show_default=False),
]
Completion = Annotated[str | None, typer.Option("--completion", metavar="TIME", help="To be complete by this.", show_default=False)]
Priority = Annotated[int | None, typer.Option("--priority", metavar="0-4", min=0, max=4, help="0 is the highest.", show_default=False)]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A characteristic; may be given again.", show_default=False)
]
Item = Annotated[str | None, typer.Option("--item", metavar="ITEM", help="Of which item, when there are several.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the order's history.", show_default=False)]


def amend(
    context: typer.Context,
    order: OrderId,
    start: Start = None,
    completion: Completion = None,
    priority: Priority = None,
    set_: Set = None,
    item: Item = None,
    reason: Reason = "",
    as_json: Json = False,
) -> int:
    """Change an order that is under way: its dates, its priority, what the customer chose.

    The start date as long as the order has not begun; characteristics as long as
    none of the items that they touch has. Else it is denied, and the order goes on.

    Examples:

      turnup amend PO-2024-00847 --start 2024-04-02T09:00:00+11:00

      turnup amend PO-2024-00847 --start now --priority 0

      turnup amend PO-2024-00847 --set ssid=Nest --reason "the customer called"
    """
    session = begin(context, as_json=as_json)
    from engine.acceptance import Acceptance
    from engine.amend import Wish
    from engine.amend import amend as change
    from turnup.working import who_works

    wiring = session.wiring()
    wish = Wish(
        _time("--start", start, wiring.clock.now()),
        _time("--completion", completion, None),
        priority,
        _characteristics(wiring, order, set_ or ()),
        item,
    )
    if wish == Wish(item=item):
        raise BadInput("nothing is said to be different", remedy="Say what: --start, --completion, --priority or --set.")
    who = f"{getpass.getuser()}: {reason}" if reason else f"{getpass.getuser()} said so"
    found = change(wiring.workplace, Acceptance(wiring.workplace, wiring.catalogue), order, wish, who)
    worker, told = who_works(wiring)
    session.output.document({"order": found.order, "state": str(found.state), "changed": dict(found.changed), "worker": worker})
    values = {**found.changed, **found.changed.get("characteristics", {})}
    values.pop("characteristics", None)
    what = ", ".join(f"{name} is {value} now" for name, value in values.items()) or "all of it was so already"
    session.output.show(f"{found.order} ({found.state}): {what}; {told}")
    if found.state == "held" and found.changed:
        session.output.show(f"`turnup resume {found.order}` does again what stands still")
    return 0


def _time(option: str, text: str | None, now: datetime | None) -> datetime | None:
    """A time with its zone. `now`: what the word stands for."""
    if text is None or (text == "now" and now is not None):
        return None if text is None else now
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadInput(f"{option} {text!r} is no time with a time zone", remedy="Write e.g. 2024-04-02T09:00:00+11:00.")
    return found


def _characteristics(wiring: Wiring, order: str, given: Sequence[str]) -> dict[str, Scalar]:
    """What was given, typed as the specification of the order's items declares it."""
    from engine.catalogue.characteristics import as_typed
    from engine.decomposition import specification

    pairs = [pair(text) for text in given]
    if None in pairs:
        raise BadInput(f"{given[pairs.index(None)]!r} is no value", remedy="Write NAME=VALUE, e.g. ssid=Nest.")
    if not pairs:
        return {}
    tree = wiring.store.tree(order)
    catalogue = wiring.store.catalogue(tree.root.catalogue)
    names = {item.specification or tree.instances[item.instance or ""].specification for item in tree.items_of(tree.root.id)}
    declared = {name: c for each in names for name, c in specification(catalogue, tree.root.level, each).characteristics.items()}
    return {found[0]: as_typed(declared.get(found[0]), found[1]) for found in pairs if found}
