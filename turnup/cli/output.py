"""Where things are printed: results on stdout, progress and logs on stderr as soon as stdout is for a program (`--json`)."""

from __future__ import annotations

import json
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # rich and pydantic are slow to load, and not needed for completion
    from pydantic import BaseModel
    from rich.console import Console, RenderableType

    from engine.errors import TurnupError


class Output:
    """Of one run of the program."""

    def __init__(self, *, as_json: bool = False, verbose: bool = False) -> None:
        self.as_json, self.verbose = as_json, verbose

    @cached_property
    def out(self) -> Console:
        """For people; what is printed here with `--json` would spoil the document."""
        return _console(stderr=False)

    @cached_property
    def err(self) -> Console:
        """For errors and notes."""
        return _console(stderr=True)

    @property
    def progress(self) -> Console:
        """For what happens on the way."""
        return self.err if self.as_json else self.out

    def show(self, *things: RenderableType) -> None:
        """Print a result for people; nothing with `--json`."""
        if not self.as_json:
            self.out.print(*things, sep="\n")

    def note(self, text: str) -> None:
        """A remark beside the result."""
        self.progress.print(text, style="dim", highlight=False)

    def document(self, content: BaseModel | dict[str, Any]) -> None:
        """The one JSON document on stdout; nothing without `--json`."""
        if self.as_json:
            text = json.dumps(content, indent=2, ensure_ascii=False) if isinstance(content, dict) else _dumped(content)
            sys.stdout.write(text + "\n")

    def error(self, error: TurnupError) -> int:
        """Say what went wrong and what to do next. Returns the exit code."""
        content = {"code": error.code, "message": error.message, "remedy": error.hint, **({"target": error.target} if error.target else {})}
        if self.as_json:
            self.document({"error": content})
        else:
            self.err.print(_panel(error))
        return error.exit_code


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        # into a file or a pipe: rich would break lines at 80 columns
        console = Console(stderr=stderr, highlight=False, width=200)
    return console


def _dumped(content: BaseModel) -> str:
    return content.model_dump_json(by_alias=True, indent=2)


def _panel(error: TurnupError) -> RenderableType:
    from rich.panel import Panel
    from rich.text import Text

    text = Text(error.message)
    text.append("\n\nWhat to do: ", style="bold")
    text.append(error.hint)
    return Panel(text, title=f"[bold]{error.code}[/]", title_align="left", border_style="red", padding=(0, 1))
