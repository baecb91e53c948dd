"""`turnup worker`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from turnup.cli.options import Json
from turnup.cli.session import begin

if TYPE_CHECKING:
    from turnup.working import Working

_LOOK = 10.0
"""Seconds between two lines about what was done."""


def worker(context: typer.Context, as_json: Json = False) -> int:
    """Work the lanes until stopped (Ctrl-C or SIGTERM): all orders, also those that other processes submit.

    On SQLite one process at a time works; on PostgreSQL any number, on any number of machines.

    Example:

      turnup worker
    """
    session = begin(context, as_json=as_json)
    from engine.errors import WorkerRunning
    from turnup.working import Working

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Working(session.wiring()) as working:
        if not working.begin():
            raise WorkerRunning(f"process {working.other or '?'} works the lanes of this store already")
        session.output.note("working the lanes; Ctrl-C stops after what is being done")
        for line in _status(working, stop):
            session.output.note(line)
        session.output.note("finishing what is being done")
    session.output.document({"worker": "stopped", "settled": working.settled})
    session.output.note(f"stopped; {working.settled} steps settled")
    return 0


def _status(working: Working, stop: threading.Event) -> Iterator[str]:
    """A line now and then, when there is something new."""
    told = ""
    while not stop.wait(_LOOK):
        line = "; ".join([f"{working.settled} steps settled", *working.left_alone()])
        if line != told:
            yield line
            told = line
