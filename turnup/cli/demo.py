"""`turnup demo`: what `make demo` runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from turnup.cli.options import Json
from turnup.cli.run import run_file
from turnup.cli.session import begin

if TYPE_CHECKING:
    from turnup.settings import Settings

PLAYBOOK = "superfibre-200.yaml"


def demo(context: typer.Context, as_json: Json = False) -> int:
    """The worked example on the embedded lab, from playbook to configured network: lab up, NetBox filled, order run.

    A second demo finds the order done and shows it again.

    Example:

      turnup demo
    """
    session = begin(context, as_json=as_json)
    from engine.errors import SettingsInvalid
    from turnup.settings import share

    settings = session.settings()
    if settings.netbox.url is not None or not settings.embedded:
        raise SettingsInvalid(
            "the demo is for the embedded lab, and the settings name real systems", remedy=f"Run a playbook: {_called()} run FILE."
        )
    folder = _relative(share("playbooks"))
    session.output.note(f"the embedded lab is in {_relative(settings.lab_folder)}; the order is {folder / PLAYBOOK}")
    code = run_file(session, folder / PLAYBOOK)
    session.output.show("", "[bold]What to try next[/]", *(f"  {line}" for line in _next(_called(), folder, settings)))
    return code


def _next(turnup: str, folder: Path, settings: Settings) -> list[str]:
    lines = [
        (f"{turnup} run {folder / 'superfibre-200-second.yaml'}", "the next customer: next port, VLAN, addresses, router"),
        (f"{turnup} plan {folder / 'superfibre-500-static.yaml'}", "a dry run: every device's exact change, nothing touched"),
        (f"{turnup} show SF200-CUST-4821", "all of this order: what was sent to each device, its history"),
        (f"{turnup} lab status", "the stand-ins of the outside world and where they listen"),
        (f"{turnup} lab down", f"end the lab; its state stays in {_relative(settings.lab_folder)}"),
    ]
    width = max(len(command) for command, _ in lines)
    return [f"[cyan]{command:<{width}}[/]  [dim]{what}[/]" for command, what in lines]


def _called() -> str:
    """How the program is called here: in a checkout its environment need not be on the PATH."""
    itself = Path(sys.argv[0]).absolute()
    if itself.name == "__main__.py":
        return f"{Path(sys.executable).name} -m turnup"
    found = shutil.which(itself.name)
    return itself.name if found and Path(found).samefile(itself) else str(_relative(itself))


def _relative(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
