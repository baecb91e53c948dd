"""What a benchmark is: a name, and figures that come one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from tests.bench.figure import Figure

T = TypeVar("T", int, float)


@dataclass(frozen=True)
class Scale:
    """How much is measured. `quick`: a few runs of each, to see that it works; such figures are not worth much."""

    quick: bool = False

    def of(self, full: T, quick: T) -> T:
        """One of the two."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Bench:
    """Figures that are measured together, on one set of processes or one database of their own."""

    name: str
    figures: Callable[[Scale], Iterator[Figure]]


class TookTooLong(Exception):
    """What is measured did not come to its end in the time that it has: there is no figure, and the report says why."""


def wait_until(done: Callable[[], bool], seconds: float, what: str, *, look: float = 0.01) -> float:
    """Look again and again, and return the moment (`time.perf_counter`) at which it was so. Raises TookTooLong."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TookTooLong(f"{what}: not within {seconds:g} s")
        time.sleep(look)
    return time.perf_counter()
