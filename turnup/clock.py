"""The clock that orders live by: the embedded lab's, or the machine's."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from lab.clock import LabClock


class SystemClock:
    """The machine's clock for both times (engine.ports.Clock)."""

    def now(self) -> datetime:
        """Local time with its zone."""
        return datetime.now().astimezone()

    def real(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def earliest(self, moment: datetime) -> float:
        """It is one clock."""
        return moment.timestamp()


class EmbeddedClock:
    """People live in the lab's time, which is faster; leases and retries are counted in ours (engine.ports.Clock)."""

    def __init__(self, lab: Path) -> None:
        """Read the clock of the lab in this folder; before it was ever up it stands at its beginning."""
        self._lab = LabClock(lab / "clock.json")

    def now(self) -> datetime:
        """Lab time."""
        return self._lab.now()

    def real(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def earliest(self, moment: datetime) -> float:
        """Lab time goes at two rates: as if it were the faster one until then."""
        return time.time() + self._lab.least_seconds_until(moment)
