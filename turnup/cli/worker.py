"""`turnup worker`."""

from __future__ import annotations

import signal
import threading

import typer

from turnup.cli.options import Json
from turnup.cli.session import begin


def worker(context: typer.Context, as_json: Json = False) -> int:
    """Work the lanes until stopped (Ctrl-C or SIGTERM): all orders, also those that other processes submit.

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
        stop.wait()
    session.output.document({"worker": "stopped"})
    session.output.note("stopped")
    return 0
