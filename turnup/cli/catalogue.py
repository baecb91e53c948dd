"""`turnup catalog`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from turnup.cli.options import Json
from turnup.cli.session import begin


def resources(incomplete: str) -> list[str]:
    """For shell completion: the RFS of the catalogue."""
    from engine.catalogue.loader import examine
    from turnup.settings import load

    settings = load()
    catalogue, _ = examine(settings.catalogue, settings.templates)
    return [name for name in catalogue.resources if name.startswith(incomplete)]


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


@app.command()
def explain(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="RFS", help="RFS, e.g. RFS:VLAN-Service.", autocompletion=resources, show_default=False)],
    as_json: Json = False,
) -> int:
    """Explain an RFS: what it depends on, reserves, configures, waits for and checks, and what happens when a step of it fails.

    Example:

      turnup catalog explain RFS:VLAN-Service
    """
    session = begin(context, as_json=as_json)
    from engine.catalogue.explain import explain as explained
    from engine.catalogue.loader import load

    settings = session.settings()
    found = explained(load(settings.catalogue, settings.templates), name)
    session.output.document({"explanation": asdict(found)})
    if not as_json:
        from turnup.screen.explanation import whole

        session.output.show(*whole(found))
    return 0
