"""Working the lanes by hand, in the test's own thread."""

from __future__ import annotations

from engine.store import lanes
from engine.worker import Worker
from tests.null_world import NullWorld


def drain(world: NullWorld) -> None:
    """Work all lanes until nothing is due."""
    worker = Worker(world.at)
    while True:
        with world.at.store.database.read() as tx:
            found = lanes.with_work(tx, world.clock.real())
        if not sum(worker.drain(lane) for lane in sorted(found)):
            return
