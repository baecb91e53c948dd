"""`turnup version` and `turnup --version`."""

from __future__ import annotations

import platform
from importlib.metadata import version as version_of

import typer

from turnup.cli.options import Json
from turnup.cli.session import begin


def version(context: typer.Context, as_json: Json = False) -> int:
    """Show the versions of the program and of Python.

    Example:

      turnup version --json
    """
    session = begin(context, as_json=as_json)
    session.output.document({"version": {"turnup": version_of("turnup"), "python": platform.python_version()}})
    session.output.show(_line())
    return 0


def as_option(asked: bool) -> None:
    """`turnup --version`."""
    if asked:
        typer.echo(_line())
        raise typer.Exit


def _line() -> str:
    return f"turnup {version_of('turnup')} (Python {platform.python_version()})"
