"""`turnup inventory`: filling NetBox, and comparing it with the orders."""

from __future__ import annotations

from typing import Annotated

import typer

from turnup.cli.options import Json
from turnup.cli.session import begin

app = typer.Typer(no_args_is_help=True, help="NetBox: what is in it, and whether it fits the orders.")

Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="example, two-exchanges, bench, capacity, or a YAML file (default: that of the settings or the lab).",
        show_default=False,
    ),
]


@app.command()
def seed(context: typer.Context, profile: Profile = None, as_json: Json = False) -> int:
    """Fill NetBox with sites, devices, ports, pools, stock and custom fields. Idempotent; what orders hold is not touched.

    Examples:

      turnup inventory seed

      TURNUP_NETBOX__URL=https://netbox.example.com TURNUP_NETBOX__TOKEN=... turnup inventory seed --profile example
    """
    session = begin(context, as_json=as_json)
    from dataclasses import asdict

    from turnup.embedded import profile_of
    from turnup.seeding import seed_netbox

    wiring = session.wiring()
    name = profile or profile_of(wiring.settings)
    with session.output.err.status("seeding") as status:
        counts = seed_netbox(
            wiring.inventory.client, name, wiring.lab, lambda path, done, count: status.update(f"seeding {path}: {done} of {count}")
        )
    session.output.document({"profile": name, **asdict(counts)})
    created, updated, unchanged = (sum(each.values()) for each in (counts.created, counts.updated, counts.unchanged))
    session.output.show(f"[green]✔[/] profile {name}: {created} objects created, {updated} updated, {unchanged} as they should be")
    return 0


@app.command()
def audit(context: typer.Context, as_json: Json = False) -> int:
    """Find resources without an order and orders without their resources. Exit code 1 when there are any. Changes nothing.

    Example:

      turnup inventory audit
    """
    session = begin(context, as_json=as_json)
    from engine.views import held
    from inventory.audit import Known
    from inventory.audit import audit as compare

    wiring = session.wiring()
    report = compare(wiring.inventory.client, [Known(allocation, state) for allocation, state in held(wiring.records)])
    session.output.document(report)
    if not as_json:
        from turnup.screen.audit import audited

        session.output.show(*audited(report))
    return 0 if report.clean else 1
