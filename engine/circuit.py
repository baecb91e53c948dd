"""The circuit breaker of a lane: a target that does not answer is left alone for a while, then one order tries it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import sqlalchemy as sa
import structlog

from engine.batch import WorkerSettings
from engine.errors import ErrorClass, InventoryUnreachable
from engine.model import StepResult, StepState
from engine.ports import Trouble
from engine.store import lanes
from engine.store.lanes import Lease

log = structlog.get_logger()

INVENTORY_LANES = "netbox/"
ORDERS_LANE = "orders"


def record(tx: sa.Connection, lease: Lease, results: Iterable[StepResult], settings: WorkerSettings, real: float) -> Lease:
    """Note whether the target of this lane answered; the lease as it is then.

    After `opens_after` times of silence in a row its circuit opens: until the first step of the batch is to be tried again by its failure
    policy, at most for `pause`.
    """
    if lease.lane == ORDERS_LANE:
        return lease  # our own work
    told = [r for r in results if r.state is not StepState.BLOCKED and not _of_another(lease.lane, r.trouble)]
    silent = [r.trouble for r in told if r.trouble and r.trouble.error_class is ErrorClass.UNREACHABLE]
    if told and len(silent) == len(told):
        opens = lease.failures + 1 >= settings.opens_after
        until = min([real + settings.pause, *(r.due for r in told if r.state is StepState.READY)]) if opens else 0.0
        lanes.failed(tx, lease, silent[0], until)
        log.warning("no answer", lane=lease.lane, times=lease.failures + 1, left_alone=opens, message=silent[0].message)
        return replace(lease, failures=lease.failures + 1, open_until=until)
    if told and lease.failures:
        lanes.answered(tx, lease)
        log.info("answers again", lane=lease.lane)
        return replace(lease, failures=0, open_until=0.0)
    return lease


def on_trial(lease: Lease, settings: WorkerSettings) -> bool:
    """Whether one order alone is to try if the target answers again."""
    return lease.failures >= settings.opens_after


def _of_another(lane: str, trouble: Trouble | None) -> bool:
    """NetBox may be gone while a device is asked: that says nothing of the device."""
    if trouble is None or trouble.error_class is not ErrorClass.UNREACHABLE:
        return False
    return (trouble.code == InventoryUnreachable.code) != lane.startswith(INVENTORY_LANES)
