"""The whole program on the embedded lab, in a home folder of its own: wired as the command line does it."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import sqlalchemy as sa

from engine.acceptance import Acceptance
from engine.ports import TransactionState
from engine.states import Level, OrderState
from engine.store.schema import items, orders, transactions
from lab import control
from lab.supervisor import Report
from tests.bench.bench import TookTooLong, wait_until
from tests.null_world import superfibre
from turnup.settings import LabSettings, Settings, WorkingSettings
from turnup.wiring import Wiring
from turnup.working import Working

TIME_SCALE = 260_000.0
"""Lab seconds a real second while a parcel is on the road: its 36 hours are half a second."""
PACE = 36_000.0
"""Otherwise: the customer's half hour is a twentieth of a second."""
SWEEP = 0.05
"""Real seconds between two looks for new orders: they are submitted beside the worker, as by another process."""
NETWORK = "SOI-001"
"""The service order's item that is completed when the network branch is."""
PROFILE = "bench"
_LAB = LabSettings(profile=PROFILE, time_scale=TIME_SCALE, pace=PACE)


class Embedded:
    """The program, its lab (64 ONUs a port), and what was ordered."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, lab=_LAB, worker=WorkingSettings(sweep=SWEEP))
        self.wiring = Wiring(self.settings)
        self._acceptance = Acceptance(self.wiring.workplace, self.wiring.catalogue)
        self._numbers = itertools.count(1)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work the lanes in this process while the block runs."""
        with Working(self.wiring) as working:
            if not working.begin():
                raise RuntimeError(f"process {working.other} works the lanes")
            yield

    def submit(self) -> str:
        """Order one more line, for a customer of its own; the order's id."""
        return self._acceptance.submit(superfibre(next(self._numbers))).id

    def wait_for_network(self, order: str, seconds: float) -> float:
        """The moment at which the network branch of an order is completed. Raises TookTooLong."""
        statement = sa.select(items.c.state).where(items.c.root == order, items.c.level == Level.SERVICE, items.c.id == NETWORK)
        return wait_until(lambda: self._scalar(statement) == OrderState.COMPLETED, seconds, f"network branch of {order}", look=0.005)

    def wait_for_networks(self, count: int, seconds: float) -> float:
        """The moment at which so many network branches, of all orders ever, are completed. Raises TookTooLong."""
        where = (items.c.level == Level.SERVICE, items.c.id == NETWORK, items.c.state == OrderState.COMPLETED)
        statement = sa.select(sa.func.count()).select_from(items).where(*where)
        return wait_until(lambda: self._scalar(statement) == count, seconds, f"{count} network branches", look=0.02)

    def wait_for_all(self, seconds: float) -> float:
        """The moment at which every order is completed. Raises TookTooLong, saying how they stand."""
        where = (orders.c.level == Level.PRODUCT, orders.c.state != OrderState.COMPLETED)
        statement = sa.select(sa.func.count()).select_from(orders).where(*where)
        try:
            return wait_until(lambda: self._scalar(statement) == 0, seconds, "all orders", look=0.02)
        except TookTooLong as error:
            raise TookTooLong(f"{error}; {self._standing()}") from None

    def commits(self, target: str) -> int:
        """How many transactions a device has confirmed so far."""
        where = (transactions.c.target == target, transactions.c.state == TransactionState.CONFIRMED)
        return int(str(self._scalar(sa.select(sa.func.count()).select_from(transactions).where(*where))))

    def lab_cpu(self) -> float:
        """Seconds that the processes of the lab have used so far."""
        return sum(sum(process.cpu_times()[:2]) for process in lab_processes(self.settings.lab_folder))

    def _scalar(self, statement: sa.Select[object]) -> object:
        with self.wiring.store.database.read() as tx:
            return tx.execute(statement).scalar()

    def _standing(self) -> str:
        with self.wiring.store.database.read() as tx:
            statement = sa.select(items.c.state, items.c.reason, sa.func.count()).group_by(items.c.state, items.c.reason)
            return "; ".join(f"{count} items {state} {reason}".strip() for state, reason, count in tx.execute(statement))


@contextmanager
def embedded() -> Iterator[Embedded]:
    """The program on a new lab; both end with the block."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        made = Embedded(home)
        try:
            yield made
        finally:
            made.wiring.close()
            control.down(made.settings.lab_folder)


def lab_processes(folder: Path) -> list[psutil.Process]:
    """The processes of a lab that is up."""
    report = Report.read(folder)
    if report is None:
        raise RuntimeError(f"there is no lab in {folder}")
    return [psutil.Process(report.pid), *(psutil.Process(child.pid) for child in report.children)]
