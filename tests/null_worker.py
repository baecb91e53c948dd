"""`turnup worker` over the null world, as a process of its own: `python -m tests.null_worker URL KEY OPTIONS`, options as JSON.

lease, sweep: seconds; slow: seconds that each push to `target` takes; die: pushes to `target` end the process, if it carries this text.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from engine.batch import WorkerSettings
from engine.ports import Outcome, Push
from tests.null_world import null_world
from turnup.cli import main
from turnup.wiring import Wiring


def run(url: str, key: str, options: dict[str, Any]) -> int:
    """Be a worker until SIGTERM; the exit code."""
    settings = WorkerSettings(sweep=options.get("sweep", 0.05), threads=4, lease=options.get("lease", 30.0), rpc_margin=0.1)
    world = null_world(url, Path(key), settings)

    def push(push: Push) -> Outcome | None:
        if push.target == options.get("target"):
            if options.get("die") and options["die"] in push.change.forward:
                os.kill(os.getpid(), signal.SIGKILL)
            print("pushing", flush=True)
            time.sleep(options.get("slow", 0))
        return None

    world.targets.fail = push
    wiring: Any = Wiring
    for name, value in (("store", world.at.store), ("clock", world.clock), ("workplace", world.at), ("records", world.at)):
        setattr(wiring, name, value)
    return main(["worker"])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
