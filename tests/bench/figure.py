"""One figure of a benchmark."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured: the median of `runs` runs, with their extremes, and against what it was measured."""

    name: str
    value: float
    unit: str
    runs: int
    minimum: float
    maximum: float
    against: str


def of_samples(name: str, samples: Sequence[float], unit: str, against: str) -> Figure:
    """Return the median and the extremes of samples."""
    return Figure(name, statistics.median(samples), unit, len(samples), min(samples), max(samples), against)


def timed(work: Callable[[], object], runs: int, *, warm_up: int = 1) -> list[float]:
    """Return how long `work` takes, in milliseconds, per run, after some runs that do not count."""
    for _ in range(warm_up):
        work()
    samples = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        samples.append((time.perf_counter() - start) * 1000)
    return samples
