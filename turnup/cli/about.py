"""`turnup version`."""

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
    found = {"turnup": version_of("turnup"), "python": platform.python_version()}
    session.output.document({"version": found})
    session.output.show(f"turnup {found['turnup']} (Python {found['python']})")
    return 0
