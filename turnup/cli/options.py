"""Options and arguments that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout; progress and logs go to stderr.")]
File: TypeAlias = Annotated[
    Path, typer.Argument(metavar="FILE", help="Order playbook (YAML), e.g. playbooks/superfibre-200.yaml.", show_default=False)
]
Orders: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="Order playbook (YAML), or many orders (.csv, .jsonl, several YAML documents).", show_default=False
    ),
]
TimeScale: TypeAlias = Annotated[
    float | None,
    typer.Option("--time-scale", min=1.0, help="Embedded lab: lab seconds a real second while a parcel is on the road (else 10800)."),
]


def pair(text: str) -> tuple[str, str] | None:
    """`NAME=VALUE` in its parts; None when it is none."""
    name, equals, value = text.partition("=")
    return (name.strip(), value.strip()) if equals and name.strip() else None


def order_ids(incomplete: str) -> list[str]:
    """For shell completion: the orders that there are."""
    from engine.errors import TurnupError
    from engine.views import listed
    from turnup.settings import load
    from turnup.wiring import Wiring

    try:
        found = listed(Wiring(load()).records)
    except TurnupError:
        return []
    names = [name for order in found for name in (order.id, order.external_id) if name]
    return [name for name in names if name.startswith(incomplete)]


OrderId: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="Order of any level (PO-, SO-, RO-...) or external id.", autocompletion=order_ids, show_default=False
    ),
]
