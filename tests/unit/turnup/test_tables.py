"""Tables show what devices say as it is."""

from __future__ import annotations

from rich.console import Console

from engine.documents import TargetView
from turnup.screen import tables


def test_what_devices_say_is_no_markup() -> None:
    said = "invalid-value at /interfaces/interface[name='v-ani-3.12.1']/onu-id [red] [/]"
    console = Console(width=200)
    with console.capture() as captured:
        console.print(tables.targets([TargetView(name="OLT", platform="bbf-olt", state="held", transaction=None, message=said)]))
    assert said in captured.get()
