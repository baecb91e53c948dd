"""The command line: one file per group of commands. They parse, call and print; what they call is in the package above.

Modules that are slow to load are imported in the functions that need them: completion and help must come at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from engine.errors import BadInput, TurnupError
from turnup.cli.app import app
from turnup.cli.output import Output
from turnup.cli.session import Session

__all__ = ["app", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit code: 0 done, 1 failed, 2 bad input, 3 held or waiting for a person, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    session = Session(Output(as_json="--json" in given))
    try:
        return int(app(given, prog_name="turnup", standalone_mode=False, obj=session) or 0)
    except TyperException as error:
        return _usage(session.output, error)
    except TurnupError as error:
        return session.output.error(error)
    except typer.Abort:
        return 130
    finally:
        session.close()


def _usage(output: Output, error: TyperException) -> int:
    """A command line that cannot be understood."""
    if output.as_json:
        return output.error(BadInput(error.format_message(), remedy="`turnup --help` and `turnup COMMAND --help` list what there is."))
    from typer._click.exceptions import ClickException  # what Typer raises; its public base class lacks the context
    from typer.rich_utils import rich_format_error

    if isinstance(error, ClickException):
        rich_format_error(error)
    return BadInput.exit_code
