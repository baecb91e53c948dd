"""All commands together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from turnup.cli import (
    about,
    amend,
    catalogue,
    demo,
    drift,
    fallout,
    inventory,
    lab,
    orders,
    plan,
    resume,
    run,
    services,
    taking_back,
    worker,
)
from turnup.cli.session import Session

app = typer.Typer(
    name="turnup",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Takes a broadband order and makes the line work: decomposition, allocation in NetBox, configuration of every device, checked.",
    epilog="Exit codes: 0 done, 1 failed, 2 bad input, 3 held or waiting for a person. Every command has --json.",
)

Home = Annotated[
    Path | None, typer.Option("--home", envvar="TURNUP_HOME", help="Folder of all state (default: .turnup).", show_default=False)
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Logs to stderr instead of to the file turnup.log in the home folder.")]
Version = Annotated[
    bool, typer.Option("--version", callback=about.as_option, is_eager=True, help="Show the versions of the program and of Python.")
]


@app.callback()
def program(context: typer.Context, home: Home = None, verbose: Verbose = False, version: Version = False) -> None:  # noqa: ARG001 - see its callback
    """Options that stand before the command."""
    session: Session = context.obj
    session.home, session.verbose = home, verbose


ORDERS, SYSTEM = "Orders", "What is around them"

app.command(rich_help_panel=ORDERS)(run.run)
app.command(rich_help_panel=ORDERS)(run.submit)
app.command(rich_help_panel=ORDERS)(plan.plan)
app.command(rich_help_panel=ORDERS)(orders.orders)
app.command(rich_help_panel=ORDERS)(orders.show)
app.add_typer(fallout.app, name="fallout", rich_help_panel=ORDERS)
app.command(rich_help_panel=ORDERS)(resume.resume)
app.command(rich_help_panel=ORDERS)(amend.amend)
app.command(rich_help_panel=ORDERS)(taking_back.cancel)
app.command(rich_help_panel=ORDERS)(taking_back.undo)
app.command(rich_help_panel=ORDERS)(services.services)
app.command(rich_help_panel=ORDERS)(worker.worker)
app.command(rich_help_panel=SYSTEM)(drift.check)
app.command(rich_help_panel=SYSTEM)(drift.repair)
app.command(rich_help_panel=SYSTEM)(demo.demo)
app.add_typer(lab.app, name="lab", rich_help_panel=SYSTEM)
app.add_typer(inventory.app, name="inventory", rich_help_panel=SYSTEM)
app.add_typer(catalogue.app, name="catalog", rich_help_panel=SYSTEM)
app.command(rich_help_panel=SYSTEM)(about.version)
