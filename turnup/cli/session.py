"""What every command has: its output, and the program's parts when it asks for them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from turnup.cli.output import Output

if TYPE_CHECKING:
    from turnup.settings import Settings
    from turnup.wiring import Wiring


class Session:
    """One run of the program."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.home: Path | None = None
        self.verbose = False
        self._opened = ExitStack()

    def settings(self) -> Settings:
        """The settings. Raises SettingsInvalid."""
        from turnup.settings import load

        return load(self.home)

    def wiring(self, settings: Settings | None = None) -> Wiring:
        """The program's parts, and from now on its logs. Raises SettingsInvalid."""
        from turnup.logs import logging_to
        from turnup.wiring import Wiring

        settings = settings or self.settings()
        settings.make_home()
        self._opened.enter_context(logging_to(settings.home / "turnup.log", verbose=self.verbose))
        wiring = Wiring(settings)
        self._opened.callback(wiring.close)
        return wiring

    def close(self) -> None:
        """Close what was opened."""
        self._opened.close()


def begin(context: typer.Context, *, as_json: bool) -> Session:
    """The session of a command."""
    session: Session = context.find_root().obj
    session.output.as_json = as_json
    return session
