"""`turnup catalog`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from turnup.cli.options import Json
from turnup.cli.session import begin

app = typer.Typer(no_args_is_help=True, help="The catalogue: what is sold, how it decomposes, what is configured where.")


@app.command()
def check(context: typer.Context, as_json: Json = False) -> int:
    """Check the catalogue and its templates: every problem with file and line. Exit code 2 when there is any.

    Example:

      turnup catalog check
    """
    session = begin(context, as_json=as_json)
    from engine.catalogue.loader import examine
    from engine.errors import CatalogueInvalid

    settings = session.settings()
    catalogue, problems = examine(settings.catalogue, settings.templates)
    counts = {
        "offerings": len(catalogue.offerings),
        "products": len(catalogue.products),
        "services": len(catalogue.services),
        "resources": len(catalogue.resources),
        "policies": len(catalogue.policies),
        "templates": len(catalogue.templates),
    }
    output = session.output
    output.document({"valid": not problems, "counts": counts, "problems": [asdict(problem) for problem in problems]})
    for problem in problems:
        output.show(f"[red]✘[/] {_escaped(str(problem))}")
    if not problems:
        output.show("[green]✔[/] the catalogue is valid: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
        return 0
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    output.show("", f"{count} in {settings.catalogue} and {settings.templates}")
    return CatalogueInvalid.exit_code


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
