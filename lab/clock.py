"""The lab's clock: one time for all of its processes, faster than ours, that stands still while the lab is down.

Piecewise linear and kept in one small file: since the moment `real` (CLOCK_MONOTONIC, which on Linux is the same for every process
and does not jump with NTP) lab time has run from `lab` at `rate` lab seconds a real second. Who changes the rate writes a new piece.

It never goes back: of two readings, one after the other, in whatever processes, the second is not earlier. For that, who reads takes
the real second before it looks which piece holds; and who writes first marks the old piece as `changing`, and only then takes the real
second at which the new one begins. Whoever finds the mark waits for the lock. So nobody goes by the old piece after the new one began,
however long either of them was not let run by the machine.
"""

import asyncio
import contextlib
import heapq
import itertools
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from lab.files import locked, write_atomically

BEGINNING = datetime.fromisoformat("2024-03-11T09:00:00+11:00")
"""Lab time of the first start: the worked example's, so that the ids made of it read as in the example. Melbourne's summer time."""
PACE = 600.0
"""Lab seconds in a real second, usually: ten minutes."""
TIME_SCALE = 10_800.0
"""Lab seconds in a real second while a parcel is on the road: three hours, so that 36 hours take twelve seconds."""

_LOOK_AGAIN = 0.1  # real seconds after which a sleeper looks whether another process changed the rate
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Piece:
    """A stretch of lab time with one rate: from `lab` (ISO 8601) at the real second `real` of the boot `boot`."""

    lab: str
    real: float
    boot: str
    running: bool
    pace: float
    time_scale: float
    on_the_road: tuple[str, ...] = ()
    changing: bool = False
    """Whether the next piece is about to begin: it is read with the lock only. Left behind by who died then, it just goes on to hold."""

    @classmethod
    def of(cls, text: str) -> "Piece":
        """Return the piece that is written in a file."""
        content = json.loads(text)
        return cls(**{**content, "on_the_road": tuple(content["on_the_road"])})

    @property
    def rate(self) -> float:
        """Lab seconds a real second; 0 while the clock stands still."""
        if not self.running:
            return 0.0
        return self.time_scale if self.on_the_road else self.pace

    def at(self, real: float, boot: str) -> datetime:
        """Lab time at a real second. A reboot stopped the lab and restarted the real seconds: no time has passed since."""
        elapsed = max(0.0, real - self.real) if boot == self.boot else 0.0
        return datetime.fromisoformat(self.lab) + timedelta(seconds=elapsed * self.rate)


def _boot() -> str:
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""


class LabClock:
    """Reads the clock in the file `path` (`<lab>/clock.json`); a clock that was never started stands at the beginning.

    Any process may read. `start` and `stop` are the lab's, `run_fast` and `run_normal` the carrier's.
    """

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Use the clock in `path`; `monotonic` gives the real seconds (replaced in tests only)."""
        self._path = path
        self._monotonic = monotonic
        self._boot = _boot()
        beginning = Piece(BEGINNING.isoformat(), 0.0, self._boot, running=False, pace=PACE, time_scale=TIME_SCALE)
        self._known = ("", beginning)  # what the file said last, and what that means: set as one, because threads share this object
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []  # a heap
        self._numbers = itertools.count()
        self._waker: asyncio.Task[None] | None = None
        self._more = asyncio.Event()

    def now(self) -> datetime:
        """Lab time, aware."""
        return self._look()[0]

    def real_seconds_until(self, moment: datetime) -> float:
        """Real seconds until the lab time `moment` at the present rate: 0 when it has passed, infinity while the clock stands still."""
        now, piece = self._look()
        left = (moment - now).total_seconds()
        if left <= 0:
            return 0.0
        return left / piece.rate if piece.rate else math.inf

    def least_seconds_until(self, moment: datetime) -> float:
        """Real seconds that pass until the lab time `moment` at least, whatever goes on meanwhile: 0 when it has passed."""
        now, piece = self._look()
        return max(0.0, (moment - now).total_seconds() / max(piece.pace, piece.time_scale))

    async def sleep_until(self, moment: datetime) -> None:
        """Return once the lab time `moment` has come, however often the rate changes before. Any number may sleep: they cost nothing."""
        if not self.real_seconds_until(moment):
            return
        loop = asyncio.get_running_loop()
        alarm = loop.create_future()
        heapq.heappush(self._sleepers, (moment, next(self._numbers), alarm))
        self._more.set()
        if self._waker is None or self._waker.done():
            self._waker = loop.create_task(self._wake(), name="lab clock")
        await alarm

    async def _wake(self) -> None:
        """Wake who sleeps when it is time; one task for all, because the rate changes in another process and a file cannot be awaited."""
        while self._sleepers:
            moment, _, alarm = self._sleepers[0]
            left = 0.0 if alarm.done() else self.real_seconds_until(moment)
            if left == 0:
                heapq.heappop(self._sleepers)
                if not alarm.done():
                    alarm.set_result(None)
                continue
            self._more.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), min(left, _LOOK_AGAIN))

    def start(self, *, pace: float | None = None, time_scale: float | None = None) -> None:
        """Let the time pass, at new rates if given; a running clock only takes the rates over."""
        self._change(
            lambda piece: replace(piece, running=True, pace=pace or piece.pace, time_scale=time_scale or piece.time_scale),
        )

    def stop(self) -> None:
        """Let the time stand still until the next start."""
        self._change(lambda piece: replace(piece, running=False))

    def run_fast(self, parcel: str) -> None:
        """Note that `parcel` is on the road; while any is, the clock runs at `time_scale`. Saying it twice changes nothing."""
        self._change(lambda piece: replace(piece, on_the_road=tuple(sorted({*piece.on_the_road, parcel}))))

    def run_normal(self, parcel: str) -> None:
        """Note that `parcel` is no longer on the road; with the last one the clock runs at `pace` again."""
        self._change(lambda piece: replace(piece, on_the_road=tuple(other for other in piece.on_the_road if other != parcel)))

    def _change(self, change: Callable[[Piece], Piece]) -> None:
        with locked(self._path):
            old = self._read()
            self._write(replace(old, changing=True))
            real = self._monotonic()  # later than any that the old piece is applied to without our lock
            here = replace(old, lab=old.at(real, self._boot).isoformat(), real=real, boot=self._boot, changing=False)
            self._write(change(here))

    def _write(self, piece: Piece) -> None:
        write_atomically(self._path, json.dumps(asdict(piece)), mode=0o644)

    def _look(self) -> tuple[datetime, Piece]:
        """Return lab time, and the piece that holds."""
        real = self._monotonic()
        piece = self._read()
        if piece.changing:
            with locked(self._path):
                piece = self._read()
        return piece.at(real, self._boot), piece

    def _read(self) -> Piece:
        try:
            text = self._path.read_text()
        except FileNotFoundError:
            return self._known[1]
        known = self._known
        # by what it says, not by inode and time, which a later file may have again
        if known[0] != text:
            self._known = known = (text, Piece.of(text))
        return known[1]
